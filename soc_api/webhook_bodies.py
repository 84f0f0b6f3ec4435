"""Bodies of webhooks."""

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from soc_api.bodies import Body

EventName = Literal["alerts", "incidents", "notices", "orders"]


class WebhookOrder(Body):
    """POST /api/v1/webhooks; ``unit`` '' for one's own.

    ``query`` as in the queue's bar for alerts; for the others over the fields that are sent of them.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "省级态势平台",
                    "url": "https://siem.example/liuhe",
                    "events": ["alerts"],
                    "query": "severity:high",
                    "unit": "",
                }
            ]
        },
    )

    name: str = Field(min_length=1, max_length=64)
    url: str = Field(min_length=8, max_length=512)
    events: list[EventName] = Field(min_length=1, max_length=4)
    query: str = Field(default="", max_length=500)
    unit: str = Field(default="", max_length=128)


class WebhookRow(Body):
    """A subscription without its secret."""

    id: int
    name: str
    url: str
    events: list[str]
    query: str
    unit: str
    made: datetime
    made_by: str
    ended: datetime | None


class WebhookPage(Body):
    """GET /api/v1/webhooks."""

    rows: list[WebhookRow]


class MadeWebhook(Body):
    """A new subscription; ``secret`` is shown once."""

    webhook: WebhookRow
    secret: str


class DeliveryRow(Body):
    """Something sent, or to be sent; ``due`` is the next attempt while it waits."""

    id: int
    event: str
    about: str
    made: datetime
    state: Literal["waiting", "delivered", "given-up"]
    attempts: int
    due: datetime
    status: int
    problem: str


class DeliveryPage(Body):
    """GET /api/v1/webhooks/{hook}/deliveries, newest first."""

    rows: list[DeliveryRow]
