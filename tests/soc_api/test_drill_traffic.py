"""Conversations of the drill, held for real on the loopback, and what the special detectors say of frames."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from soc_api import drill_frames, drill_traffic

MARK = "0a1b2c3d"


@pytest.fixture
def threads() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """(own address, server's address) of every connection made."""
    made: list[tuple[str, str]] = []
    real = drill_traffic._connected

    def watched(source: str, address: tuple[str, int]) -> Any:
        client = real(source, address)
        made.append((client.getsockname()[0], client.getpeername()[0]))
        return client

    monkeypatch.setattr(drill_traffic, "_connected", watched)
    return made


@pytest.mark.usefixtures("threads")
def test_every_conversation_stays_on_the_loopback_and_ends(clients: list[tuple[str, str]]) -> None:
    here = drill_frames.here(MARK)
    acts: list[tuple[Callable[[str], None], int]] = [
        (drill_traffic.guessing, 6),
        (partial(drill_traffic.guessing, users=3), 6),
        (partial(drill_traffic.guessing, right_at_last=True), 7),
        (drill_traffic.shared_password, 5),
        (drill_traffic.fall_back, 7),
        (drill_traffic.weak, 1),
        (drill_traffic.many_machines, 4),
    ]
    for act, count in acts:
        clients.clear()
        act(MARK)
        assert clients == [(here, "127.0.0.1")] * count


def test_names_are_new_long_and_end_in_invalid() -> None:
    asked: list[tuple[str, int]] = []

    def send(questions: list[tuple[str, int]], source: str) -> None:
        assert source == drill_frames.here(MARK)
        asked.extend(questions)

    drill_traffic.tunnel(MARK, send)
    drill_traffic.generated(MARK, send)
    names = [name for name, _ in asked]
    assert len(set(names)) == drill_traffic.TUNNEL_NAMES + drill_traffic.NAMES
    assert all(name.endswith(".invalid") and len(name.split(".")[0]) >= 16 for name in names)


def test_frames_are_bounded_and_told_apart_by_the_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[list[bytes]] = []
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr(drill_frames, "send", lambda frames, every_seconds=0.0: sent.append(list(frames)))
    for act in (
        drill_traffic.sweep,
        drill_traffic.foreign_address,
        drill_traffic.address_fight,
        drill_traffic.canary,
        drill_traffic.beacon,
        drill_traffic.slow_scan,
    ):
        sent.clear()
        act(MARK)
        assert 0 < sum(map(len, sent)) < 400
    sent.clear()
    monkeypatch.setattr(drill_traffic, "UPLOAD_BYTES", 600_000)
    drill_traffic.upload(MARK)
    assert len(sent[0]) == 7 + 600_000 // 60_000
