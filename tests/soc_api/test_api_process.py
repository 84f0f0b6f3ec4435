"""The api process: one console port, audit lines as leaves, a stop that lets everything come to rest."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fastapi import FastAPI

from crypto.words import LiuheError
from soc_api import api_process
from soc_api.audit import entry
from soc_api.context import Center
from soc_api.settings import Console, Endpoint

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, action in before.items():
        signal.signal(number, action)


def served(monkeypatch: pytest.MonkeyPatch, asked: threading.Event) -> int:
    """Serve an empty application until a signal; the port."""
    app = FastAPI()
    app.state.live = SimpleNamespace(ends_when=lambda _: None)
    monkeypatch.setattr(api_process, "create_app", lambda _, base_path: app)
    listener = api_process._bound(Endpoint(port=unused()))
    try:
        api_process._serve(cast("Center", None), Console(), [listener], asked)
    finally:
        listener.close()
    return 0


def unused() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_returns_so_that_the_rest_can_end(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    asked = threading.Event()
    api_process._on_stop(asked.set)  # as run_api does first
    killer = threading.Timer(0.3, os.kill, (os.getpid(), number))
    killer.start()
    assert served(monkeypatch, asked) == 0
    killer.join()


def test_a_stop_that_came_before_the_server_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()
    api_process._on_stop(asked.set)
    os.kill(os.getpid(), signal.SIGTERM)
    deadline = time.monotonic() + 2
    while not asked.is_set() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert served(monkeypatch, asked) == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_port_is_bound_once(host: str) -> None:
    try:
        first = api_process._bound(Endpoint(host=host, port=unused()))
    except LiuheError:
        pytest.skip(f"this machine has no {host}")
    with first:
        endpoint = Endpoint(host=host, port=first.getsockname()[1])
        with pytest.raises(LiuheError, match="port-in-use"):
            api_process._bound(endpoint)
    with pytest.raises(LiuheError, match="port-in-use"):
        api_process._bound(Endpoint(host="203.0.113.1", port=endpoint.port))


def test_audit_lines_become_leaves_whatever_a_visitor_wrote(world: Any) -> None:
    hostile = ["user:a\x00\x1b[31m\n", "user:" + "长" * 500, "user:\u2028\ud800", "user:"]
    for actor in hostile:
        said = entry(time=NOW, actor=actor, source="192.0.2.1", action="session.login", about="x" * 900)
        world.audit.record(said)
    feed = api_process.audit_feed(world.audit)
    items = feed(0)
    assert [number for number, _ in items] == [1, 2, 3, 4]
    leaves = world.ledger.append([evidence for _, evidence in items], NOW)
    record = world.ledger.record(leaves[0])
    assert (record.kind, record.subject, record.summary) == ("audit", "audit:1", "session.login ok")
    assert world.ledger.payload_of(record).decode() == world.audit.since(0)[0].digest
    assert [number for number, _ in feed(2)] == [3, 4]
    assert feed(4) == []
