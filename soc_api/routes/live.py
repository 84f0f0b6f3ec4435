"""The live stream of changes, as server-sent events."""

from typing import Any, Final

from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from soc_api.bodies import Problem
from soc_api.context import Topic
from soc_api.permissions import Permission, allows
from soc_api.routes.guard import Here, Visitor, needs, people_here, router
from soc_api.stream import Live

live = router("center")

# Who may not read a page learns not even that it changed.
TOPICS: Final[dict[Topic, Permission]] = {
    "alerts": "alerts.read",
    "exceptions": "alerts.read",
    "incidents": "incidents.read",
    "checks": "checks.read",
    "sensors": "sensors.read",
    "evidence": "evidence.read",
    "reports": "reports.read",
    "transfers": "transfers.read",
    "rules": "rules.read",
    "orders": "checks.read",
    "registry": "registry.read",
    "accounts": "accounts.read",
    "tokens": "tokens.read",
}
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
        "description": 'event: <topic>, data: {"revision": n}; a comment every 15 s',
    },
    429: {"model": Problem, "description": "Too many streams are open"},
}


@live.get(
    "/stream",
    summary="What changes, as it changes",
    response_class=StreamingResponse,
    responses=_RESPONSES,
    openapi_extra=needs("stream.read"),
)
async def stream(request: Request, center: Here, visit: Visitor) -> StreamingResponse:
    """One event per changed topic; the client fetches again. Listening keeps no session from idling."""
    source: Live = request.app.state.live
    source.refuse_full(visit.token_digest)
    role = visit.account.role
    topics = frozenset(
        topic for topic, permission in TOPICS.items() if allows(role, permission) and visit.holds(permission)
    )

    async def alive() -> bool:
        return await run_in_threadpool(people_here(center).alive, visit, center.clock())

    return StreamingResponse(
        source.lines(visit.token_digest, topics, alive),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )
