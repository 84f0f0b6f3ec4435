"""The calls of the subscription, made through real C function pointers of a double."""

import os

import pytest

from sensors.host.windows import event_log
from sensors.host.windows.event_log import CHANNEL_NOT_FOUND, EventLogError, windows_libraries
from tests.sensors.host.windows.conftest import Machine

XML = "<Event><System><EventRecordID>1</EventRecordID></System><EventData><Data>{}</Data></EventData></Event>"


def test_records_come_in_order_and_the_bookmark_follows(machine: Machine) -> None:
    for word in ("甲", "乙", "丙"):
        machine.write("Security", XML.format(word))
    log = machine.open()
    subscription = log.subscribe("Security", "")
    first = subscription.next(2)
    mark = subscription.bookmark()
    assert [text is not None and "甲" in text for text in first] == [True, False]
    assert "RecordId='102'" in mark
    subscription.close()
    again = log.subscribe("Security", mark)
    assert [text is not None and "丙" in text for text in again.next()] == [True]
    assert again.next() == []
    again.close()
    log.close()
    assert machine.handles == {}


def test_the_newest_record_is_found_without_reading_the_others(machine: Machine) -> None:
    machine.channels["System"] = []
    log = machine.open()
    assert log.newest("System") == ("", "")
    machine.write("System", XML.format("a"))
    machine.write("System", XML.format("b"))
    mark, xml = log.newest("System")
    assert "RecordId='102'" in mark
    assert ">b<" in xml
    log.close()
    assert machine.handles == {}


def test_a_long_record_gets_a_longer_buffer_and_one_too_long_is_given_up(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log, "RENDER_BYTES_MAX", 400_000)
    machine.write("System", XML.format("x" * 100_000))
    machine.write("System", XML.format("x" * 300_000))
    log = machine.open()
    subscription = log.subscribe("System", "")
    records = subscription.next()
    assert [text and len(text) > 100_000 for text in records] == [True, None]
    subscription.close()
    log.close()
    assert machine.handles == {}


def test_failures_are_told_by_their_number_and_leave_nothing_open(machine: Machine) -> None:
    log = machine.open()
    with pytest.raises(EventLogError) as absent:
        log.subscribe("No/Such", "")
    assert absent.value.code == CHANNEL_NOT_FOUND
    machine.write("System", XML.format("a"))
    machine.write("System", XML.format("b"))
    mark = log.newest("System")[0]
    machine.channels["System"] = [(500, XML.format("c"))]
    with pytest.raises(EventLogError) as stale:
        log.subscribe("System", mark)
    assert stale.value.stale
    with pytest.raises(EventLogError):
        log.subscribe("System", "no bookmark")
    log.close()
    assert machine.handles == {}


@pytest.mark.skipif(os.name == "nt", reason="speaks of hosts that are no Windows")
def test_elsewhere_there_is_no_library() -> None:
    assert windows_libraries() is None
