"""Webhooks: who is told of changes, and what was sent."""

from typing import Annotated, Final

from fastapi import Depends, Path, Query, Response

from crypto.words import Refused, Words
from soc_api.routes.guard import Here, conflicts, needs, router
from soc_api.routes.recorded import recorded
from soc_api.routes.registry import Seen, Within
from soc_api.webhook_bodies import (
    DeliveryPage,
    DeliveryRow,
    MadeWebhook,
    WebhookOrder,
    WebhookPage,
    WebhookRow,
)
from soc_api.webhook_store import Webhook
from soc_api.webhooks import Webhooks

webhooks = router("webhooks")

_REFUSES: Final = conflicts("There are too many webhooks already")


def desk_of(center: Here) -> Webhooks:
    """The webhooks of the center. Raises Refused (webhook-not-found)."""
    if center.webhooks is None:
        raise Refused(
            "webhook-not-found",
            Words("本中心不发送订阅", "this center sends no webhooks"),
            Words("请核对中心的角色配置", "check the roles of the center"),
        )
    return center.webhooks


Desk = Annotated[Webhooks, Depends(desk_of)]


def own_hook(hook: Annotated[int, Path(ge=1, le=2**53)], desk: Desk, reach: Within) -> Webhook:
    """The webhook, if its unit is within reach. Raises Refused (webhook-not-found, unit-scope)."""
    found = desk.store.get(hook)
    reach.unit(found.unit)
    return found


Hook = Annotated[Webhook, Depends(own_hook)]


@webhooks.get(
    "/webhooks", summary="Webhooks", response_model=WebhookPage, openapi_extra=needs("webhooks.manage")
)
def page(desk: Desk, scope: Seen) -> WebhookPage:
    """Those of one's own units, ended ones too; secrets are told to nobody."""
    return WebhookPage(rows=[_row(one) for one in desk.store.all() if scope.holds(one.unit)])


@webhooks.post(
    "/webhooks",
    summary="Add a webhook",
    response_model=MadeWebhook,
    status_code=201,
    responses=_REFUSES,
    openapi_extra=needs("webhooks.manage"),
)
def add(body: WebhookOrder, desk: Desk, reach: Within) -> MadeWebhook:
    """From now on changes are posted to the address, signed with the secret that is in this answer alone."""
    unit = reach.unit(body.unit or reach.visit.account.unit)
    now = reach.center.clock()
    with recorded(reach.center, reach.visit, "webhook.add", f"{body.name} {body.url}"[:512]) as act:
        made, secret = desk.make(body.name, body.url, body.events, body.query, unit, reach.visit.actor, now)
        act.changed(None, _row(made))
    return MadeWebhook(webhook=_row(made), secret=secret)


@webhooks.delete(
    "/webhooks/{hook}",
    summary="End a webhook",
    status_code=204,
    response_class=Response,
    responses=_REFUSES,
    openapi_extra=needs("webhooks.manage"),
)
def end(hook: Hook, desk: Desk, reach: Within) -> Response:
    """Nothing is sent to it any more; what it was sent stays told."""
    with recorded(reach.center, reach.visit, "webhook.end", f"webhook:{hook.id}"):
        desk.store.end(hook.id, reach.center.clock())
    return Response(status_code=204)


@webhooks.get(
    "/webhooks/{hook}/deliveries",
    summary="What was sent",
    response_model=DeliveryPage,
    openapi_extra=needs("webhooks.manage"),
)
def deliveries(hook: Hook, desk: Desk, limit: Annotated[int, Query(ge=1, le=500)] = 100) -> DeliveryPage:
    """With attempts, the last status and why it did not arrive; newest first, without the bodies."""
    found = desk.store.deliveries(hook.id, limit)
    return DeliveryPage(rows=[DeliveryRow.model_validate(_plain(one)) for one in found])


def _row(hook: Webhook) -> WebhookRow:
    return WebhookRow.model_validate(
        {name: getattr(hook, name) for name in WebhookRow.model_fields if name != "events"}
        | {"events": list(hook.events)}
    )


def _plain(delivery: object) -> dict[str, object]:
    return {name: getattr(delivery, name) for name in DeliveryRow.model_fields}
