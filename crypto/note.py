"""Signed notes and tree checkpoints in the C2SP text formats (signed-note, tlog-checkpoint), with SM2.

A note is text, an empty line, then lines ``— name base64(key id, signature)``. The signature type is 0xff
followed by a long identifier, the place the format leaves for algorithms it does not list; the key id is
the first four bytes of SHA-256(name, newline, type, identifier, public point), as the format recommends.
"""

import base64
import binascii
from collections.abc import Sequence
from hashlib import sha256
from typing import Final, NamedTuple, Self

from crypto.keys import PublicKey, SigningKey
from crypto.words import BadInput, Refused, Words

SM2_TYPE: Final = b"\xffSM2-with-SM3/1.2.156.10197.1.501"  # 0xff, then the algorithm's name and OID
NOTE_BYTES_MAX: Final = 64 * 1024
SIGNATURES_MAX: Final = 64
ROOT_BYTES: Final = 32
_DASH: Final = "\N{EM DASH} "
_KEY_ID_BYTES: Final = 4
_SIZE_DIGITS_MAX: Final = 19


class SignatureLine(NamedTuple):
    """One signature of a note; who and with which key, not yet whether it is right."""

    name: str
    key_id: bytes
    value: bytes

    def line(self) -> str:
        """The line as it stands in the note, newline included."""
        return f"{_DASH}{self.name} {base64.b64encode(self.key_id + self.value).decode('ascii')}\n"


class Note(NamedTuple):
    """A text and its signatures, unverified."""

    text: str
    signatures: tuple[SignatureLine, ...]

    def encode(self) -> bytes:
        """The note's bytes."""
        return (self.text + "\n" + "".join(signature.line() for signature in self.signatures)).encode()


class Checkpoint(NamedTuple):
    """What a ledger claims: this origin, at this size, had this root; extension lines are opaque."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """The note text."""
        lines = [self.origin, str(self.size), base64.b64encode(self.root).decode("ascii"), *self.extensions]
        return "\n".join(lines) + "\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a checkpoint's text; what it gives back by ``text()`` is the input, byte for byte."""
        lines = text.split("\n")
        if len(lines) < 4 or lines.pop() or not all(lines):
            raise _bad("a checkpoint has three or more non-empty lines")
        origin, digits, encoded, *extensions = lines
        if not (digits.isascii() and digits.isdigit() and len(digits) <= _SIZE_DIGITS_MAX):
            raise _bad("the size is not a decimal number")
        checkpoint = cls(origin, int(digits), decode_base64(encoded), tuple(extensions))
        if len(checkpoint.root) != ROOT_BYTES or checkpoint.text() != text:
            raise _bad("size or root is not in the one form allowed")
        return checkpoint


def parse_note(data: bytes) -> Note:
    """Read a note strictly: UTF-8, no control characters, at least one well-formed signature line."""
    if len(data) > NOTE_BYTES_MAX:
        raise _bad(f"{len(data)} bytes > {NOTE_BYTES_MAX}")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError:
        raise _bad("not UTF-8") from None
    if any(character < " " and character != "\n" for character in whole):
        raise _bad("a control character")
    body, blank, tail = whole.rpartition("\n\n")
    if not blank or not tail.endswith("\n"):
        raise _bad("no empty line before the signatures, or no newline at the end")
    lines = tail[:-1].split("\n")
    if len(lines) > SIGNATURES_MAX:
        raise _bad(f"{len(lines)} signatures > {SIGNATURES_MAX}")
    return Note(_checked_text(body + "\n"), tuple(signature_line(line) for line in lines))


def signature_line(line: str) -> SignatureLine:
    """Read one signature line without its newline. Raises BadInput."""
    if not line.startswith(_DASH):
        raise _bad("a signature line begins with an em dash and a space")
    name, blank, encoded = line.removeprefix(_DASH).partition(" ")
    value = decode_base64(encoded)
    if not blank or len(value) <= _KEY_ID_BYTES:
        raise _bad("a signature line is dash, name, base64")
    return SignatureLine(key_name(name), value[:_KEY_ID_BYTES], value[_KEY_ID_BYTES:])


def note_key_id(name: str, public: PublicKey) -> bytes:
    """The four bytes that find a signature's key in a note."""
    return sha256(name.encode() + b"\n" + SM2_TYPE + public.point).digest()[:_KEY_ID_BYTES]


def verifier_line(name: str, public: PublicKey, kind: bytes = SM2_TYPE, key_id: bytes | None = None) -> str:
    """The one-line form of a public key: name+key id+base64(type, point)."""
    encoded = base64.b64encode(kind + public.point).decode("ascii")
    return f"{key_name(name)}+{(key_id or note_key_id(name, public)).hex()}+{encoded}"


def sign_note(text: str, name: str, key: SigningKey) -> Note:
    """The text signed by one key; cosigners add their lines with ``with_signatures``."""
    value = key.sign(_checked_text(text).encode())
    return Note(text, (SignatureLine(key_name(name), note_key_id(name, key.public), value),))


def with_signatures(note: Note, more: Sequence[SignatureLine]) -> Note:
    """The same note with further signature lines after its own."""
    return Note(note.text, note.signatures + tuple(more))


def verify_note(note: Note, name: str, public: PublicKey) -> None:
    """Return silently where this key signed the text; lines of other keys are ignored. Raises Refused."""
    key_id = note_key_id(name, public)
    ours = [line for line in note.signatures if (line.name, line.key_id) == (name, key_id)]
    if not ours:
        raise Refused(
            "note-unsigned",
            Words(f"没有 {name} 用该公钥作的签名", f"no signature of {name} with this key"),
            Words("请核对公钥与名称", "check the public key and the name"),
            field=name,
        )
    for line in ours:
        public.verify(note.text.encode(), line.value)


def _checked_text(text: str) -> str:
    if not text.strip("\n") or not text.endswith("\n"):
        raise _bad("the text is empty or does not end with a newline")
    if any(character < " " and character != "\n" for character in text):
        raise _bad("a control character")
    return text


def key_name(name: str) -> str:
    """The name, where a key may have it. Raises BadInput."""
    if not name or "+" in name or any(character.isspace() for character in name):
        raise _bad("a key name is empty or has a space or a plus")
    return name


def decode_base64(text: str) -> bytes:
    """Base64 in its one canonical form."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _bad("not base64") from None
    if base64.b64encode(data).decode("ascii") != text:
        raise _bad("not canonical base64")
    return data


def _bad(reason: str) -> BadInput:
    return BadInput(
        "note-malformed",
        Words(f"不是有效的签名文本:{reason}", f"not a valid signed note: {reason}"),
        Words("请换用原样保存的文件", "use the file as it was written"),
        field="note",
    )
