"""Signed notes and checkpoints: byte-exact on published examples, strict on everything else."""

import base64
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.keys import PublicKey, SigningKey
from crypto.note import (
    SM2_TYPE,
    Checkpoint,
    SignatureLine,
    note_key_id,
    parse_note,
    sign_note,
    verifier_line,
    verify_note,
    with_signatures,
)
from crypto.words import BadInput, Refused

C2SP = Path(__file__).parents[2].parent / "shared/data/ledger/c2sp"
NAME = "evidence.example/center/sm3"


@pytest.fixture(name="key", scope="module")
def _key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return SigningKey.create(tmp_path_factory.mktemp("keys") / "key.pem")


def _example(name: str) -> bytes:
    if not (C2SP / name).exists():
        pytest.skip(f"no published example at {C2SP / name}")
    return (C2SP / name).read_bytes()


def test_published_note_is_kept_byte_for_byte_and_its_signature_lines_are_right() -> None:
    raw = _example("signed-note.example.txt")
    name, key_id, encoded = _example("signed-note.example.vkey").decode().strip().split("+")
    note = parse_note(raw)
    assert note.encode() == raw
    (line,) = note.signatures
    assert (line.name, line.key_id.hex()) == (name, key_id)
    typed = base64.b64decode(encoded)
    assert sha256(name.encode() + b"\n" + typed).digest()[:4] == line.key_id
    Ed25519PublicKey.from_public_bytes(typed[1:]).verify(line.value, note.text.encode())


@pytest.mark.parametrize("name", ["tlog-checkpoint.example.txt", "tlog-cosignature.example.txt"])
def test_published_checkpoints_are_kept_byte_for_byte(name: str) -> None:
    raw = _example(name)
    note = parse_note(raw)
    checkpoint = Checkpoint.parse(note.text)
    assert checkpoint.text() == note.text
    assert note.encode() == raw
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)


def test_published_cosignature_lies_over_the_checkpoint_text() -> None:
    signed = _example("tlog-cosignature.signed-message.txt").decode()
    note = parse_note(_example("tlog-cosignature.example.txt"))
    assert signed == f"cosignature/v1\ntime 1679315147\n{note.text}"
    assert int.from_bytes(note.signatures[1].value[:8], "big") == 1679315147


def test_sign_and_verify(key: SigningKey) -> None:
    note = parse_note(sign_note(Checkpoint(NAME, 7, bytes(32)).text(), NAME, key).encode())
    verify_note(note, NAME, key.public)
    assert Checkpoint.parse(note.text) == Checkpoint(NAME, 7, bytes(32))
    name, key_id, encoded = verifier_line(NAME, key.public).split("+", 2)
    assert (name, key_id) == (NAME, note.signatures[0].key_id.hex())
    assert base64.b64decode(encoded) == SM2_TYPE + key.public.point


def test_unknown_signatures_are_ignored_but_wrong_ones_are_not(key: SigningKey, tmp_path: Path) -> None:
    other = SigningKey.create(tmp_path / "other.pem")
    note = sign_note("text\n", NAME, key)
    foreign = SignatureLine("witness.example", b"1234", b"anything")
    verify_note(with_signatures(note, [foreign]), NAME, key.public)
    wrong = SignatureLine(NAME, note_key_id(NAME, key.public), bytes(64))
    for bad, public in (
        (note, other.public),
        (with_signatures(note, [wrong]), key.public),
        (note._replace(text="text.\n"), key.public),
        (note._replace(signatures=(foreign,)), key.public),
    ):
        with pytest.raises(Refused):
            verify_note(bad, NAME, public)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"text\n",
        b"text\n\n",
        "text\n\n— a AAAAAAAA".encode(),
        b"text\n\n- a AAAAAAAA\n",
        "text\n\n—  AAAAAAAA\n".encode(),
        "text\n\n— a+b AAAAAAAA\n".encode(),
        "text\n\n— a\u3000b AAAAAAAA\n".encode(),
        "text\n\n— a AAAA\n".encode(),
        "text\n\n— a AAAAAAB=\n".encode(),
        "text\n\n— a AAAAAAA*\n".encode(),
        "text\r\n\n— a AAAAAAAA\n".encode(),
        "\n\n— a AAAAAAAA\n".encode(),
        b"\xff\n\n" + "— a AAAAAAAA\n".encode(),
        ("text\n\n" + "— a AAAAAAAA\n" * 65).encode(),
        b"x" * 70_000,
    ],
)
def test_malformed_notes_are_refused(raw: bytes) -> None:
    with pytest.raises(BadInput, match="note-malformed"):
        parse_note(raw)


ROOT = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"o\n1\n{ROOT}",
        f"o\n01\n{ROOT}\n",
        f"o\n-1\n{ROOT}\n",
        f"o\n+1\n{ROOT}\n",
        f"o\n١\n{ROOT}\n",
        f"o\n{'9' * 20}\n{ROOT}\n",
        "o\n1\nAAAA\n",
        f"\n1\n{ROOT}\n",
        f"o\n1\n{ROOT}\n\n",
        f"o\n1\n{ROOT[:-2]}B=\n",
    ],
)
def test_malformed_checkpoints_are_refused(text: str) -> None:
    with pytest.raises(BadInput, match="note-malformed"):
        Checkpoint.parse(text)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=120))
def test_whatever_parses_is_written_back_byte_for_byte(data: bytes) -> None:
    for raw in (data, data + "\n\n— a AAAAAAAA\n".encode()):
        try:
            note = parse_note(raw)
        except BadInput:
            continue
        assert note.encode() == raw


def test_a_public_key_is_only_its_own(key: SigningKey) -> None:
    assert PublicKey.from_pem(key.public.pem()).key_id == key.public.key_id
    assert note_key_id(NAME, key.public) != note_key_id("other.example", key.public)
