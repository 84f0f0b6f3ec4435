"""Ed25519 notes: the published example, and our own."""

import base64
from pathlib import Path

import pytest

from crypto.keys import SigningKey
from crypto.note import parse_note
from crypto.note_ed25519 import Ed25519Key, ed25519_key_id, verify_ed25519
from crypto.words import BadInput, Refused

C2SP = Path(__file__).parents[2].parent / "shared/data/ledger"


def test_the_published_note_verifies() -> None:
    if not C2SP.is_dir():
        pytest.skip(f"no published examples at {C2SP}")
    cases = [(C2SP / "c2sp/signed-note.example.txt", C2SP / "c2sp/signed-note.example.vkey")]
    log = C2SP / "tessera-log"
    cases += [(path, log / "public-key.vkey") for path in sorted(log.glob("checkpoint.*"))]
    assert len(cases) > 10
    for path, key in cases:
        name, key_id, encoded = key.read_text().strip().split("+", 2)
        point = base64.b64decode(encoded)[1:]
        assert ed25519_key_id(name, point).hex() == key_id
        note = parse_note(path.read_bytes())
        verify_ed25519(note, name, point)
        with pytest.raises(Refused):
            verify_ed25519(note._replace(text=note.text + "x\n"), name, point)


def test_sign_keep_and_verify(tmp_path: Path) -> None:
    key = Ed25519Key.create(tmp_path / "k.pem")
    again = Ed25519Key.load(tmp_path / "k.pem")
    note = parse_note(again.sign_note("text\n", "log.example").encode())
    verify_ed25519(note, "log.example", key.point)
    assert key.verifier_line("log.example").startswith(f"log.example+{key.key_id('log.example').hex()}+")
    other = Ed25519Key.create(tmp_path / "other.pem")
    for name, point in (("log.example", other.point), ("else.example", key.point)):
        with pytest.raises(Refused):
            verify_ed25519(note, name, point)


def test_other_files_are_no_such_key(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_bytes(b"rubbish")
    SigningKey.create(tmp_path / "sm2.pem")
    for name in ("x.pem", "sm2.pem"):
        with pytest.raises(BadInput, match="key-malformed"):
            Ed25519Key.load(tmp_path / name)
