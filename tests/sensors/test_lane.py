"""A lane's batches are contiguous runs of one boot; what is dropped takes its gap records along."""

from datetime import UTC, datetime
from pathlib import Path

from sensors.event import encode, stamp
from sensors.gap import Gap, gap_fields, gap_observation
from sensors.lane import Lane
from sensors.messages import BATCH_EVENTS_MAX

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LINE = b'{"time":"2026-03-01T00:00:00Z","fields":{"n":1}}'


def test_a_batch_ends_at_a_boot_and_at_its_limits(tmp_path: Path) -> None:
    for epoch in (3, 4):
        lane = Lane(tmp_path, "bulk", "web01", epoch, 8 << 20)
        lane.log.append([LINE] * 10)
        if epoch == 3:
            lane.log.close()
    lane.log.append([LINE] * (BATCH_EVENTS_MAX + 5))
    found = []
    while batch := lane.next_batch():
        found.append((batch.epoch, batch.first, batch.last))
    lane.log.close()
    assert found == [
        (3, 1, 10),
        (4, 11, 10 + BATCH_EVENTS_MAX),
        (4, 11 + BATCH_EVENTS_MAX, 25 + BATCH_EVENTS_MAX),
    ]


def test_acknowledged_segments_are_dropped_without_a_gap(tmp_path: Path) -> None:
    lane = Lane(tmp_path, "bulk", "web01", 1, 64 * 1024)
    for _ in range(30):
        lane.log.append([LINE * 100])
    lane.resume(10_000)
    assert lane.backlog == 0
    drop = lane.over_quota()
    assert drop is not None
    assert drop.gap is None
    lane.resume(0)
    drop = lane.over_quota()
    assert drop is not None
    assert drop.gap is not None
    assert (drop.gap.first, drop.gap.lost) == (1, drop.last)
    lane.log.close()


def test_gap_records_of_a_dropped_segment_are_carried_on(tmp_path: Path) -> None:
    gap = gap_observation(gap_fields(Gap("bulk", 3, 9, 7, "quota", NOW, NOW)), NOW)
    assert gap.lane == "alerts"
    assert (gap.fields["gov.gap.count"], gap.fields["gov.gap.from"]) == (7, "2026-03-01T00:00:00+00:00")
    event = stamp(gap, unit="u", sensor="web01", epoch=1, sequence=1)
    lane = Lane(tmp_path, "alerts", "web01", 1, 64 * 1024)
    lane.log.append([encode(event)])
    for _ in range(30):
        lane.log.append([LINE * 100])
    drop = lane.over_quota()
    assert drop is not None
    assert drop.carried == [gap.fields]
    lane.log.close()


def test_a_damaged_end_is_told_without_waiting_for_more(tmp_path: Path) -> None:
    lane = Lane(tmp_path, "bulk", "web01", 1, 8 << 20)
    lane.append([LINE] * 3)
    (path,) = tmp_path.glob("*.seg")
    blob = bytearray(path.read_bytes())
    blob[-3] ^= 1
    path.write_bytes(blob)
    batch = lane.next_batch()
    assert batch is not None
    assert (batch.first, batch.last) == (1, 2)
    assert lane.next_batch() is None
    assert [(gap.first, gap.last, gap.reason) for gap in lane.take_gaps()] == [(3, 3, "damaged")]
    assert lane.next_batch() is None
    assert lane.take_gaps() == []
    lane.append([LINE])
    batch = lane.next_batch()
    assert batch is not None
    assert batch.first == 4
    lane.close()
