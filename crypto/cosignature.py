"""Cosignatures: what a witness signs over a checkpoint, in the form of C2SP tlog-cosignature, with SM2.

A witness's line carries eight bytes of time before the signature. What is signed is ``cosignature/v1``, the
time, the witness's name, then the whole text of the note. (The Ed25519 form leaves the name out; with it no
cosignature can be passed off as another witness's who uses the same key.) The signature type is 0xff with
a long identifier of its own, so that a log's key never doubles as a witness's by accident.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, NamedTuple, Self

from crypto.keys import PublicKey, SigningKey
from crypto.note import SM2_TYPE, Note, SignatureLine, decode_base64, key_name, note_key_id, verifier_line
from crypto.sm2 import POINT_BYTES, Sm2PublicKey
from crypto.words import BadInput, Refused, Words

COSIGNATURE_TYPE: Final = b"\xffcosignature/v1-SM2-with-SM3/1.2.156.10197.1.501"
VKEY_CHARS_MAX: Final = 1024
_TIME_BYTES: Final = 8
_KEY_ID_BYTES: Final = 4
_TIME_MAX: Final = 1 << 40  # seconds; what a datetime can still say


class Verifier(NamedTuple):
    """A name with its key and what the key is for: a log's checkpoints or a witness's cosignatures."""

    name: str
    public: PublicKey
    witness: bool

    @property
    def key_id(self) -> bytes:
        """The four bytes by which a signature line finds this key."""
        return (
            cosigner_key_id(self.name, self.public) if self.witness else note_key_id(self.name, self.public)
        )

    def line(self) -> str:
        """The one-line form: name+key id+base64(type, point)."""
        kind = COSIGNATURE_TYPE if self.witness else SM2_TYPE
        return verifier_line(self.name, self.public, kind, self.key_id)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the one-line form, strictly. Raises BadInput."""
        parts = text.split("+", 2)
        if len(text) > VKEY_CHARS_MAX or len(parts) != 3:
            raise _bad("a key line is name+key id+base64")
        name, key_id, encoded = key_name(parts[0]), parts[1], decode_base64(parts[2])
        kind, point = encoded[:-POINT_BYTES], encoded[-POINT_BYTES:]
        if kind not in (SM2_TYPE, COSIGNATURE_TYPE):
            raise _bad("not a key type of this product")
        verifier = cls(name, PublicKey.from_spki(Sm2PublicKey(point).spki()), kind == COSIGNATURE_TYPE)
        if verifier.key_id.hex() != key_id:
            raise _bad("the key id is not that of the key")
        return verifier


def cosigner_key_id(name: str, public: PublicKey) -> bytes:
    """The four bytes that find a witness's key in a note."""
    return sha256(name.encode() + b"\n" + COSIGNATURE_TYPE + public.point).digest()[:_KEY_ID_BYTES]


def cosigned_text(name: str, seconds: int, text: str) -> bytes:
    """Exactly what a witness signs."""
    return f"cosignature/v1\ntime {seconds}\nwitness {name}\n{text}".encode()


def cosign(text: str, name: str, key: SigningKey, now: datetime) -> SignatureLine:
    """The witness's line for a note's text; the caller has checked what the text claims."""
    seconds = int(now.timestamp())
    value = key.sign(cosigned_text(key_name(name), seconds, text))
    return SignatureLine(
        name, cosigner_key_id(name, key.public), seconds.to_bytes(_TIME_BYTES, "big") + value
    )


def verify_cosignature(text: str, line: SignatureLine, witness: Verifier) -> datetime:
    """When this witness signed the text. Raises Refused where it did not."""
    seconds = int.from_bytes(line.value[:_TIME_BYTES], "big")
    if (line.name, line.key_id) != (witness.name, witness.key_id) or not seconds < _TIME_MAX:
        raise Refused(
            "cosignature-foreign",
            Words(f"不是 {witness.name} 的见证签名", f"not a cosignature of {witness.name}"),
            Words("请核对见证方的名称与公钥", "check the witness's name and key"),
            field=line.name,
        )
    signed = cosigned_text(witness.name, seconds, text)
    witness.public.verify(signed, line.value[_TIME_BYTES:])
    return datetime.fromtimestamp(seconds, UTC)


def cosigners(note: Note, witnesses: Sequence[Verifier]) -> dict[str, datetime]:
    """Which of these witnesses signed the note, and when; lines that do not hold count as absent."""
    found: dict[str, datetime] = {}
    for witness in witnesses:
        for line in note.signatures:
            try:
                found[witness.name] = verify_cosignature(note.text, line, witness)
            except (Refused, BadInput):
                continue
    return found


def _bad(reason: str) -> BadInput:
    return BadInput(
        "verifier-malformed",
        Words(f"不是有效的公钥行:{reason}", f"not a valid key line: {reason}"),
        Words("请照抄对方给出的整行", "copy the whole line the other side gave"),
        field="key",
    )
