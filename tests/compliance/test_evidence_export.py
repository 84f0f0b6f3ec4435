"""Choosing records for a kit and the text of their proofs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from compliance.evidence_export import chosen, export_kit
from compliance.ledger import Ledger, NewEvidence
from crypto.keys import PublicKey, SigningKey
from crypto.words import LiuheError

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture(name="ledger")
def _ledger(tmp_path: Path) -> Ledger:
    ledger = Ledger.open(tmp_path / "e", center="c", origin="o", key=SigningKey.create(tmp_path / "key.pem"))
    for number, kind in enumerate(("audit", "report", "audit", "gap")):
        entry = NewEvidence(kind=kind, actor="system:t", subject="s", summary="x", payload=b"%d" % number)
        ledger.append([entry], NOW + timedelta(hours=number))
    ledger.checkpoint(NOW)
    return ledger


def test_chosen(ledger: Ledger) -> None:
    def indices(kinds: set[str], since: datetime | None) -> list[int]:
        return [record.sequence for record, _ in chosen(ledger, kinds, since)]

    assert indices(set(), None) == [0, 1, 2, 3]
    assert indices({"audit"}, None) == [0, 2]
    assert indices({"audit", "gap"}, NOW + timedelta(hours=2)) == [2, 3]
    ledger.close()


def test_the_key_lies_beside_and_a_lost_payload_stops_the_export(ledger: Ledger, tmp_path: Path) -> None:
    made = export_kit(ledger, tmp_path / "a.zip")
    assert PublicKey.load(made.key).key_id == made.key_id
    log = ledger.folder / "payloads.log"
    log.write_bytes(log.read_bytes().replace(b"2", b"3"))
    with pytest.raises(LiuheError, match="ledger-damaged"):
        export_kit(ledger, tmp_path / "b.zip")
    assert sorted(path.name for path in tmp_path.glob("*.zip*")) == ["a.zip"]
    ledger.close()
