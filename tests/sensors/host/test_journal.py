"""The journal source with a journalctl of our own, and hostile entries."""

import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.event import Observation
from sensors.host.cursor import Cursor
from sensors.host.journal import JournalPosition, JournalSource, arguments, describe_entry, parse_entry

ENTRY = (
    b'{"__CURSOR":"s=1;i=2","__REALTIME_TIMESTAMP":"1790000000000000","SYSLOG_IDENTIFIER":"sshd","_PID":"7",'
    b'"MESSAGE":"Failed password for li from 203.0.113.9 port 5 ssh2","_HOSTNAME":"web-01"}'
)


def test_an_entry_becomes_the_same_event_as_a_log_line() -> None:
    entry = parse_entry(ENTRY)
    assert entry is not None
    event = describe_entry(entry)
    assert event.logsource.service == "sshd"
    assert event.fields["source.ip"] == "203.0.113.9"
    assert event.fields["host.name"] == "web-01"


def test_a_message_that_is_not_utf8_comes_as_numbers() -> None:
    entry = parse_entry(b'{"__REALTIME_TIMESTAMP":"1","MESSAGE":[181,199,194,188]}')
    assert entry is not None
    assert entry["MESSAGE"] == "登录"


@pytest.mark.slow
def test_entries_are_read_and_the_cursor_is_kept(tmp_path: Path) -> None:
    script = tmp_path / "journalctl.py"
    script.write_text(
        f"import time\nprint({ENTRY.decode()!r}, flush=True)\nprint('no json', flush=True)\ntime.sleep(30)"
    )
    cursor = Cursor(tmp_path, "journal")
    source = JournalSource(cursor, command=[sys.executable, str(script)], socket=tmp_path)
    assert source.missing() is None
    seen: list[Observation] = []
    stop, done = threading.Event(), threading.Event()

    def emit(batch: Sequence[Observation]) -> None:
        seen.extend(batch)
        if len(seen) >= 2:
            done.set()

    thread = threading.Thread(target=source.run, args=(emit, stop))
    thread.start()
    assert done.wait(10)
    stop.set()
    thread.join(10)
    assert [one.fields["event.dataset"] for one in seen] == ["auth.log", "liuhe.gap"]
    assert cursor.load(JournalPosition) == JournalPosition(cursor="s=1;i=2")
    assert "--after-cursor=s=1;i=2" in arguments("s=1;i=2")


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.binary(max_size=80), st.just(b"[" * 5000)))
def test_any_line_is_parsed_or_refused(raw: bytes) -> None:
    entry = parse_entry(raw)
    if entry is not None:
        describe_entry(entry)
