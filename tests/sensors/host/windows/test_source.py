"""The Windows source against the double: public records, resumption, cleared logs, refused channels."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from sensors.event import Observation
from sensors.host.cursor import Cursor
from sensors.host.windows.record import describe_xml
from sensors.host.windows.source import Places, WindowsEventSource, open_windows_log
from tests.sensors.host.windows.conftest import Machine

XML = (
    "<Event><System><Provider Name='P'/><EventID>7045</EventID>"
    "<TimeCreated SystemTime='2026-11-22T01:02:03.1Z'/><EventRecordID>1</EventRecordID>"
    "<Channel>System</Channel><Computer>pc-1</Computer></System>"
    "<EventData><Data Name='ServiceName'>{}</Data></EventData></Event>"
)


class Killed(Exception):
    """The process ends here."""


class Sink:
    """Keeps what is durable; ``kill_after`` events it ends the run before they are."""

    def __init__(self, wanted: int, kill_after: int = -1) -> None:
        self.seen: list[Observation] = []
        self.stop = threading.Event()
        self._wanted = wanted
        self._kill_after = kill_after

    def emit(self, batch: Sequence[Observation]) -> None:
        if self._kill_after >= 0 and len(self.seen) + len(batch) > self._kill_after:
            raise Killed
        self.seen.extend(batch)
        if len(self.seen) >= self._wanted:
            self.stop.set()

    def named(self, name: str) -> list[object]:
        return [one.native.get(name) for one in self.seen if name in one.native]

    def gaps(self) -> list[tuple[object, object]]:
        told = [one.fields for one in self.seen if one.fields["event.dataset"] == "liuhe.gap"]
        return [(one["gov.gap.reason"], one["gov.gap.count"]) for one in told]


def _source(machine: Machine, folder: Path, *channels: str) -> WindowsEventSource:
    return WindowsEventSource(
        channels, Cursor(folder, "windows-events"), open_log=machine.open, wait_seconds=0.01
    )


def _run(source: WindowsEventSource, sink: Sink) -> None:
    limit = threading.Timer(20, sink.stop.set)
    limit.start()
    try:
        source.run(sink.emit, sink.stop)
    finally:
        limit.cancel()


def _first_sight(machine: Machine, folder: Path, *channels: str) -> None:
    """A first run that sees nothing new: it only sets the places."""
    sink = Sink(1)
    thread = threading.Thread(target=_run, args=(_source(machine, folder, *channels), sink))
    thread.start()
    for _ in range(2_000):
        kept = Cursor(folder, "windows-events").load(Places)
        if kept is not None and set(channels) <= set(kept.channels):
            break
        sink.stop.wait(0.01)
    sink.stop.set()
    thread.join(30)
    assert sink.seen == []


def test_every_public_record_comes_once_across_kills(
    machine: Machine, public_records: list[tuple[str, str]], tmp_path: Path
) -> None:
    wanted: dict[str, list[Observation]] = {}
    for xml, _ in public_records:
        event = describe_xml(xml)
        assert event is not None
        wanted.setdefault(str(event.native["Channel"]), []).append(event)
    for channel in wanted:
        machine.channels[channel] = []
    _first_sight(machine, tmp_path, *wanted)
    for xml, _ in public_records:
        event = describe_xml(xml)
        assert event is not None
        machine.write(str(event.native["Channel"]), xml)
    seen: list[Observation] = []
    for kill_after in (0, 70, 90):  # the run ends while it emits: nothing of that batch is durable
        sink = Sink(10_000, kill_after)
        with pytest.raises(Killed):
            _run(_source(machine, tmp_path, *wanted), sink)
        seen += sink.seen
    sink = Sink(len(public_records) - len(seen))
    _run(_source(machine, tmp_path, *wanted), sink)
    seen += sink.seen
    assert sink.gaps() == []
    for channel, events in wanted.items():
        ours = [one.native for one in seen if one.native["Channel"] == channel]
        assert ours == [one.native for one in events]
    assert machine.handles == {}


def test_what_was_written_while_the_sensor_was_down_is_read(machine: Machine, tmp_path: Path) -> None:
    machine.write("System", XML.format("before"))
    _first_sight(machine, tmp_path, "System")
    machine.write("System", XML.format("while down"))
    sink = Sink(1)
    _run(_source(machine, tmp_path, "System"), sink)
    assert sink.named("ServiceName") == ["while down"]
    kept = Cursor(tmp_path, "windows-events").load(Places)
    assert kept is not None
    assert kept.channels["System"].record == 102


def test_a_cleared_log_is_told_and_read_from_its_beginning(machine: Machine, tmp_path: Path) -> None:
    machine.write("System", XML.format("before"))
    _first_sight(machine, tmp_path, "System")
    machine.channels["System"] = []
    machine.write("System", XML.format("after"))
    machine.channels["System"] = [(900, machine.channels["System"][0][1])]
    sink = Sink(2)
    _run(_source(machine, tmp_path, "System"), sink)
    assert sink.gaps() == [("System: records are gone: the log was cleared, or ran over them", 0)]
    assert sink.named("ServiceName") == ["after"]


def test_holes_and_records_without_form_are_told(machine: Machine, tmp_path: Path) -> None:
    machine.write("System", XML.format("a"))
    _first_sight(machine, tmp_path, "System")
    machine.write("System", XML.format("lost"))
    machine.write("System", XML.format("b"))
    machine.write("System", "<Event><EventRecordID>1</EventRecordID>")
    machine.write("System", XML.format("c"))
    del machine.channels["System"][1]
    sink = Sink(4)
    _run(_source(machine, tmp_path, "System"), sink)
    assert sink.named("ServiceName") == ["b", "c"]
    assert sink.gaps() == [
        ("System: record numbers are missing", 1),
        ("System: records that cannot be read", 1),
    ]


def test_a_channel_that_appears_later_is_joined_and_a_refused_one_is_named(
    machine: Machine, tmp_path: Path
) -> None:
    machine.write("System", XML.format("a"))
    machine.write("Security", XML.format("a"))
    machine.denied.add("Security")
    source = WindowsEventSource(
        ["System", "Security", "Later"],
        Cursor(tmp_path, "windows-events"),
        open_log=machine.open,
        wait_seconds=0.01,
        look_again_seconds=0.02,
    )
    assert source.missing() is None
    sink = Sink(2)
    thread = threading.Thread(target=_run, args=(source, sink))
    thread.start()
    ready = threading.Event()
    for _ in range(1000):
        if source.reduced is not None:
            break
        ready.wait(0.01)
    assert source.reduced is not None
    assert "Event Log Readers" in source.reduced.en
    assert "Later" in source.reduced.en
    machine.denied.clear()
    machine.channels["Later"] = []
    for _ in range(1000):
        if source.reduced is None:
            break
        ready.wait(0.01)
    machine.write("Security", XML.format("b"))
    machine.write("Later", XML.format("c"))
    thread.join(30)
    assert sorted(str(one) for one in sink.named("ServiceName")) == ["b", "c"]
    assert source.reduced is None


def test_elsewhere_the_source_says_that_this_is_no_windows(tmp_path: Path) -> None:
    assert open_windows_log() is None
    missing = WindowsEventSource(["System"], Cursor(tmp_path, "w")).missing()
    assert missing is not None
    assert "Windows" in missing.zh
