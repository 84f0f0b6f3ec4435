"""Tests of soc_api.base_path: one answer whether a proxy cuts the base off or not."""

from typing import Any

import anyio
import pytest
from starlette.types import Receive, Scope, Send

from soc_api.base_path import BasePath
from soc_api.static_console import StaticConsole


@pytest.mark.parametrize(
    ("asked", "seen"),
    [
        ("/anquan/api/v1/health", "/api/v1/health"),
        ("/api/v1/health", "/api/v1/health"),
        ("/anquan", "/"),
        ("/anquan/", "/"),
        ("/anquanlian/x", "/anquanlian/x"),
    ],
)
def test_the_base_is_taken_off_once(asked: str, seen: str) -> None:
    paths: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert "raw_path" not in scope or scope["raw_path"] == scope["path"].encode()
        paths.append(scope["path"])

    async def nothing(*_: Any) -> Any:
        return {}

    scope = {"type": "http", "path": asked, "raw_path": asked.encode()}
    for base in ("/anquan", ""):
        anyio.run(BasePath(app, base), dict(scope), nothing, nothing)
    assert paths == [seen, asked]


def test_the_first_page_names_the_base(tmp_path: Any) -> None:
    from starlette.requests import Request

    (tmp_path / "index.html").write_text('<head><base href="/" /></head>', encoding="utf-8")
    page = StaticConsole(tmp_path, "/anquan").answer(
        Request({"type": "http", "path": "/alerts", "headers": [], "server": ("h", 1), "scheme": "http"})
    )
    assert page.body == b'<head><base href="/anquan/" /></head>'
