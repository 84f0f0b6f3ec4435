"""Acts with models become leaves, each once, and again after a lost count."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from compliance.ledger import NewEvidence
from detection.anomaly.model_acts import Act
from soc_api.model_records import ModelRecords, evidence_of, leaves_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Ledger:
    """Keeps what is appended."""

    def __init__(self) -> None:
        self.leaves: list[NewEvidence] = []

    def append(self, records: list[NewEvidence], now: datetime) -> list[int]:
        self.leaves += records
        return list(range(len(self.leaves) - len(records), len(self.leaves)))


def _act(version: int, act: Any = "made") -> Act:
    return Act(act=act, kind="host", version=version, manifest_sm3="0" * 64, time=NOW, why="because")


def _write(folder: Path, *acts: Act) -> None:
    with (folder / "acts.ndjson").open("ab") as file:
        file.writelines(msgspec.json.encode(act) + b"\n" for act in acts)


def test_each_act_is_recorded_once(tmp_path: Path) -> None:
    ledger = Ledger()
    records = ModelRecords(ledger, tmp_path)  # type: ignore[arg-type]
    assert records.record(NOW) == 0
    _write(tmp_path, _act(1), _act(1, "promoted"))
    assert records.record(NOW) == 2
    assert records.record(NOW) == 0
    _write(tmp_path, _act(2, "refused"))
    assert records.record(NOW) == 1
    assert [leaf.subject for leaf in ledger.leaves] == ["model:host/000001"] * 2 + ["model:host/000002"]
    assert {leaf.kind for leaf in ledger.leaves} == {"model"}
    assert evidence_of(_act(3)).summary == "made because"
    assert evidence_of(_act(3)).actor == "system:pipeline"
    assert evidence_of(msgspec.structs.replace(_act(3), actor="user:sec")).actor == "user:sec"
    assert leaves_of(tmp_path) == {0: 0, 1: 1, 2: 2}


def test_a_damaged_count_records_again_rather_than_not(tmp_path: Path) -> None:
    ledger = Ledger()
    records = ModelRecords(ledger, tmp_path)  # type: ignore[arg-type]
    _write(tmp_path, _act(1))
    records.record(NOW)
    (tmp_path / "recorded.json").write_text("{")
    assert records.record(NOW) == 1
    assert len(ledger.leaves) == 2
