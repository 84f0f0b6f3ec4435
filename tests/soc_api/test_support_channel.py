"""P-30: remote support is closed, opened by a ticket and another person, recorded, and closed again."""

import dataclasses
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fastapi import Request

from soc_api.change_opening import open_changes
from soc_api.routes.guard import source_of
from soc_api.support_channel import SupportChannel, answers

TICKET = {"ticket": "WX-118", "reason": "厂商排查采集中断", "hours": 2}


@pytest.fixture(name="console")
def _console() -> Iterator[tuple[str, int]]:
    """Something that answers each connection by what it was sent."""
    listener = socket.create_server(("127.0.0.1", 0))

    def echo() -> None:
        while True:
            try:
                one, _ = listener.accept()
            except OSError:
                return
            one.sendall(one.recv(100))
            one.close()

    threading.Thread(target=echo, daemon=True).start()
    yield listener.getsockname()
    listener.close()


def test_p30_the_channel_opens_by_ticket_and_second_person_and_closes_by_time(
    world: Any, console: tuple[str, int]
) -> None:
    told: list[tuple[str, str, str]] = []
    channel = SupportChannel(("127.0.0.1", 0), console, lambda *line: told.append(line))
    changes = open_changes(world.engine, world.audit, world.rules, world.enforcement, channel)
    world.app.state.center = dataclasses.replace(world.center, support=channel, changes=changes)
    admin, other = world.signed_in("system_admin"), world.signed_in("security_admin")
    assert not admin("GET", "/support").json()["open"]
    number = admin("POST", "/support", json=TICKET).json()["id"]
    assert not told
    assert (
        admin("POST", f"/changes/{number}/decide", json={"approve": True, "note": "可以"}).status_code == 403
    )
    other("POST", f"/changes/{number}/decide", json={"approve": True, "note": "可以"})
    state = admin("GET", "/support").json()
    assert (state["open"], state["ticket"]) == (True, "WX-118")
    address = ("127.0.0.1", channel.port)
    with socket.create_connection(address, timeout=10) as caller:
        caller.sendall(b"hello")
        assert caller.recv(100) == b"hello"
    channel.beat(world.now + timedelta(hours=1))
    assert answers(address)
    channel.beat(world.now + timedelta(hours=2))
    assert not answers(address)
    end = time.monotonic() + 30
    while len({line[0] for line in told}) < 4 and time.monotonic() < end:
        time.sleep(0.02)
    said = {action: result for action, _, result in told}
    assert set(said) == {"support.open", "support.connect", "support.disconnect", "support.close"}
    assert said["support.close"] == "checked closed"
    assert any("5 bytes in, 5 out" in about for _, about, _ in told)


def test_a_connection_counts_as_its_callers_not_as_local(world: Any) -> None:
    """Else an allow-list of management addresses that names the machine itself would let support in."""
    seen: list[tuple[str, int]] = []
    listener = socket.create_server(("127.0.0.1", 0))
    channel = SupportChannel(("127.0.0.1", 0), listener.getsockname(), lambda *_: None)
    world.app.state.center = dataclasses.replace(world.center, support=channel)
    channel.open("WX-119", world.now + timedelta(hours=1))
    with socket.socket() as caller:
        caller.bind(("127.0.0.9", 0))
        caller.connect(("127.0.0.1", channel.port))
        caller.sendall(b"x")
        passed, address = listener.accept()
        assert passed.recv(1) == b"x"
        seen.append(address)
        request = SimpleNamespace(client=SimpleNamespace(host=address[0], port=address[1]), app=world.app)
        assert source_of(cast("Request", request)) == "127.0.0.9"
        passed.close()
    end = time.monotonic() + 10
    while channel.caller(seen[0]) is not None and time.monotonic() < end:
        time.sleep(0.01)
    assert channel.caller(seen[0]) is None  # the same numbers may come from elsewhere later
    channel.close("done")
    listener.close()
