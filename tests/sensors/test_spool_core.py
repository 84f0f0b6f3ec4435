"""The spool step by step, in one thread: what each call leaves on disk and in the buffer."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto.words import LiuheError
from sensors.event import LogSource, Observation
from sensors.spool_core import SpoolCore
from sensors.wire import batch_lines

NOW = datetime(2026, 3, 1, tzinfo=UTC)
QUOTA = {"alerts": 8 << 20, "flows": 8 << 20, "bulk": 8 << 20}


def seen(n: int, lane: str = "bulk") -> Observation:
    return Observation(time=NOW, logsource=LogSource(product="linux"), fields={"n": n}, lane=lane)


def opened(folder: Path) -> SpoolCore:
    return SpoolCore(
        folder, sensor="web01", unit="u", quota_bytes=QUOTA, now=lambda: NOW, monotonic=lambda: 0.0
    )


def test_nothing_is_sent_before_it_is_durable(tmp_path: Path) -> None:
    core = opened(tmp_path)
    assert not core.commit()
    core.take(seen(1))
    core.take(seen(2, "alerts"))
    assert (core.waiting, core.taken_count, core.committed_count) == (2, 2, 0)
    assert core.batch() is None
    assert core.commit()
    assert (core.waiting, core.buffer_bytes, core.committed_count) == (0, 0, 2)
    found = [core.batch(), core.batch(), core.batch()]
    assert [one and (one.lane, len(batch_lines(one))) for one in found] == [("alerts", 1), ("bulk", 1), None]
    core.close()


def test_a_failed_commit_says_why_and_keeps_the_buffer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = opened(tmp_path)
    core.take(seen(1))

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", full)
        with pytest.raises(LiuheError):
            core.commit()
    said = [core.trouble]
    assert core.waiting == 1
    assert core.commit()
    said.append(core.trouble)
    assert [one is None for one in said] == [False, True]
    assert core.backlog()["bulk"] == 1
    core.close()
