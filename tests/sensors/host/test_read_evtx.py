"""Windows records: names, categories, and public files where they are at hand."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.words import BadInput
from sensors.host.read_evtx import describe_record, read_evtx

CASES = Path(__file__).resolve().parents[4] / "shared/data/sigma/regression_data"


def _record(channel: str, code: object, data: dict[str, object]) -> str:
    system = {
        "Provider": {"#attributes": {"Name": "P"}},
        "EventID": code,
        "Channel": channel,
        "Computer": "pc-1",
        "TimeCreated": {"#attributes": {"SystemTime": "2026-11-22T01:02:03.456789Z"}},
        "EventRecordID": 9,
    }
    return json.dumps({"Event": {"System": system, "EventData": data}})


def test_a_sysmon_process_has_sigmas_names() -> None:
    data: dict[str, object] = {"Image": "C:\\Windows\\cmd.exe", "CommandLine": "cmd /c x", "ProcessId": 42}
    event = describe_record(_record("Microsoft-Windows-Sysmon/Operational", 1, data))
    assert event is not None
    assert (event.logsource.product, event.logsource.category) == ("windows", "process_creation")
    assert event.logsource.service == "sysmon"
    assert event.native["EventID"] == 1
    assert event.fields["process.name"] == "cmd.exe"
    assert event.fields["process.pid"] == 42
    assert event.fields["host.name"] == "pc-1"


def test_the_security_log_gets_the_same_names() -> None:
    data: dict[str, object] = {"NewProcessName": "C:\\a.exe", "NewProcessId": "0x2a", "SubjectUserName": "li"}
    event = describe_record(_record("Security", {"#text": 4688, "#attributes": {"Qualifiers": 0}}, data))
    assert event is not None
    assert event.logsource.category == "process_creation"
    assert (event.native["Image"], event.fields["process.pid"]) == ("C:\\a.exe", 42)


def test_a_deleted_key_is_told_from_an_added_one() -> None:
    event = describe_record(_record("Microsoft-Windows-Sysmon/Operational", 12, {"EventType": "DeleteKey"}))
    assert event is not None
    assert event.logsource.category == "registry_delete"


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.text(max_size=60), st.just('{"Event":' * 3000)))
def test_any_record_is_read_or_refused(text: str) -> None:
    describe_record(text)


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.evtx"
    path.write_bytes(b"no evtx" * 1000)
    with pytest.raises(BadInput):
        list(read_evtx(path))


def test_public_records_are_read() -> None:
    files = sorted(CASES.rglob("*.evtx"))[:12]
    if not files:
        pytest.skip("the regression cases of SigmaHQ are not at hand")
    events = [event for path in files for event in read_evtx(path)]
    assert len(events) >= len(files)
    assert all(one.logsource.product == "windows" and one.native["Channel"] for one in events)
