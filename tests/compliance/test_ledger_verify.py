"""Verification up to which checkpoint: lost, foreign and rolled-back heads of the ledger."""

from pathlib import Path

import pytest
from ledger_world import KEY, NOW, SIZE, english, entry, filled, verified

from compliance.ledger import Ledger, LedgerReader
from crypto.keys import PublicKey, SigningKey
from crypto.note import Checkpoint, parse_note


@pytest.fixture(name="public")
def _public() -> PublicKey:
    return KEY.public


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    return filled(tmp_path / "e")


def test_rolling_back_is_found_with_a_checkpoint_kept_apart(folder: Path, public: PublicKey) -> None:
    kept = Checkpoint.parse(parse_note((folder / "checkpoint").read_bytes()).text)
    assert verified(folder, public, kept).ok
    reader = LedgerReader(folder, public=public)
    old = reader.checkpoint_at(4)
    assert old is not None
    reader.close()
    (folder / "checkpoint").write_bytes(old)
    assert "falls short" in english(verified(folder, public, kept))
    other = kept._replace(root=bytes(32))
    assert not verified(folder, public, other).ok


def test_without_a_checkpoint_leaves_are_not_called_whole(
    tmp_path: Path, public: PublicKey, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Ledger.open(tmp_path, center="c", origin="o", key=KEY) as ledger:
        assert ledger.verify().ok
        ledger.append([entry(0)], NOW)
        assert "no valid checkpoint" in english(ledger.verify())


def test_lost_checkpoint_files_are_found(folder: Path, public: PublicKey) -> None:
    (folder / "checkpoint").unlink()
    outcome = verified(folder, public)
    assert outcome.size == SIZE
    assert "checkpoint is missing" in english(outcome)


def test_another_key_is_refused(folder: Path, tmp_path: Path) -> None:
    outcome = verified(folder, SigningKey.create(tmp_path / "other.pem").public)
    assert not outcome.ok
