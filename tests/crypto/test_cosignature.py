"""Cosignatures: over the exact text, with time and name, never passed off as another's."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.cosignature import Verifier, cosign, cosigned_text, cosigners, verify_cosignature
from crypto.keys import SigningKey
from crypto.note import Checkpoint, parse_note, sign_note, with_signatures
from crypto.words import BadInput, Refused

C2SP = Path(__file__).parents[2].parent / "shared/data/ledger/c2sp"
NOW = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)
LOG, ONE, TWO = (SigningKey.generate() for _ in range(3))
TEXT = Checkpoint("log.example", 7, bytes(32)).text()
W1 = Verifier("w1.example", ONE.public, True)
W2 = Verifier("w2.example", TWO.public, True)


def test_a_note_with_cosignatures() -> None:
    note = sign_note(TEXT, "log.example", LOG)
    note = with_signatures(note, [cosign(TEXT, "w1.example", ONE, NOW), cosign(TEXT, "w2.example", TWO, NOW)])
    note = parse_note(note.encode())
    assert cosigners(note, [W1, W2]) == {"w1.example": NOW, "w2.example": NOW}
    assert cosigners(note, [W1]) == {"w1.example": NOW}
    assert cosigners(note._replace(text=TEXT.replace("7", "8")), [W1, W2]) == {}


def test_the_text_is_the_published_one_with_the_name_added() -> None:
    if not C2SP.is_dir():
        pytest.skip(f"no published examples at {C2SP}")
    published = (C2SP / "tlog-cosignature.signed-message.txt").read_text()
    text = parse_note((C2SP / "tlog-cosignature.example.txt").read_bytes()).text
    ours = cosigned_text("w", 1679315147, text).decode()
    assert ours.replace("witness w\n", "") == published


def test_nothing_else_is_accepted() -> None:
    line = cosign(TEXT, "w1.example", ONE, NOW)
    assert verify_cosignature(TEXT, line, W1) == NOW
    later = (int.from_bytes(line.value[:8], "big") + 1).to_bytes(8, "big")
    for text, wrong, witness in (
        (TEXT, line, W2),
        (TEXT, line, W1._replace(name="w3.example")),
        (TEXT, line._replace(name="w2.example", key_id=W2.key_id), W2),
        (TEXT, line._replace(value=later + line.value[8:]), W1),
        (TEXT, line._replace(value=b"\xff" * 8 + line.value[8:]), W1),
        (TEXT + "x\n", line, W1),
        (TEXT, sign_note(TEXT, "w1.example", ONE).signatures[0], W1),  # a log's signature is no cosignature
    ):
        with pytest.raises(Refused):
            verify_cosignature(text, wrong, witness)


def test_key_lines_come_back_and_say_what_they_are_for() -> None:
    for verifier in (W1, Verifier("log.example", LOG.public, False)):
        again = Verifier.parse(verifier.line())
        assert (again.name, again.public.key_id, again.witness) == (
            verifier.name,
            verifier.public.key_id,
            verifier.witness,
        )
    with pytest.raises(BadInput):
        Verifier.parse(W1.line().replace("w1", "w9"))


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.text(max_size=80), st.binary(max_size=100).map(lambda junk: W1.line()[: len(junk)])))
def test_other_key_lines_are_bad_input(text: str) -> None:
    with pytest.raises(BadInput):
        Verifier.parse(text)
