"""Tests of soc_api.queue_rounds: what breaks once does not end the work for good."""

import threading
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

import pytest

from soc_api import queue_rounds
from soc_api.context import Center


class _Acts:
    """Breaks twice in the same way, then stops the thread."""

    def __init__(self, stop: threading.Event) -> None:
        self.turns, self._stop = 0, stop

    def work(self, _now: datetime) -> bool:
        self.turns += 1
        if self.turns <= 2:
            raise ValueError("no such column")
        self._stop.set()
        return False


def test_a_broken_turn_is_said_once_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(queue_rounds, "WORK_SECONDS", 0.0)
    stop = threading.Event()
    acts = _Acts(stop)
    queue = SimpleNamespace(acts=acts, age=lambda _now: 0)
    center = cast("Center", SimpleNamespace(queue=queue, clock=lambda: datetime(2026, 11, 22, tzinfo=UTC)))
    queue_rounds.work(center, stop)
    assert acts.turns == 3
    assert [record.getMessage() for record in caplog.records] == ["acts on alerts wait: no such column"]
