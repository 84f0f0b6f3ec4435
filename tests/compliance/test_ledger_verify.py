"""Verification up to which checkpoint: lost, foreign and rolled-back heads of the ledger."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from compliance.ledger import Ledger, LedgerReader, NewEvidence, VerifyOutcome
from crypto.keys import PublicKey, SigningKey
from crypto.note import Checkpoint, parse_note

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SIZE = 23


@pytest.fixture(name="public", scope="module")
def _public(tmp_path_factory: pytest.TempPathFactory) -> PublicKey:
    return KEY(tmp_path_factory).public


_keys: list[SigningKey] = []


def KEY(factory: pytest.TempPathFactory) -> SigningKey:  # noqa: N802
    if not _keys:
        _keys.append(SigningKey.create(factory.mktemp("keys") / "key.pem"))
    return _keys[0]


@pytest.fixture(name="folder")
def _folder(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with Ledger.open(tmp_path / "e", center="c", origin="o", key=KEY(tmp_path_factory)) as ledger:
        for number in range(SIZE):
            ledger.append([_entry(number)], NOW)
            if number in (3, 11):
                ledger.checkpoint(NOW)
        ledger.checkpoint(NOW)
    return tmp_path / "e"


def _entry(number: int) -> NewEvidence:
    return NewEvidence(
        kind="audit", actor="user:a", subject=f"s:{number}", summary=f"摘要 {number}", payload=b"%d" % number
    )


def _verify(folder: Path, public: PublicKey, trusted: Checkpoint | None = None) -> VerifyOutcome:
    reader = LedgerReader(folder, public=public)
    try:
        return reader.verify(trusted=trusted)
    finally:
        reader.close()


def _english(outcome: VerifyOutcome) -> str:
    return "\n".join(finding.en for finding in outcome.findings)


def test_rolling_back_is_found_with_a_checkpoint_kept_apart(folder: Path, public: PublicKey) -> None:
    kept = Checkpoint.parse(parse_note((folder / "checkpoint").read_bytes()).text)
    assert _verify(folder, public, kept).ok
    reader = LedgerReader(folder, public=public)
    old = reader.checkpoint_at(4)
    assert old is not None
    reader.close()
    (folder / "checkpoint").write_bytes(old)
    assert "falls short" in _english(_verify(folder, public, kept))
    other = kept._replace(root=bytes(32))
    assert not _verify(folder, public, other).ok


def test_without_a_checkpoint_leaves_are_not_called_whole(
    tmp_path: Path, public: PublicKey, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Ledger.open(tmp_path, center="c", origin="o", key=KEY(tmp_path_factory)) as ledger:
        assert ledger.verify().ok
        ledger.append([_entry(0)], NOW)
        assert "no valid checkpoint" in _english(ledger.verify())


def test_lost_checkpoint_files_are_found(folder: Path, public: PublicKey) -> None:
    (folder / "checkpoint").unlink()
    outcome = _verify(folder, public)
    assert outcome.size == SIZE
    assert "checkpoint is missing" in _english(outcome)


def test_another_key_is_refused(folder: Path, tmp_path: Path) -> None:
    outcome = _verify(folder, SigningKey.create(tmp_path / "other.pem").public)
    assert not outcome.ok
