"""Whether the center answers, for those who watch it from outside; and the description of the API itself."""

from typing import Any, Literal

from fastapi import Request

from crypto.words import LiuheError, Words
from soc_api.bodies import Body
from soc_api.routes.guard import Here, Visitor, needs, router

health = router("center")


class Health(Body):
    """GET /api/v1/health: nothing that helps an attacker, not even a version."""

    status: Literal["ok"]


@health.get("/health", summary="Whether the center answers", response_model=Health, openapi_extra=needs(None))
def state(center: Here) -> Health:
    """ok where the state database can be read and acts can be audited; 503 otherwise."""
    center.alerts.revision()
    if center.audit.refusals() is not None:
        raise LiuheError(
            "audit-refusing",
            Words("审计写不进去,需审计的操作被拒绝", "acts are refused because they cannot be audited"),
            Words("请检查数据目录所在磁盘", "check the disk with the data folder"),
        )
    return Health(status="ok")


@health.get("/openapi.json", summary="This description", openapi_extra=needs("api.describe"))
def described(request: Request, _visit: Visitor) -> dict[str, Any]:
    """The OpenAPI document of this center."""
    document: dict[str, Any] = request.app.openapi()
    return document
