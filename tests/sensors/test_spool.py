"""What is put comes out once, in order, lanes by priority; what does not fit is covered by a gap record."""

import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crypto.words import LiuheError
from sensors.event import LogSource, Observation, sequence_of
from sensors.messages import LANE_SHIFT, Batch
from sensors.spool import Spool
from sensors.wire import batch_lines

NOW = datetime(2026, 3, 1, tzinfo=UTC)
QUOTA = {"alerts": 8 << 20, "flows": 8 << 20, "bulk": 8 << 20}


def seen(n: int, lane: str = "bulk", size: int = 10) -> Observation:
    fields: dict[str, Any] = {"event.dataset": "test", "n": n, "pad": "x" * size}
    return Observation(
        time=NOW + timedelta(seconds=n), logsource=LogSource(product="linux"), fields=fields, lane=lane
    )


def opened(folder: Path, quota: dict[str, int] = QUOTA) -> Spool:
    return Spool(folder, sensor="web01", unit="u", quota_bytes=quota, now=lambda: NOW)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = opened(tmp_path)
    yield made
    made.close()


def _bytes(folder: Path) -> int:
    total = 0
    for path in folder.glob("*.seg"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total


def drain(spool: Spool) -> list[tuple[Batch, list[dict[str, Any]]]]:
    found = []
    while batch := spool.batch():
        found.append((batch, [json.loads(line) for line in batch_lines(batch)]))
    return found


def test_lanes_go_by_priority_and_ids_are_unique(spool: Spool) -> None:
    spool.put([seen(1), seen(2, "flows"), seen(3, "alerts"), seen(4), seen(5, "unheard-of")], wait=True)
    found = drain(spool)
    assert [(batch.lane, batch.first, batch.count) for batch, _ in found] == [
        ("alerts", 1, 1),
        ("flows", 1, 1),
        ("bulk", 1, 3),
    ]
    ids = [event["id"] for _, events in found for event in events]
    assert len(set(ids)) == 5
    assert {sequence_of(one)[0] for one in ids} == {spool.epoch}
    assert [sequence_of(one)[1] for one in ids[2:]] == [3 << LANE_SHIFT | n for n in (1, 2, 3)]
    assert spool.backlog() == {"alerts": 1, "flows": 1, "bulk": 3}


def test_what_is_urgent_is_the_first_lane_alone(spool: Spool) -> None:
    spool.put([seen(1), seen(2, "flows"), seen(3, "alerts")], wait=True)
    urgent = spool.batch(urgent=True)
    assert urgent is not None
    assert (urgent.lane, spool.batch(urgent=True)) == ("alerts", None)
    assert [batch.lane for batch, _ in drain(spool)] == ["flows", "bulk"]


def test_unacknowledged_events_come_again_after_rewind_and_restart(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.put([seen(n) for n in range(10)], wait=True)
    first = spool.batch()
    assert first is not None
    spool.rewind()
    assert spool.batch() == first
    spool.acked("bulk", 4)
    spool.acked("bulk", 99)  # never beyond what was sent
    spool.put([seen(10)], wait=True)
    spool.close()
    again = opened(tmp_path)
    again.put([seen(11)], wait=True)
    found = drain(again)
    assert [[event["fields"]["n"] for event in events] for _, events in found] == [[10], [11]]
    assert [batch.epoch for batch, _ in found] == [spool.epoch, again.epoch]
    assert again.epoch > spool.epoch
    again.close()


def test_a_second_sensor_on_the_same_folder_is_refused(spool: Spool, tmp_path: Path) -> None:
    with pytest.raises(LiuheError) as caught:
        opened(tmp_path)
    assert caught.value.code == "log-in-use"


def test_stored_and_gaps_together_are_everything_that_was_put(tmp_path: Path) -> None:
    spool = opened(tmp_path, QUOTA | {"bulk": 512 * 1024, "alerts": 512 * 1024})
    for start in range(0, 4000, 100):
        spool.put([seen(n, size=500) for n in range(start, start + 100)], wait=True)
        spool.put([seen(start, "alerts", size=30_000)], wait=True)
    end = time.monotonic() + 60
    while any(_bytes(tmp_path / lane) > 512 * 1024 for lane in ("bulk", "alerts")):
        assert time.monotonic() < end  # the gap record is durable first, then the segment goes
        time.sleep(0.02)
    found = drain(spool)
    spool.close()
    for lane in ("bulk", "alerts"):
        stored = {n for batch, _ in found if batch.lane == lane for n in range(batch.first, batch.last + 1)}
        gaps = [
            event["fields"]
            for _, events in found
            for event in events
            if event["fields"]["event.dataset"] == "liuhe.gap" and event["fields"]["gov.gap.lane"] == lane
        ]
        covered = {n for gap in gaps for n in range(gap["gov.gap.first"], gap["gov.gap.last"] + 1)}
        assert covered
        assert stored | covered == set(range(1, max(stored) + 1))
        assert not stored & covered
        assert sum(gap["gov.gap.count"] for gap in gaps) == len(covered)
    assert all(gap["gov.gap.reason"] == "quota" and gap["gov.gap.from"] < gap["gov.gap.to"] for gap in gaps)


def test_a_damaged_event_becomes_a_gap_record(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.put([seen(n) for n in range(5)], wait=True)
    (segment,) = (tmp_path / "bulk").glob("*.seg")
    blob = bytearray(segment.read_bytes())
    blob[blob.index(b'"n":2')] ^= 1
    segment.write_bytes(blob)
    found = drain(spool)
    spool.flush(5)
    found += drain(spool)
    spool.close()
    assert [(batch.lane, batch.first, batch.last) for batch, _ in found] == [
        ("bulk", 1, 2),
        ("bulk", 4, 5),
        ("alerts", 1, 1),
    ]
    gap = found[-1][1][0]["fields"]
    assert (gap["gov.gap.first"], gap["gov.gap.count"], gap["gov.gap.reason"]) == (3, 1, "damaged")


def test_what_cannot_be_an_event_is_counted(spool: Spool) -> None:
    endless = seen(1)
    endless.fields["n"] = "\ud800"
    spool.put([seen(1, size=300_000), seen(2), endless], wait=True)
    spool.flush(5)
    spool.put([seen(3)], wait=True)
    (alerts, gap), (_, events) = drain(spool)
    assert alerts.lane == "alerts"
    assert gap[0]["fields"]["gov.gap.count"] == 2
    assert [event["fields"]["n"] for event in events] == [2, 3]


def test_a_full_disk_blocks_and_loses_nothing(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", full)
        spool.put([seen(n) for n in range(3)])
        assert not spool.flush(0.5)
        said = [spool.trouble]
    assert spool.flush(30)
    said.append(spool.trouble)
    assert [one is None for one in said] == [False, True]
    assert [event["fields"]["n"] for _, events in drain(spool) for event in events] == [0, 1, 2]


def test_who_waits_for_room_waits_while_the_lane_is_crowded_and_no_longer_than_it_likes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quota = {"alerts": 1 << 20, "flows": 1 << 20, "bulk": 1 << 20}
    spool = Spool(tmp_path, sensor="web", unit="u", quota_bytes=quota)
    looks: list[bool] = []
    spool.wait_for_room("bulk", lambda: pytest.fail("it is not crowded"))
    monkeypatch.setattr(spool.core, "crowded", lambda lane: lane == "bulk")

    def give_up() -> bool:
        looks.append(True)
        return len(looks) == 3

    spool.wait_for_room("bulk", give_up)
    assert len(looks) == 3
    spool.close()
    spool.wait_for_room("bulk", lambda: False)
