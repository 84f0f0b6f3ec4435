"""Rendered records say what the same records say out of a file; hostile text is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.event import Observation, Value
from sensors.host.read_evtx import describe_record
from sensors.host.windows.record import DEPTH_MAX, describe_xml, record_number

RECORD = (
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='P'/>"
    "<EventID Qualifiers='16384'>7045</EventID><TimeCreated SystemTime='2026-11-22T01:02:03.1234567Z'/>"
    "<EventRecordID>9</EventRecordID><Channel>System</Channel><Computer>pc-1</Computer></System>"
    "<EventData><Data Name='ServiceName'>样例 &amp; &lt;x&gt;</Data>"
    "<Data>a</Data><Data>b</Data></EventData></Event>"
)


def test_public_records_say_the_same_by_xml_and_by_file(public_records: list[tuple[str, str]]) -> None:
    assert len(public_records) > 100
    for xml, json in public_records:
        ours, theirs = describe_xml(xml), describe_record(json)
        assert ours is not None
        assert theirs is not None
        assert (ours.time, ours.logsource) == (theirs.time, theirs.logsource)
        assert _as_text(ours.fields) == _as_text(theirs.fields)
        assert _as_text(ours.native) == _as_text(theirs.native)


def test_a_record_as_windows_writes_it() -> None:
    event = describe_xml(RECORD)
    assert event is not None
    assert event.time.isoformat() == "2026-11-22T01:02:03.123456+00:00"
    assert event.native["ServiceName"] == "样例 & <x>"
    assert event.native["EventID"] == 7045
    assert event.fields["winlog.record_id"] == "9"
    assert event.fields["host.name"] == "pc-1"
    assert record_number(RECORD) == 9


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<Event/>",
        RECORD[:-5],
        RECORD.replace("<Event ", "<Other ", 1),
        "<!DOCTYPE Event [<!ENTITY a 'b'>]>" + RECORD.replace("pc-1", "&a;"),
        "<!DOCTYPE Event SYSTEM 'file:///etc/passwd'>" + RECORD,
        "<Event>" + "<a>" * (DEPTH_MAX + 1) + "</a>" * (DEPTH_MAX + 1) + "</Event>",
        RECORD.replace("<Data>a</Data>", "<Data>a</Data>" * 5_000),
        RECORD.replace("<Data>a</Data>", f"<Data>{'a' * 1_100_000}</Data>"),
        RECORD.replace("2026-11-22T", "yesterday"),
        RECORD.replace("样例", "\ud800"),
    ],
)
def test_what_is_no_record_is_refused(text: str) -> None:
    assert describe_xml(text) is None


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(RECORD)), st.text(max_size=12))
def test_a_damaged_record_is_read_or_refused(place: int, text: str) -> None:
    damaged = RECORD[:place] + text + RECORD[place + len(text) :]
    assert isinstance(describe_xml(damaged), Observation | None)
    assert record_number(damaged) >= 0


def _as_text(table: dict[str, Value]) -> dict[str, str]:
    """XML has no types and one line end: values are compared as they are written, lines by their text."""
    return {name: _written(value) for name, value in table.items()}


def _written(value: Value) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text.replace("\r\n", "\n").replace("\\r\\n", "\\n")
