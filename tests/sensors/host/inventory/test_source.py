"""The inventory source: whole at start, then changes, also those of while it was down; errors told once."""

import threading
from collections.abc import Sequence
from pathlib import Path

from sensors.event import Observation
from sensors.host.inventory.event import CHANGES_MAX, PART_CHARS_MAX
from sensors.host.inventory.kind import Kind
from sensors.host.inventory.source import InventorySource, stamp_of
from sensors.host.probe import HostFiles


class World:
    """One kind whose rows a test sets, looked at once per call of ``look``."""

    def __init__(self, folder: Path, *, diffed: bool = True) -> None:
        self.rows: list[tuple[str, ...]] | OSError = []
        self.seen: list[Observation] = []
        self.kind = Kind("packages", ("name", "version"), self._read, "test", diffed=diffed)
        self.folder = folder
        self.start()

    def _read(self, _: HostFiles) -> list[tuple[str, ...]]:
        if isinstance(self.rows, OSError):
            raise self.rows
        return self.rows

    def start(self) -> None:
        self.source = InventorySource([self.kind], self.folder, wake=lambda: None)

    def look(self) -> list[Observation]:
        """What one look emits."""
        self.seen.clear()
        stop = threading.Event()

        def emit(seen: Sequence[Observation]) -> None:
            self.seen.extend(seen)

        self.source._look([self.kind], emit, stop)
        return list(self.seen)


def actions(seen: list[Observation]) -> list[object]:
    return [
        one.fields.get("event.action") for one in seen if one.fields["event.dataset"] == "inventory.change"
    ]


def test_the_first_look_is_a_table_and_no_change(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.rows = [("openssl", "3.0"), ("bash", "5.2")]
    (seen,) = world.look()
    assert seen.fields["event.dataset"] == "inventory.packages"
    assert seen.fields["gov.inventory.items"] == ["bash\t5.2", "openssl\t3.0"]
    assert seen.logsource.service == "packages"
    assert world.look() == [], "nothing new"


def test_changes_name_the_row_and_its_columns(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.rows = [("bash", "5.2"), ("nc", "1")]
    world.look()
    world.rows = [("bash", "5.3"), ("nmap", "7")]
    seen = world.look()
    assert actions(seen) == ["changed", "removed", "added"]
    changed = seen[0]
    assert changed.fields["gov.inventory.changed"] == ["version"]
    assert changed.fields["gov.inventory.before"] == "name=bash version=5.2"
    assert changed.fields["package.name"] == "bash"
    assert changed.native == {
        "Kind": "packages",
        "Action": "changed",
        "Key": "bash",
        "name": "bash",
        "version": "5.3",
        "previous_version": "5.2",
    }
    assert seen[-1].fields["event.dataset"] == "inventory.packages"


def test_what_changed_while_the_sensor_was_down_is_told(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.rows = [("a", "1")]
    world.look()
    world.rows = [("a", "1"), ("b", "1")]
    world.start()
    seen = world.look()
    assert actions(seen) == ["added"]
    assert seen[0].fields["gov.inventory.while_down"] is True
    world.start()
    assert actions(world.look()) == [], "told once"


def test_a_kind_others_tell_of_is_not_diffed(tmp_path: Path) -> None:
    world = World(tmp_path, diffed=False)
    world.rows = [("a", "1")]
    world.look()
    world.rows = [("b", "1")]
    assert [one.fields["event.dataset"] for one in world.look()] == ["inventory.packages"]
    assert list(tmp_path.iterdir()) == []


def test_an_error_is_told_once_and_is_no_empty_table(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.rows = [("a", "1")]
    world.look()
    world.rows = PermissionError("no")
    (seen,) = world.look()
    assert "PermissionError" in str(seen.fields["gov.inventory.error"])
    assert world.look() == []
    world.rows = [("a", "1")]
    assert actions(world.look()) == [], "nothing had changed"


def test_a_large_table_comes_in_parts_and_many_changes_are_counted(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.look()
    world.rows = [(f"package-{n:05}", "x" * 60) for n in range(3_000)]
    seen = world.look()
    parts = [one for one in seen if one.fields["event.dataset"] == "inventory.packages"]
    assert len(parts) > 1
    assert {one.fields["gov.inventory.digest"] for one in parts} == {parts[0].fields["gov.inventory.digest"]}
    sizes = [sum(map(len, one.fields["gov.inventory.items"])) for one in parts]  # type: ignore[arg-type]
    assert max(sizes) <= PART_CHARS_MAX
    told = [one for one in seen if one.fields["event.dataset"] == "inventory.change"]
    assert len(told) == CHANGES_MAX
    assert told[-1].fields["gov.inventory.more"] == 3_000 - CHANGES_MAX


def test_a_watched_file_is_read_again_only_when_it_changed(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    watched = tmp_path / "etc/passwd"
    watched.write_text("a\n")
    reads = []

    def read(files: HostFiles) -> list[tuple[str, str]]:
        reads.append(1)
        return [("a", files.text("/etc/passwd"))]

    kind = Kind("accounts", ("name", "value"), read, "test", watch=("/etc/passwd",))
    source = InventorySource([kind], tmp_path / "cursors", root=tmp_path)
    for _ in range(3):
        source._look([kind], lambda _: None, threading.Event())
    assert len(reads) == 1
    before = stamp_of(kind, HostFiles(tmp_path))
    watched.write_text("abc\n")
    assert stamp_of(kind, HostFiles(tmp_path)) != before
    source._look([kind], lambda _: None, threading.Event())
    assert len(reads) == 2


class _Wakes:
    def __init__(self) -> None:
        self.named = [frozenset({"packages"})]

    def changed(self, seconds: float) -> frozenset[str]:
        return self.named.pop() if self.named else frozenset()

    def close(self) -> None:
        self.named = [frozenset({"closed"})]


def test_a_named_kind_is_read_at_once(tmp_path: Path) -> None:
    reads = threading.Semaphore(0)

    def read(_: HostFiles) -> list[tuple[str, str]]:
        reads.release()
        return []

    wakes, stop = _Wakes(), threading.Event()
    kind = Kind("packages", ("name", "version"), read, "test")
    source = InventorySource([kind], tmp_path, interval_seconds=3_600, wake=lambda: wakes)
    thread = threading.Thread(target=source.run, args=(lambda _: None, stop))
    thread.start()
    try:
        assert reads.acquire(timeout=30)
        assert reads.acquire(timeout=30), "the wake led to a second look"
    finally:
        stop.set()
        thread.join(30)
    assert wakes.named == [frozenset({"closed"})]
