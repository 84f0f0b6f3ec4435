"""Event files copied without their database are hunted through all the same."""

import argparse
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from crypto.words import LiuheError, Words
from detection import hunt_commands
from detection.condition import Always
from detection.store.alert_store import AlertStore
from detection.store.bare_state import bare_state
from detection.store.event_store import EventStore
from detection.store.hunt import hunt


@pytest.fixture
def copied(center: Any, engine: Engine, start: datetime, tmp_path: Path) -> Path:
    """Twenty sealed events and five in the log, without a database."""
    AlertStore(engine).commit([], [], center.receive(20), start)
    center.store(engine).seal(start, force=True)
    center.receive(5)
    folder = tmp_path / "copy"
    for name in ("events", "log"):
        shutil.copytree(center.folder / name, folder / name)
    return folder


def test_files_and_log_are_read_without_a_database(copied: Path, center: Any) -> None:
    unreadable: list[Words] = []
    with bare_state(copied, unreadable) as engine:
        store = EventStore(copied, engine)
        found = store.search(Always(True), limit=100)
        store.close()
    assert {event.id for event in found.events} == {event.id for event in center.events}
    assert unreadable == []
    assert not (copied / "state.sqlite").exists()


def test_the_command_works_on_the_copy(
    copied: Path, start: datetime, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    parser = argparse.ArgumentParser()
    hunt_commands.register(parser.add_subparsers())
    assert hunt(parser.parse_args(["hunt", "n > 20", "--data", str(copied)]), start) == 0
    assert len(capsysbinary.readouterr().out.splitlines()) == 5
    (copied / "events" / "1-2.parquet").write_bytes(b"nothing")
    assert hunt(parser.parse_args(["hunt", "n > 20", "--data", str(copied)]), start) == 3
    assert "1-2.parquet" in capsysbinary.readouterr().err.decode()


def test_an_empty_folder_is_no_center(tmp_path: Path) -> None:
    with pytest.raises(LiuheError) as caught, bare_state(tmp_path, []):
        pass
    assert caught.value.code == "center-absent"
