"""The SHA-256 twin: bound to the SM2 checkpoint, remade from the leaves, found where it was changed."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from compliance.ledger import Ledger, NewEvidence
from compliance.ledger_twin import EXTENSION, sha256_digest, twin_origin, twin_root
from crypto import merkle
from crypto.keys import SigningKey
from crypto.note import Checkpoint, parse_note
from crypto.note_ed25519 import Ed25519Key, verify_ed25519

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ORIGIN = "log.example/evidence/sm3"
KEY = SigningKey.generate()


@pytest.fixture(name="twin")
def _twin(tmp_path: Path) -> Ed25519Key:
    return Ed25519Key.create(tmp_path / "twin.pem")


def opened(tmp_path: Path, twin: Ed25519Key | None) -> Ledger:
    return Ledger.open(tmp_path / "e", center="c", origin=ORIGIN, key=KEY, twin=twin)


def grow(ledger: Ledger, count: int) -> Checkpoint:
    entry = NewEvidence(kind="audit", actor="user:a", subject="s", summary="x", payload=b"")
    ledger.append([entry] * count, NOW)
    return Checkpoint.parse(parse_note(ledger.checkpoint(NOW).encode()).text)


def expected(ledger: Ledger) -> bytes:
    frontier = merkle.Frontier(sha256_digest)
    for index in range(ledger.size):
        frontier.append(merkle.leaf_hash(ledger.leaf(index), sha256_digest))
    return frontier.root()


def test_both_checkpoints_name_the_root(tmp_path: Path, twin: Ed25519Key) -> None:
    with opened(tmp_path, twin) as ledger:
        for count in (1, 5, 3):
            checkpoint = grow(ledger, count)
            note = parse_note((tmp_path / "e/checkpoint.sha256").read_bytes())
            verify_ed25519(note, twin_origin(ORIGIN), twin.point)
            own = Checkpoint.parse(note.text)
            assert own == Checkpoint("log.example/evidence/sha256", ledger.size, expected(ledger))
            assert twin_root(checkpoint) == own.root
        assert ledger.verify().ok


def test_it_is_taken_up_and_caught_up(tmp_path: Path, twin: Ed25519Key) -> None:
    with opened(tmp_path, None) as ledger:
        assert twin_root(grow(ledger, 5)) is None
    for count in (3, 2):
        with opened(tmp_path, twin) as ledger:
            assert twin_root(grow(ledger, count)) == expected(ledger)
    with opened(tmp_path, None) as ledger:
        grow(ledger, 4)
    (tmp_path / "e/hashes.sha256").write_bytes(b"cut")
    with opened(tmp_path, twin) as ledger:
        assert twin_root(grow(ledger, 1)) == expected(ledger)
        assert ledger.verify().ok


def test_every_flipped_byte_is_found(tmp_path: Path, twin: Ed25519Key) -> None:
    with opened(tmp_path, twin) as ledger:
        grow(ledger, 3)
        grow(ledger, 4)
        for name in ("hashes.sha256", "checkpoint.sha256", "sha256.vkey"):
            path = tmp_path / "e" / name
            data = path.read_bytes()
            for at in range(0, len(data), 3):
                path.write_bytes(data[:at] + bytes((data[at] ^ 0x20,)) + data[at + 1 :])
                outcome = ledger.verify()
                assert not outcome.ok, (name, at)
                assert any(name in finding.en for finding in outcome.findings), (name, at)
            path.unlink()
            assert not ledger.verify().ok
            path.write_bytes(data)
        assert ledger.verify().ok


@pytest.mark.parametrize(
    ("line", "root"), [("time 1", None), (EXTENSION + "!", b""), (EXTENSION + "AAAA", bytes(3))]
)
def test_the_line(line: str, root: bytes | None) -> None:
    assert twin_root(Checkpoint(ORIGIN, 1, bytes(32), (line,))) == root
