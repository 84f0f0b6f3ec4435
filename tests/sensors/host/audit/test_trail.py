"""The trail: events whole and in order, whatever order records come in; what is missing is counted."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sensors.host.audit.record import Record, parse_record
from sensors.host.audit.trail import IN_FLIGHT_MAX, RECORDS_MAX, AuditEvent, Trail

STREAMS = Path(__file__).resolve().parents[5] / "shared/data/host/auditd/go-libaudit/testdata"
TIME = datetime(2026, 11, 22, tzinfo=UTC)


def record(serial: int, kind: str = "USER_AUTH") -> Record:
    return Record(kind, TIME, serial, {}, "", "")


def run(records: list[Record]) -> list[AuditEvent]:
    trail = Trail()
    events = [event for one in records for event in trail.put(one)]
    return [*events, *trail.flush()]


@pytest.mark.parametrize("name", ["normal.log", "lost_messages.log", "out_of_order.log", "rollover.log"])
def test_golden_streams(name: str) -> None:
    if not STREAMS.exists():
        pytest.skip("the audit streams are not beside the project (../shared/data/host/auditd)")
    expected = json.loads((STREAMS / "streams.expected.json").read_text("utf-8"))[name]
    lines = (STREAMS / name).read_text("utf-8").splitlines()
    events = run([one for line in lines if (one := parse_record(line)) is not None])
    assert [[one.serial, len(one.records)] for one in events] == expected["events"]
    assert sum(one.missing for one in events) == expected["lost"]


def test_an_event_is_told_as_soon_as_it_is_whole_and_next() -> None:
    trail = Trail()
    assert list(trail.put(record(5))) == []  # whether it is the first nobody knows yet
    list(trail.flush())
    assert [one.serial for one in trail.put(record(6))] == [6]
    assert list(trail.put(record(7, "SYSCALL"))) == []
    assert [len(one.records) for one in trail.put(record(7, "EOE"))] == [1]


def test_shuffled_neighbours_come_out_in_order() -> None:
    order = list(range(1, 200))
    for at in range(0, len(order), 8):
        order[at : at + 8] = reversed(order[at : at + 8])
    events = run([record(serial) for serial in order])
    assert [one.serial for one in events] == list(range(1, 200))
    assert sum(one.missing for one in events) == 0


def test_nothing_waits_for_ever_and_memory_is_bounded() -> None:
    trail = Trail()
    for serial in range(1, 10_000):
        list(trail.put(record(serial, "SYSCALL")))
        assert trail.waiting <= IN_FLIGHT_MAX
    flood = [record(20_000, "PATH")] * 1_000
    (event,) = run(flood)
    assert len(event.records) == RECORDS_MAX


def test_a_record_later_than_its_event_is_told_alone() -> None:
    trail = Trail()
    list(trail.put(record(5)))
    list(trail.flush())
    assert [one.serial for one in trail.put(record(4))] == [4]
