"""The messages between two centers while a package is pushed, and their bytes; no sockets.

A message is a length (u32, big-endian) and that many bytes of MessagePack: an object with ``type`` and the
fields of one of the structs below. Each side decodes only what the other may say at that moment, and each
moment has its own greatest length. Documented in docs/reference/transfer.md.
"""

import struct
from typing import Annotated, Any, Final

import msgspec

from crypto.package_envelope import CHUNK_BYTES, CLEAR_BYTES_MAX, SEALED_BYTES_MAX, TAG_BYTES
from crypto.package_format import CONTENT_BYTES_MAX
from crypto.transfer.receipt import RECEIPT_BYTES_MAX
from crypto.words import BadInput, LiuheError, Words

PROTOCOL: Final = 1
LENGTH: Final = struct.Struct(">I")
HEADER_BYTES_MAX: Final = CLEAR_BYTES_MAX + SEALED_BYTES_MAX
SEALED_CHUNK_BYTES_MAX: Final = CHUNK_BYTES + TAG_BYTES
CHUNKS_MAX: Final = CONTENT_BYTES_MAX // CHUNK_BYTES + 1
PACKAGE_BYTES_MAX: Final = CONTENT_BYTES_MAX + CHUNKS_MAX * TAG_BYTES + HEADER_BYTES_MAX
_FRAME_BYTES: Final = 256  # names and numbers around the largest field
SMALL_BYTES_MAX: Final = 4 * 1024
HEADER_MESSAGE_BYTES_MAX: Final = HEADER_BYTES_MAX + _FRAME_BYTES
CHUNK_MESSAGE_BYTES_MAX: Final = SEALED_CHUNK_BYTES_MAX + _FRAME_BYTES
ANSWER_BYTES_MAX: Final = CHUNKS_MAX // 8 + RECEIPT_BYTES_MAX + _FRAME_BYTES

Sm3 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
ChunkIndex = Annotated[int, msgspec.Meta(ge=0, lt=CHUNKS_MAX)]


class Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True):
    """Any of them."""


class Offer(Message, frozen=True, kw_only=True, tag="offer"):
    """The sender's first message; ``package_sm3`` is the SM3 of the package's header."""

    protocol: int = PROTOCOL
    package_sm3: Sm3
    package_bytes: Annotated[int, msgspec.Meta(ge=1, le=PACKAGE_BYTES_MAX)]


class HeaderBytes(Message, frozen=True, kw_only=True, tag="header"):
    """The package's header, sent where it is asked for."""

    data: Annotated[bytes, msgspec.Meta(max_length=HEADER_BYTES_MAX)]


class Chunk(Message, frozen=True, kw_only=True, tag="chunk"):
    """One sealed chunk."""

    index: ChunkIndex
    sealed: Annotated[bytes, msgspec.Meta(max_length=SEALED_CHUNK_BYTES_MAX)]


class Done(Message, frozen=True, kw_only=True, tag="done"):
    """Every chunk was sent and taken."""


class WantHeader(Message, frozen=True, kw_only=True, tag="want-header"):
    """The receiver does not know this package yet."""


class Have(Message, frozen=True, kw_only=True, tag="have"):
    """Which chunks are there, the first in the highest bit; ``credit`` may be under way untaken."""

    bits: Annotated[bytes, msgspec.Meta(max_length=CHUNKS_MAX // 8 + 1)]
    credit: Annotated[int, msgspec.Meta(ge=1, le=64)]


class Taken(Message, frozen=True, kw_only=True, tag="taken"):
    """A chunk was verified and written: one more may come."""

    index: ChunkIndex


class Working(Message, frozen=True, kw_only=True, tag="working"):
    """The import goes on; the receipt follows."""


class ReceiptBytes(Message, frozen=True, kw_only=True, tag="receipt"):
    """The receiver's signed receipt, of an import or of a refusal."""

    data: Annotated[bytes, msgspec.Meta(max_length=RECEIPT_BYTES_MAX)]


class Problem(Message, frozen=True, kw_only=True, tag="problem"):
    """Why the connection ends now; ``again`` where trying later may help."""

    code: Annotated[str, msgspec.Meta(max_length=64)]
    zh: Annotated[str, msgspec.Meta(max_length=500)]
    en: Annotated[str, msgspec.Meta(max_length=500)]
    again: bool


Answer = WantHeader | Have | Taken | Working | ReceiptBytes | Problem
# Built once: a decoder knows what may be said at its moment.
OFFER: Final[msgspec.msgpack.Decoder[Offer]] = msgspec.msgpack.Decoder(Offer)
HEADER: Final[msgspec.msgpack.Decoder[HeaderBytes]] = msgspec.msgpack.Decoder(HeaderBytes)
CONTENT: Final[msgspec.msgpack.Decoder[Chunk | Done]] = msgspec.msgpack.Decoder(Chunk | Done)
ANSWER: Final[msgspec.msgpack.Decoder[Answer]] = msgspec.msgpack.Decoder(Answer)
_encoder: Final = msgspec.msgpack.Encoder()


def encode(message: Message) -> bytes:
    """The message with its length before it."""
    body = _encoder.encode(message)
    return LENGTH.pack(len(body)) + body


def length_of(prefix: bytes, bytes_max: int) -> int:
    """The length of the message that follows. Raises BadInput where it may not be so long now."""
    length: int = LENGTH.unpack(prefix)[0]
    if not 0 < length <= bytes_max:
        raise malformed(f"a message of {length} bytes, at most {bytes_max} here", "length")
    return length


def decode(body: bytes, decoder: msgspec.msgpack.Decoder[Any]) -> Any:
    """The message. Raises BadInput where it is none that may be said now."""
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise malformed(str(error)[:200]) from None


def problem_of(error: LiuheError, *, again: bool) -> Problem:
    """An error as it is told to the peer."""
    return Problem(code=error.code[:64], zh=error.what.zh[:500], en=error.what.en[:500], again=again)


def malformed(reason: str, field: str = "message") -> BadInput:
    """What is said of bytes that are not what they should be."""
    return BadInput(
        "transfer-wire",
        Words(f"传输报文不合格式:{reason}", f"malformed transfer message: {reason}"),
        Words(
            "请检查两端版本是否一致,见 docs/reference/transfer.md",
            "check that both ends speak the same version, see docs/reference/transfer.md",
        ),
        field=field,
    )
