"""The spool step by step, in one thread: what each call leaves on disk and in the buffer."""

import json
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crypto.words import LiuheError, Words
from sensors import spool_core
from sensors.event import LogSource, Observation
from sensors.segment_log import SegmentLog
from sensors.segment_seal import NO_KEYS, Keys
from sensors.spool_core import SpoolCore
from sensors.wire import batch_lines

NOW = datetime(2026, 3, 1, tzinfo=UTC)
QUOTA = {"alerts": 8 << 20, "flows": 8 << 20, "bulk": 8 << 20}


def seen(n: int, lane: str = "bulk", size: int = 0) -> Observation:
    fields: dict[str, Any] = {"n": n, "pad": "x" * size}
    return Observation(time=NOW, logsource=LogSource(product="linux"), fields=fields, lane=lane)


def opened(
    folder: Path,
    *,
    quota: dict[str, int] = QUOTA,
    ages: dict[str, float] | None = None,
    keys: Keys = NO_KEYS,
    now: Callable[[], datetime] = lambda: NOW,
    monotonic: Callable[[], float] = lambda: 0.0,
) -> SpoolCore:
    return SpoolCore(
        folder,
        sensor="web01",
        unit="u",
        quota_bytes=quota,
        age_seconds=ages,
        keys=keys,
        now=now,
        monotonic=monotonic,
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


def gaps(core: SpoolCore) -> list[dict[str, Any]]:
    found = []
    while batch := core.batch():
        found += [json.loads(line)["fields"] for line in batch_lines(batch)]
    return [one for one in found if one.get("event.dataset") == "liuhe.gap"]


def test_a_drop_is_recorded_first_and_done_again_after_a_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = opened(tmp_path, quota={**QUOTA, "bulk": 256 * 1024})

    def crash(log: SegmentLog, upto: int) -> int:
        raise LiuheError("log-write-failed", Words("", ""), Words("", ""))

    with monkeypatch.context() as patch:
        patch.setattr(SegmentLog, "release", crash)
        for n in range(1000):
            core.take(seen(n, size=1000))
            with suppress(LiuheError):
                core.commit()
            if core.trouble is not None:
                break
    stored = core.backlog()["bulk"]
    core._close_lanes()
    again = opened(tmp_path, quota={**QUOTA, "bulk": 256 * 1024})
    lost = stored - again.backlog()["bulk"]
    assert lost > 0
    again.commit()
    (record,) = gaps(again)
    assert (record["gov.gap.first"], record["gov.gap.last"]) == (1, lost)
    again.close()
    once = opened(tmp_path)
    assert len(gaps(once)) == 1
    once.close()


def test_alerts_take_room_from_bulk_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    core = opened(tmp_path, quota={**QUOTA, "bulk": 1 << 20})
    for n in range(600):
        core.take(seen(n, size=1000))
        core.commit()
    real, full = os.fdatasync, [True]

    def sync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if path.suffix == ".seg" and full[0]:
            raise OSError(28, "No space left on device")
        real(descriptor)

    def release(log: SegmentLog, upto: int) -> int:
        full[0] = False
        return really(log, upto)

    really = SegmentLog.release
    monkeypatch.setattr(os, "fdatasync", sync)
    core.take(seen(1000, size=10))
    with pytest.raises(LiuheError):
        core.commit()
    assert core.waiting == 1
    monkeypatch.setattr(SegmentLog, "release", release)
    core.take(seen(1001, "alerts"))
    core.commit()
    assert core.drops["disk-full"] > 0
    core.commit()
    assert [one["gov.gap.reason"] for one in gaps(core)] == ["disk-full"]
    core.close()


def test_old_events_are_dropped_by_the_steady_clock_only(tmp_path: Path) -> None:
    clock = [0.0]
    wall = [NOW]
    core = opened(tmp_path, ages={"bulk": 80.0}, monotonic=lambda: clock[0], now=lambda: wall[0])
    core.take(seen(1))
    core.commit()
    wall[0] += timedelta(days=400)
    core.take(seen(2))
    core.commit()
    clock[0] = 50.0
    core.take(seen(3))
    core.commit()
    core.take(seen(4))
    core.commit()
    assert core.backlog()["bulk"] == 4
    clock[0] = 140.0
    core.take(seen(5, "alerts"))
    core.commit()
    core.commit()
    assert core.drops == {"age": 3}
    (gap,) = gaps(core)
    assert (gap["gov.gap.first"], gap["gov.gap.last"], gap["gov.gap.reason"]) == (1, 3, "age")
    core.close()


def test_a_lost_end_of_a_lane_is_a_gap(tmp_path: Path) -> None:
    core = opened(tmp_path)
    for n in range(5):
        core.take(seen(n))
    core.commit()
    core.close()
    (segment,) = (tmp_path / "bulk").glob("*.seg")
    segment.unlink()
    again = opened(tmp_path)
    again.take(seen(9))
    again.commit()
    (gap,) = gaps(again)
    assert (gap["gov.gap.first"], gap["gov.gap.last"], gap["gov.gap.reason"]) == (1, 5, "damaged")
    again.rewind()
    sent = [(batch.lane, batch.first) for batch in iter(again.batch, None)]
    assert ("bulk", 6) in sent
    again.close()


def test_a_gap_record_lost_on_its_way_comes_again(tmp_path: Path) -> None:
    core = opened(tmp_path)
    for n in range(3):
        core.take(seen(n))
        core.commit()
    core.close()
    (segment,) = (tmp_path / "bulk").glob("*.seg")
    blob = bytearray(segment.read_bytes())
    blob[blob.index(b'"n":1')] ^= 1
    segment.write_bytes(blob)
    core = opened(tmp_path)
    assert gaps(core) == []
    core.commit()
    core.take(seen(7, "alerts"))
    core.commit()
    core.close()
    segments = sorted((tmp_path / "alerts").glob("*.seg"))
    blob = bytearray(segments[0].read_bytes())
    blob[blob.index(b"gov.gap.first")] ^= 1
    segments[0].write_bytes(blob)
    core = opened(tmp_path)
    for _ in range(3):
        gaps(core)
        core.commit()
    core.rewind()
    assert sorted((one["gov.gap.lane"], one["gov.gap.first"]) for one in gaps(core)) == [
        ("alerts", 1),
        ("bulk", 2),
    ]
    core.close()


@pytest.mark.parametrize("keys", [NO_KEYS, Keys([bytes(16)], sealing=True)])
def test_what_waits_is_packed_and_still_comes_out_in_order(
    tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool_core, "PACK_BEHIND", 1)
    core = opened(tmp_path, quota={**QUOTA, "bulk": 2 << 20}, keys=keys)
    for n in range(900):
        core.take(seen(n, size=1000))
        core.commit()
    before = core.bytes_by_lane()["bulk"]
    first = core.batch()
    while core.pack():
        continue
    assert core.bytes_by_lane()["bulk"] < before * 0.7
    core.commit()
    assert first is not None
    numbers = [json.loads(line)["fields"]["n"] for line in batch_lines(first)]
    while batch := core.batch():
        numbers += [json.loads(line)["fields"]["n"] for line in batch_lines(batch)]
    assert numbers == list(range(900))
    core.close()
    again = opened(tmp_path, keys=keys)
    numbers = []
    while batch := again.batch():
        numbers += [json.loads(line)["fields"]["n"] for line in batch_lines(batch)]
    assert numbers == list(range(900))
    assert again.crowded("bulk") is False
    again.close()
