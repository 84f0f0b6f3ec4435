"""File integrity: one event per real change, also of changes made while the sensor was down."""

import hashlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from sensors.event import Observation
from sensors.host import file_integrity
from sensors.host.cursor import Cursor
from sensors.host.fanotify import open_writers
from sensors.host.file_integrity import FileIntegritySource
from sensors.host.inotify import OVERFLOW, Change, Inotify


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_integrity, "_QUIET_SECONDS", 0.05)
    monkeypatch.setattr(file_integrity, "_WAIT_SECONDS", 0.05)


def _run(folder: Path, act: Callable[[], object], wanted: int) -> list[Observation]:
    """Start the source on folder/watched and folder/file, act, and wait for that many events."""
    chosen = [folder / "watched", folder / "file", folder / "absent"]
    source = FileIntegritySource(chosen, Cursor(folder / "cursors", "files"))
    seen: list[Observation] = []
    stop, done, pause = threading.Event(), threading.Event(), threading.Event()

    def emit(batch: Sequence[Observation]) -> None:
        seen.extend(batch)
        if len(seen) >= wanted:
            done.set()

    thread = threading.Thread(target=source.run, args=(emit, stop))
    thread.start()
    pause.wait(0.15)
    act()
    if wanted:
        assert done.wait(5), [one.fields for one in seen]
    pause.wait(0.2)  # an event too many would come now
    stop.set()
    thread.join(5)
    return seen


def _told(seen: list[Observation]) -> list[tuple[object, str]]:
    return [(one.native["Action"], Path(str(one.native["TargetFilename"])).name) for one in seen]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "watched").mkdir()
    (tmp_path / "watched/a").write_text("1")
    (tmp_path / "file").write_text("1")
    return tmp_path


def test_a_burst_of_writes_is_one_event_with_both_digests(folder: Path) -> None:
    def act() -> None:
        for text in ("2", "3", "final"):
            (folder / "file").write_text(text)

    (event,) = _run(folder, act, 1)
    assert _told([event]) == [("modified", "file")]
    assert event.fields["file.hash.sha256"] == hashlib.sha256(b"final").hexdigest()
    assert event.fields["file.hash.sm3"] == hashlib.new("sm3", b"final").hexdigest()
    assert event.fields["file.previous_hash.sm3"] == hashlib.new("sm3", b"1").hexdigest()
    assert event.logsource.category == "file_event"


def test_replacement_by_an_editor_is_one_modification(folder: Path) -> None:
    def act() -> None:
        (folder / "file.new").write_text("2")
        (folder / "file.new").rename(folder / "file")
        (folder / "watched/.a.swp").write_text("editor")

    assert _told(_run(folder, act, 1)) == [("modified", "file")]


def test_new_moved_deleted_and_changed_modes(folder: Path) -> None:
    def act() -> None:
        (folder / "absent").write_text("here now")
        (folder / "watched/a").rename(folder / "watched/b")
        (folder / "file").chmod(0o600)
        (folder / "neighbour").write_text("not chosen")

    seen = _run(folder, act, 3)
    assert _told(seen) == [("created", "absent"), ("attributes", "file"), ("moved", "b")]
    assert seen[2].fields["gov.file.previous_path"] == str(folder / "watched/a")
    assert seen[1].fields["file.mode"] == "0600"


def test_a_write_that_changes_nothing_is_no_event(folder: Path) -> None:
    assert _run(folder, lambda: (folder / "file").write_text("1"), 0) == []


def test_files_in_a_new_folder_are_seen(folder: Path) -> None:
    def act() -> None:
        (folder / "watched/new/deep").mkdir(parents=True)
        (folder / "watched/new/deep/f").write_text("1")

    assert ("created", "f") in _told(_run(folder, act, 3))


def test_changes_made_while_the_sensor_was_down_are_told_at_start(folder: Path) -> None:
    assert _run(folder, lambda: None, 0) == []
    (folder / "file").write_text("2")
    (folder / "watched/a").unlink()
    seen = _run(folder, lambda: None, 2)
    assert _told(seen) == [("modified", "file"), ("deleted", "a")]
    assert all(one.fields["gov.file.while_down"] is True for one in seen)
    assert _run(folder, lambda: None, 0) == []


def test_an_overflow_is_a_gap_and_everything_is_compared(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Inotify.wait
    lost = threading.Event()

    def overflow(self: Inotify, seconds: float) -> list[Change]:
        changes = real(self, seconds)
        if changes and not lost.is_set():
            lost.set()
            return [Change(-1, OVERFLOW, b"")]  # the kernel dropped what came
        return changes

    monkeypatch.setattr(Inotify, "wait", overflow)
    seen = _run(folder, lambda: (folder / "file").write_text("2"), 2)
    assert seen[0].logsource.service == "gap"
    assert _told(seen[1:]) == [("modified", "file")]


def test_the_writer_is_named_where_the_kernel_tells(tmp_path: Path) -> None:
    watched = tmp_path / "watched"
    watched.mkdir()
    probe = open_writers([watched])
    if probe is None:
        pytest.skip("the kernel grants no fanotify here (CAP_SYS_ADMIN)")
    probe.close()
    seen: list[Observation] = []
    stop = threading.Event()
    source = FileIntegritySource([watched], Cursor(tmp_path, "state"))
    thread = threading.Thread(target=source.run, args=(seen.extend, stop))
    thread.start()
    try:
        until = time.monotonic() + 30
        while not seen and time.monotonic() < until:
            program = f"open({str(watched / 'file')!r}, 'a').write('x'); import time; time.sleep(0.5)"
            subprocess.run([sys.executable, "-c", program], check=True)
    finally:
        stop.set()
        thread.join(30)
    writers = [str(one.fields.get("process.executable", "")) for one in seen]
    assert any("python" in writer for writer in writers)
