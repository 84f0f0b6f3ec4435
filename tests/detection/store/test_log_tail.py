"""The unsealed log: frames are summarised once and read again only when wanted."""

from datetime import timedelta
from typing import Any

import pytest

from detection.store import log_tail
from detection.store.log_tail import LogTail


def test_summaries_follow_the_log_and_forget_what_is_sealed(
    center: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tail = LogTail(center.folder / "log")
    assert tail.summaries(0) == []
    center.receive(3)
    center.frame([b"not an event"], 4)
    center.sent = 4
    center.receive(2)
    decoded: list[bytes] = []
    real = log_tail.frame_events
    monkeypatch.setattr(log_tail, "frame_events", lambda payload: decoded.append(payload) or real(payload))
    first, second = tail.summaries(0)
    assert [(known.sequence, known.events) for known in (first, second)] == [(1, 3), (3, 2)]
    assert first.time_max - first.time_min == timedelta(seconds=2)
    assert tail.summaries(1) == [second]
    assert len(decoded) == 3
    assert [event.fields["n"] for event in tail.frame_events(3)] == [5, 6]
    assert list(tail.frame_events(2)) == []
    assert [event.fields["n"] for event in tail.events(0)] == [1, 2, 3, 5, 6]
