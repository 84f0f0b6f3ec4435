"""The reference pages name every field of Event and Alert, every column and every error of the stores."""

import re
from pathlib import Path

import msgspec
import pytest

from detection.alert import Alert, Match
from detection.store.alert_group import AlertGroup
from detection.store.event_file import SCHEMA
from detection.store.tables import metadata
from sensors.event import Event, LogSource

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
OWN_TABLES = (
    "alert_groups alerts alert_history pipeline_cursor detector_state segments probe_results sensor_state"
)


def named(page: str) -> set[str]:
    return set(re.findall(r"`([^`\n]+)`", (REFERENCE / page).read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("page", "struct"),
    [
        ("event.md", Event),
        ("event.md", LogSource),
        ("alert.md", Alert),
        ("alert.md", Match),
        ("alert.md", AlertGroup),
    ],
)
def test_every_key_is_documented(page: str, struct: type[msgspec.Struct]) -> None:
    assert {field.name for field in msgspec.structs.fields(struct)} <= named(page)


def test_every_column_is_documented() -> None:
    words = named("storage.md")
    assert set(SCHEMA.names) <= words
    for name in [*OWN_TABLES.split(), "sensor_gaps", "counters"]:
        assert {name, *(column.name for column in metadata.tables[name].columns)} <= words


def test_every_error_is_documented() -> None:
    raised: set[str] = set()
    for path in (ROOT / "detection" / "store").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        raised |= set(re.findall(r"(?:LiuheError|BadInput|Refused)\(\s*\"([a-z-]+)\"", text))
    assert raised
    assert raised <= named("storage.md")


def documented_fields(text: str) -> set[str]:
    """Names in backticks; ``.last`` after a whole name stands for its sibling."""
    found: set[str] = set()
    for line in text.splitlines():
        stem = ""
        for name in re.findall(r"`(\.?[a-z0-9_]+(?:\.[a-z0-9_]+)*)[^`]*`", line):
            found.add(stem + name if name.startswith(".") else name)
            if not name.startswith("."):
                stem = name.rpartition(".")[0]
    return found


def test_every_ecs_name_the_sensors_write_is_documented() -> None:
    text = "\n".join((REFERENCE / page).read_text(encoding="utf-8") for page in ("event.md", "inventory.md"))
    written: set[str] = set()
    for path in (ROOT / "sensors").rglob("*.py"):
        written |= set(re.findall(r'"(gov(?:\.[a-z_0-9]+)+)"', path.read_text(encoding="utf-8")))
    documented = documented_fields(text) | set(re.findall(r"gov(?:\.[a-z_0-9]+)+", text))
    assert sorted(written - documented) == []
