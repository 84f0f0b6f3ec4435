"""The reading side: what it refuses, and the checkpoints it finds by size."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from compliance.evidence import Evidence
from compliance.ledger import Ledger, LedgerReader, NewEvidence
from compliance.ledger_reader import Settings, time_line
from crypto.keys import SigningKey
from crypto.note import Checkpoint, sign_note
from crypto.words import BadInput, LiuheError, Refused

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture(name="key")
def _key(tmp_path: Path) -> SigningKey:
    return SigningKey.create(tmp_path / "key.pem")


@pytest.fixture(name="reader")
def _reader(tmp_path: Path, key: SigningKey) -> LedgerReader:
    with Ledger.open(tmp_path / "e", center="c", origin="o", key=key) as ledger:
        for number in range(9):
            entry = NewEvidence(kind="audit", actor="a", subject="s", summary="x", payload=b"%d" % number)
            ledger.append([entry], NOW)
            if number % 2:
                ledger.checkpoint(NOW)
    return LedgerReader(tmp_path / "e")


def test_checkpoints_by_size(reader: LedgerReader) -> None:
    kept = [size for size in range(12) if reader.checkpoint_at(size)]
    assert kept == [2, 4, 6, 8]
    note = reader.checkpoint_at(4)
    assert note is not None
    assert reader.checked(note).root == reader.root(4)
    assert reader.consistency(4, 8)
    reader.close()


def test_outside_the_checkpoint_is_bad_input(reader: LedgerReader) -> None:
    for ask in (
        lambda: reader.leaf(8),
        lambda: reader.record(-1),
        lambda: reader.root(9),
        lambda: reader.inclusion(0, 9),
        lambda: reader.consistency(1, 9),
        lambda: reader.payload_of(_of("../../../../etc/passwd")),
        lambda: reader.payload_of(_of("A" * 64)),
    ):
        with pytest.raises(BadInput):
            ask()
    with pytest.raises(LiuheError, match="ledger-damaged"):
        reader.payload_of(_of("0" * 64))
    assert [record.sequence for record, _ in reader.records(5)] == [5, 6, 7]
    assert list(reader.records(8)) == []
    reader.close()


def _of(digest: str) -> Evidence:
    return Evidence(
        kind="audit",
        center="c",
        sequence=3,
        source="audit",
        number=3,
        time=datetime(2026, 11, 22, tzinfo=UTC),
        actor="user:a",
        subject="s",
        summary="s",
        payload_sm3=digest,
        payload_bytes=1,
    )


def test_a_checkpoint_of_another_ledger_is_refused(reader: LedgerReader, key: SigningKey) -> None:
    foreign = sign_note(Checkpoint("p", 8, bytes(32)).text(), "p", key).encode()
    with pytest.raises(Refused, match="checkpoint-origin"):
        reader.checked(foreign)
    (reader.folder / "checkpoint").write_bytes(foreign)
    with pytest.raises(Refused, match="checkpoint-origin"):
        _ = reader.size
    reader.close()


def test_without_any_key_nothing_is_believed(reader: LedgerReader) -> None:
    (reader.folder / "public.pem").unlink()
    keyless = LedgerReader(reader.folder)
    with pytest.raises(Refused, match="ledger-keyless"):
        _ = keyless.size
    keyless.close()
    reader.close()


def test_settings_have_one_form(reader: LedgerReader) -> None:
    path = reader.folder / "ledger.json"
    assert Settings.load(reader.folder) == Settings(center="c", origin="o")
    for text in (path.read_text() + " ", path.read_text().replace('"schema":1', '"schema":2'), "{}", "[]"):
        path.write_text(text)
        with pytest.raises(LiuheError, match="ledger-damaged"):
            Settings.load(reader.folder)
    assert time_line(NOW) == f"time {int(NOW.timestamp())}"
    reader.close()
