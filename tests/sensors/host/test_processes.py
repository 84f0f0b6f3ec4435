"""The process source with a real program, by the connector and by polling."""

import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from crypto.words import LiuheError, Words
from sensors.event import Observation
from sensors.host.cursor import Cursor
from sensors.host.proc_connector import ExecConnector, open_connector
from sensors.host.processes import ProcessSource, Seen, describe
from sensors.host.procfs import Process

MARK = "liuhe-test-sleep"


def _refused() -> ExecConnector:
    raise LiuheError("proc-connector-missing", Words("无", "none"), Words("无", "none"))


def _watch(source: ProcessSource, act: Callable[[], object]) -> list[Observation]:
    seen: list[Observation] = []
    stop, found, ready = threading.Event(), threading.Event(), threading.Event()

    def emit(batch: Sequence[Observation]) -> None:
        seen.extend(batch)
        if any(MARK in str(one.fields.get("process.args")) for one in batch):
            found.set()

    thread = threading.Thread(target=source.run, args=(emit, stop))
    thread.start()
    try:
        ready.wait(0.3)
        act()
        assert found.wait(5)
    finally:
        stop.set()
        thread.join(5)
    return [one for one in seen if MARK in str(one.fields.get("process.args"))]


@pytest.mark.slow
@pytest.mark.parametrize("connect", [open_connector, _refused])
def test_a_started_program_is_seen_with_its_parent(
    tmp_path: Path, connect: Callable[[], ExecConnector]
) -> None:
    source = ProcessSource(Cursor(tmp_path, "processes"), poll_seconds=0.1, connect=connect)
    words = ["/bin/sh", "-c", f"sleep 0.6; : {MARK}"]
    event = _watch(source, lambda: subprocess.run(words, check=True))[0]
    assert event.logsource.category == "process_creation"
    assert event.native["CommandLine"] == " ".join(words)
    assert str(event.native["ParentImage"]).rpartition("/")[2].startswith("python")
    assert event.fields["process.parent.pid"] == event.native["ParentProcessId"]
    ancestors = event.fields["gov.process.ancestors"]
    assert isinstance(ancestors, list)
    assert ancestors[0] == event.native["ParentImage"]
    assert (source.reduced is None) or connect is _refused or "CAP_NET_ADMIN" in source.reduced.en


@pytest.mark.slow
def test_a_program_started_while_the_sensor_was_down_is_found(tmp_path: Path) -> None:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    own = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    cursor = Cursor(tmp_path, "processes")
    cursor.save(Seen(boot=boot, start_ticks=own))
    child = subprocess.Popen(["/bin/sh", "-c", f"sleep 3; : {MARK}"])
    try:
        source = ProcessSource(cursor, poll_seconds=0.1, connect=_refused)
        events = _watch(source, lambda: None)
        assert [one.fields["event.action"] for one in events] == ["process-found"]
    finally:
        child.kill()
        child.wait()


def test_a_process_gone_too_soon_is_told_without_invented_facts() -> None:
    process = Process(9, 1, 5, "id", "", (), "", 0, 0, deleted=False, truncated=False)
    event = describe(process, None)
    assert event.fields["gov.process.unread"] is True
    assert "Image" not in event.native
    assert event.fields["process.name"] == "id"
