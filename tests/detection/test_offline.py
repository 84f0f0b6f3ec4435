"""Files as events: our own lines, Windows records of three shapes, any JSON, and lines that are none."""

import json
from pathlib import Path
from typing import Any

import pytest

from crypto.words import BadInput
from detection.offline import events_in, pasted
from sensors.event import Event, LogSource, encode, event_id


def read(tmp_path: Path, *lines: str | bytes) -> tuple[list[Event], list[BadInput]]:
    path = tmp_path / "input.jsonl"
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines) + b"\n")
    told: list[BadInput] = []
    return list(events_in(path, "jsonl", told.append)), told


FLAT: dict[str, Any] = {
    "EventID": 1,
    "Channel": "Microsoft-Windows-Sysmon/Operational",
    "Hostname": "PC1",
    "@timestamp": "2020-09-04T15:08:23.583Z",
    "Image": "C:\\Windows\\cmd.exe",
    "CommandLine": "cmd /c evil",
}


def test_an_event_stays_as_it_is(tmp_path: Path) -> None:
    (first,), _ = read(tmp_path, json.dumps(FLAT))
    kept = Event(
        id=event_id(first.time, "s", 1, 2),
        time=first.time,
        unit="u",
        sensor="s",
        logsource=LogSource(),
        fields={},
    )
    (again,), told = read(tmp_path, encode(kept))
    assert again == kept
    assert told == []


def test_windows_records_flat_and_nested_are_routed(tmp_path: Path) -> None:
    nested = {
        "Event": {
            "System": {
                "EventID": 1,
                "Channel": FLAT["Channel"],
                "Computer": "PC1",
                "TimeCreated": {"#attributes": {"SystemTime": "2020-09-04T15:08:23Z"}},
            },
            "EventData": {"Image": "C:\\x.exe"},
        }
    }
    events, told = read(tmp_path, json.dumps(FLAT), json.dumps(nested))
    assert told == []
    assert {event.logsource for event in events} == {
        LogSource(product="windows", category="process_creation", service="sysmon")
    }
    assert events[0].native["CommandLine"] == "cmd /c evil"
    assert events[0].time.year == 2020
    assert events[0].sensor == "file:input.jsonl"


def test_any_other_object_becomes_native_fields(tmp_path: Path) -> None:
    (event,), _ = read(tmp_path, json.dumps({"a": {"b": 1}, "c": [1, "x"], "d": [{}], "ts": 1_700_000_000}))
    assert event.native == {"a.b": 1, "c": [1, "x"], "d": ["[{}]"], "ts": 1_700_000_000}
    assert event.logsource == LogSource()
    assert event.time.year == 2023


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[1]",
        b"\xff\xfe{}",
        b'{"Event": 3}',
        b'{"logsource": 1, "fields": {}}',
        b'{"a":' * 3000,
        b'{"a": 1e999}',
    ],
)
def test_a_bad_line_is_told_and_the_rest_goes_on(tmp_path: Path, line: bytes) -> None:
    events, told = read(tmp_path, json.dumps(FLAT), line, json.dumps(FLAT))
    assert len(events) in (2, 3)  # a number too large is still an object
    assert len(events) + len(told) == 3
    for error in told:
        assert error.field.endswith(":2")


def test_a_line_without_end_is_told_once(tmp_path: Path) -> None:
    events, told = read(tmp_path, json.dumps(FLAT), b'{"a": "' + b"x" * 2_000_000, json.dumps(FLAT))
    assert (len(events), [error.field.endswith(":2") for error in told]) == (2, [True])


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    for kind in ("auto", "jsonl"):
        with pytest.raises(BadInput):
            list(events_in(tmp_path / "none", kind, print))


def test_one_pasted_event_is_read_like_a_line(tmp_path: Path) -> None:
    (flat,), _ = read(tmp_path, json.dumps(FLAT))
    found = pasted(f"  {json.dumps(FLAT, indent=2)}\n")
    assert (found.logsource, found.native, found.time) == (flat.logsource, flat.native, flat.time)
    assert pasted(encode(flat).decode()) == flat
    for wrong in ("", "[]", "{", '{"logsource": {}, "fields": {}, "id": "x"}', "{" * 100_000):
        with pytest.raises(BadInput, match="event-unreadable"):
            pasted(wrong)
