"""Digests of executables: once per file and change, away from the caller, kept over restarts."""

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

from sensors.event import Observation
from sensors.host.cursor import Cursor
from sensors.host.executables import Digests, Executables


def wait_for(done: Callable[[], object]) -> None:
    until = time.monotonic() + 30
    while not done():
        assert time.monotonic() < until
        time.sleep(0.01)


class World:
    """A program and the executables of a host."""

    def __init__(self, folder: Path) -> None:
        self.program = folder / "program"
        self.program.write_bytes(b"one")
        self.cursor = Cursor(folder, "executables")
        self.seen: list[Observation] = []
        self.start()

    def start(self) -> None:
        self.executables = Executables(self.cursor, self.seen.append, proc=self.program.parent / "proc")
        self.executables.start()

    def ask(self) -> Digests | None:
        return self.executables.digests(os.getpid(), str(self.program))


def test_a_program_is_told_once_and_its_digests_are_known_from_then_on(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert world.ask() is None, "the hot path does not wait"
    wait_for(world.ask)
    wait_for(lambda: world.seen)  # told after the digests are known
    found = world.ask()
    assert found == Digests(hashlib.sha256(b"one").hexdigest(), hashlib.new("sm3", b"one").hexdigest())
    assert [one.fields["file.path"] for one in world.seen] == [str(world.program)]
    world.executables.stop()
    world.start()
    assert world.ask() == found, "a restart tells nothing anew"
    world.executables.stop()
    assert len(world.seen) == 1


def test_a_changed_program_is_told_again(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.ask()
    wait_for(lambda: len(world.seen) == 1)
    world.program.write_bytes(b"another")
    assert world.ask() is None
    wait_for(lambda: len(world.seen) == 2)
    assert world.seen[1].fields["file.hash.sha256"] == hashlib.sha256(b"another").hexdigest()
    world.executables.stop()


def test_what_is_gone_or_no_file_is_passed_over(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert world.executables.digests(1, str(tmp_path / "absent")) is None
    assert world.executables.digests(1, str(tmp_path)) is None
    world.executables.stop()
    assert world.seen == []
