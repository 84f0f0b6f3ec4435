"""Tests of the stream route."""

from collections.abc import Callable
from typing import Any, get_args

import anyio
import pytest

from soc_api import stream as module
from soc_api.context import Topic
from soc_api.routes.live import TOPICS


async def until(done: Callable[[], bool]) -> None:
    with anyio.fail_after(5):
        while not done():  # noqa: ASYNC110 -- what is awaited happens in the code under test
            await anyio.sleep(0.01)


def test_the_route_streams_what_the_role_may_see_until_logout(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SESSION_CHECK_SECONDS", 0.05)
    client = world.signed_in("analyst")
    cookie = f"liuhe_session={client.http.cookies['liuhe_session']}".encode()
    sent: list[dict[str, Any]] = []

    async def listen() -> None:
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/api/v1/stream",
            "raw_path": b"/api/v1/stream",
            "query_string": b"",
            "headers": [(b"cookie", cookie)],
            "client": ("192.0.2.7", 1),
            "server": ("center", 80),
            "scheme": "http",
            "http_version": "1.1",
            "root_path": "",
        }

        async def receive() -> dict[str, Any]:
            await anyio.sleep_forever()
            raise AssertionError

        async def send(message: Any) -> None:
            sent.append(message)

        await world.app(scope, receive, send)

    def text() -> str:
        return b"".join(message.get("body", b"") for message in sent).decode()

    future = world.portal.start_task_soon(listen)
    anyio.run(until, lambda: ": open" in text())
    anyio.run(until, lambda: "event: evidence" in text())
    before = text().count("event: alerts")
    world.raise_alert()
    anyio.run(until, lambda: text().count("event: alerts") > before)
    assert before == 1
    assert client("DELETE", "/session").status_code == 204
    future.result(timeout=5)
    headers = dict(sent[0]["headers"])
    assert headers[b"content-type"].startswith(b"text/event-stream")
    assert headers[b"cache-control"] == b"no-store"
    assert sent[-1]["more_body"] is False


def test_every_topic_is_told_to_those_who_may_read_its_page() -> None:
    assert set(TOPICS) == set(get_args(Topic))
