"""A gap record stays until the center has it, and comes again where its lane lost it."""

from datetime import UTC, datetime
from pathlib import Path

from sensors.disk import RealDisk
from sensors.gap import Gap, gap_fields
from sensors.gap_ledger import GapLedger
from sensors.gap_reserve import SLOTS

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Lane:
    """How far the alerts lane is."""

    def __init__(self) -> None:
        self.acked = 0
        self.durable = 0

    def ledger(self, folder: Path) -> GapLedger:
        return GapLedger(folder, acked=lambda: self.acked, durable=lambda: self.durable)


def test_what_never_became_durable_comes_again(tmp_path: Path) -> None:
    lane = Lane()
    ledger = lane.ledger(tmp_path)
    found = ledger.record([gap_fields(Gap("bulk", 1, 9, 9, "quota"))], 7, NOW, lane="bulk", last=9)
    assert [seen.fields["gov.gap.last"] for seen in found.observations] == [9]
    assert found.durable
    ledger.record([gap_fields(Gap("bulk", 20, 29, 10, "quota"))], 8, NOW)
    lane.durable = 7
    again = lane.ledger(tmp_path)
    assert again.drops() == [("bulk", 9)]
    assert [seen.fields["gov.gap.last"] for seen in again.resume(8, NOW)] == [29]
    lane.durable = 8
    assert lane.ledger(tmp_path).resume(9, NOW) == []
    assert [seen.fields["gov.gap.last"] for seen in again.lost(7, 7, 9, NOW).observations] == [9]
    assert again.lost(7, 7, 9, NOW).observations == []
    assert again.drops() == []


def test_slots_are_given_up_to_the_center_first(tmp_path: Path) -> None:
    lane = Lane()
    ledger = lane.ledger(tmp_path)
    gap = Gap("bulk", 0, 0, 1, "damaged")
    for n in range(SLOTS):
        assert ledger.record([gap_fields(gap)], n + 1, NOW).durable
    assert ledger.record([gap_fields(gap)], SLOTS + 1, NOW) == ([], False)
    lane.durable = 10
    assert ledger.record([gap_fields(gap)], SLOTS + 1, NOW).durable
    lane.acked = lane.durable = SLOTS
    assert ledger.record([gap_fields(gap)], SLOTS + 2, NOW).durable
    assert ledger.lost(1, SLOTS, SLOTS + 3, NOW).observations == []
    too_long = [{"gov.gap.lane": "x" * 2000}]
    assert ledger.record(too_long, 1, NOW) == ([], False)


class Failing(RealDisk):
    """A disk whose syncs and, where asked, writes fail for a while."""

    def __init__(self) -> None:
        self.syncs_to_fail = 0
        self.writes_fail = False

    def sync(self, handle: int) -> None:
        if self.syncs_to_fail:
            self.syncs_to_fail -= 1
            self.writes_fail = self.syncs_to_fail > 0
            raise OSError(5, "Input/output error")
        super().sync(handle)

    def pwrite(self, handle: int, data: bytes | memoryview, offset: int) -> int:
        if self.writes_fail:
            raise OSError(5, "Input/output error")
        return super().pwrite(handle, data, offset)


def test_a_record_that_a_failed_write_may_have_left_travels_or_is_taken_back(tmp_path: Path) -> None:
    lane, disk = Lane(), Failing()
    ledger = GapLedger(tmp_path, disk, acked=lambda: lane.acked, durable=lambda: lane.durable)
    gap = [gap_fields(Gap("bulk", 1, 9, 9, "quota"))]
    disk.syncs_to_fail = 1
    assert ledger.record(gap, 7, NOW, lane="bulk", last=9) == ([], False), "taken back for certain"
    assert lane.ledger(tmp_path).drops() == []
    disk.syncs_to_fail = 2
    left = ledger.record(gap, 7, NOW, lane="bulk", last=9)
    assert (len(left.observations), left.durable) == (1, False), "it may come back, so its sequence is taken"
    assert lane.ledger(tmp_path).drops() == [("bulk", 9)]
