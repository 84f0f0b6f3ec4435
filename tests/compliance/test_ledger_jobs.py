"""The beats: checkpoints by time and by number, heartbeats that say how much there was."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from compliance import ledger_jobs
from compliance.ledger import Ledger, NewEvidence
from compliance.ledger_jobs import LedgerBeats
from crypto.keys import SigningKey

NOW = datetime(2026, 11, 22, tzinfo=UTC)
GAP = NewEvidence(kind="gap", source="gap/h-1", actor="sensor:h-1", subject="gap:1", summary="x", payload=b"")


@pytest.fixture(name="ledger")
def _ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path, center="c", origin="o", key=SigningKey.generate()) as ledger:
        yield ledger


def test_a_checkpoint_each_minute_or_each_so_many_leaves(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_jobs, "CHECKPOINT_LEAVES", 3)
    clock = [100.0]
    beats = LedgerBeats(ledger, monotonic=lambda: clock[0])
    clock[0] += 1_000
    assert not beats.checkpoint(NOW)  # nothing to sign
    ledger.append([GAP], NOW)
    assert beats.checkpoint(NOW)
    ledger.append([GAP, GAP], NOW)
    assert not beats.checkpoint(NOW)
    clock[0] += 60
    assert beats.checkpoint(NOW)
    ledger.append([GAP, GAP, GAP], NOW)
    assert beats.checkpoint(NOW)
    latest = ledger.latest()
    assert latest is not None
    assert latest.checkpoint.size == 6


def test_a_heartbeat_says_how_much_there_was(ledger: Ledger) -> None:
    beats = LedgerBeats(ledger, state=lambda: {"witnessed": 0})
    ledger.append([GAP, GAP], NOW)
    assert [beats.heartbeat(NOW), beats.heartbeat(NOW)] == [2, 3]
    record = ledger.record(3)
    assert (record.kind, record.source, record.number) == ("heartbeat", "heartbeat", 1)
    said = msgspec.json.decode(ledger.payload_of(record))
    assert (said["size"], said["sources"], said["all_sources"]) == (3, {"heartbeat": 1}, 2)
    assert said["witnessed"] == 0
