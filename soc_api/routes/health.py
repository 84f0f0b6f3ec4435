"""Whether the center answers, for those who watch it from outside; and the description of the API itself."""

from typing import Any, Literal

from fastapi import Request

from soc_api.bodies import Body
from soc_api.routes.guard import Here, Visitor, needs, router

health = router("center")


class Health(Body):
    """GET /api/v1/health: nothing that helps an attacker, not even a version."""

    status: Literal["ok"]


@health.get("/health", summary="Whether the center answers", response_model=Health, openapi_extra=needs(None))
def state(center: Here) -> Health:
    """ok where the state database can be read; 503 otherwise."""
    center.alerts.revision()
    return Health(status="ok")


@health.get("/openapi.json", summary="This description", openapi_extra=needs("api.describe"))
def described(request: Request, _visit: Visitor) -> dict[str, Any]:
    """The OpenAPI document of this center."""
    document: dict[str, Any] = request.app.openapi()
    return document
