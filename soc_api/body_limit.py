"""A limit on request bodies, counted as they arrive: what a header says of their length proves nothing."""

from collections.abc import Mapping
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_BYTES_MAX: Final = 1024 * 1024  # uploads apart, the largest is a reason of 2,000 characters


class BodyLimit:
    """ASGI middleware: a body over the limit stops being read, and the answer is 413."""

    def __init__(
        self, app: ASGIApp, bytes_max: int = BODY_BYTES_MAX, larger: Mapping[str, int] | None = None
    ) -> None:
        """``larger`` names the paths that take more, with how much."""
        self._app = app
        self._bytes_max = bytes_max
        self._larger = larger or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; the body is counted on its way."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        taken, bytes_max = 0, self._larger.get(scope["path"], self._bytes_max)

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > bytes_max:
                raise HTTPException(413)
            return message

        await self._app(scope, counted, send)
