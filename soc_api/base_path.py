"""The console below a path of its own: behind a proxy that serves several things under one name.

A proxy may pass the path on whole or cut the base off: both arrive at the same routes.
"""

from starlette.types import ASGIApp, Receive, Scope, Send


class BasePath:
    """ASGI application around ``app`` that takes ``base`` ("" or "/one/or/more") off each path."""

    def __init__(self, app: ASGIApp, base: str) -> None:
        self._app = app
        self._base = base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, shortened where it begins with the base."""
        path = scope.get("path", "")
        if (
            self._base
            and scope["type"] == "http"
            and (path == self._base or path.startswith(f"{self._base}/"))
        ):
            # raw_path is left out: routing reads path, and two spellings of one request would be a trap.
            scope = {**scope, "path": path[len(self._base) :] or "/"}
            scope.pop("raw_path", None)
        await self._app(scope, receive, send)
