"""The remote support channel: asked for with a ticket, opened by another person, closed by time or hand."""

from typing import Final

from soc_api.change_bodies import ConfigurationChange
from soc_api.context import Center
from soc_api.evidence_scope import need_center
from soc_api.routes.changes import desk_of
from soc_api.routes.guard import Here, Visitor, conflicts, needs, router
from soc_api.routes.recorded import recorded
from soc_api.support_bodies import SupportOrder, SupportState
from soc_api.support_channel import SupportChannel, absent

support = router("changes")

_REFUSES: Final = conflicts("There is no channel, or it is open already")


def _channel(center: Center) -> SupportChannel:
    """The channel. Raises Refused (support-absent)."""
    if center.support is None:
        raise absent()
    return center.support


@support.get(
    "/support",
    summary="The support channel",
    response_model=SupportState,
    openapi_extra=needs("support.ask"),
)
def state(center: Here) -> SupportState:
    """Closed, unless a ticket holds it open."""
    return _state(center)


@support.post(
    "/support",
    summary="Ask for the support channel",
    response_model=ConfigurationChange,
    status_code=201,
    responses=_REFUSES,
    openapi_extra=needs("support.ask"),
)
def ask(body: SupportOrder, center: Here, visit: Visitor) -> ConfigurationChange:
    """It opens nothing until another person confirms the change."""
    need_center(center, visit)
    _channel(center)
    with recorded(center, visit, "support.ask", f"ticket:{body.ticket} {body.hours} h: {body.reason}"):
        asked = desk_of(center).store.add(
            "support",
            f"ticket:{body.ticket}",
            {"open": False},
            {"open": True, "hours": body.hours},
            reason=body.reason,
            author=visit.actor,
            now=center.clock(),
            state="waiting",
        )
    return ConfigurationChange.model_validate(asked, from_attributes=True)


@support.post(
    "/support/close",
    summary="Close the support channel",
    response_model=SupportState,
    responses=_REFUSES,
    openapi_extra=needs("support.ask"),
)
def close(center: Here, visit: Visitor) -> SupportState:
    """With everything that goes through it; the port is looked at afterwards."""
    need_center(center, visit)
    channel = _channel(center)
    with recorded(center, visit, "support.end", "support"):
        channel.close("by hand")
    return _state(center)


def _state(center: Center) -> SupportState:
    channel = center.support
    held = channel.opening if channel is not None else None
    return SupportState(
        port=channel.port if channel is not None else 0,
        open=held is not None,
        ticket=held.ticket if held is not None else "",
        until=held.until if held is not None else None,
    )
