"""Sealed files against the ledger's own digests, whatever the state database says."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from compliance.ledger import Ledger, NewEvidence
from compliance.segment_findings import segment_findings
from crypto.keys import SigningKey
from crypto.sm3 import sm3_hex

NOW = datetime(2026, 11, 22, tzinfo=UTC)
FILES = {"a.parquet": b"first file", "b.parquet": b"second file", "c.parquet": b"third file"}


def leaf(kind: str, name: str) -> NewEvidence:
    payload = msgspec.json.encode({"name": name, "sm3": sm3_hex(FILES[name]), "rows": 1})
    return NewEvidence(
        kind=kind,  # type: ignore[arg-type]
        actor="system:store",
        subject=f"segment:{name}",
        summary="1 events",
        payload=payload,
    )


@pytest.fixture(name="events")
def _events(tmp_path: Path) -> Path:
    folder = tmp_path / "events"
    folder.mkdir()
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    return folder


def findings(events: Path, *leaves: NewEvidence) -> list[str]:
    key = SigningKey.generate()
    with Ledger.open(events.parent / "evidence", center="c", origin="o", key=key) as ledger:
        if leaves:
            ledger.append(list(leaves), NOW)
        return [one.en for one in segment_findings(ledger, events)]


def test_what_fits_is_silent_and_what_retention_took_is_not_missed(events: Path) -> None:
    (events / "b.parquet").unlink()
    leaves = [leaf("segment", name) for name in FILES]
    assert findings(events, *leaves, leaf("deletion", "b.parquet")) == []


def test_a_changed_and_a_missing_file_are_named(events: Path) -> None:
    (events / "a.parquet").write_bytes(b"First file")
    (events / "c.parquet").unlink()
    assert findings(events, *(leaf("segment", name) for name in FILES)) == [
        "leaf 0: file a.parquet: its SM3 does not match the record",
        "leaf 2: file c.parquet: No such file or directory",
    ]


def test_without_events_there_is_nothing_to_compare(tmp_path: Path) -> None:
    assert findings(tmp_path / "none", leaf("segment", "a.parquet")) == []
