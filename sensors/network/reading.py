"""What dialects share to read bytes: text that stays one line, frames, lines, and a secret's keyed mark.

``Frames`` and ``Lines`` cut one direction of a stream into messages; both hold a bounded rest and skip what
is longer, so a lied length costs nothing but the message itself.
"""

from collections.abc import Callable, Iterator
from typing import Final

from crypto.sm3 import hmac_sm3

FRAME_BYTES_MAX: Final = 16 * 1024  # of one message that are looked at
LINE_BYTES_MAX: Final = 4 * 1024
FRAMES_MAX: Final = 512  # messages out of one call; more is no conversation
TEXT_CHARS_MAX: Final = 512
MASK: Final = "******"  # what is shown instead of a secret, whatever its length
_MARK_BYTES: Final = 16


def text(raw: bytes, limit: int = TEXT_CHARS_MAX) -> str:
    """UTF-8 where it is, else Latin-1; what cannot be printed is written ``\\xNN``."""
    try:
        found = raw[:limit].decode()
    except UnicodeDecodeError:
        found = raw[:limit].decode("latin-1")
    return clean(found)


def wide(raw: bytes, limit: int = TEXT_CHARS_MAX) -> str:
    """UTF-16 of little end, as Windows writes names."""
    return clean(raw[: limit * 2 & ~1].decode("utf-16-le", "replace"))


def clean(found: str) -> str:
    """The text with everything that would break a line written out."""
    if found.isprintable():
        return found
    return "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in found)


def until_zero(raw: bytes, start: int = 0) -> bytes:
    """The bytes from ``start`` up to the next zero byte or the end."""
    end = raw.find(b"\0", start)
    return raw[start:] if end < 0 else raw[start:end]


def mark_of(secret: bytes, key: bytes) -> str:
    """The same secret under the same key gives the same 32 hex digits; '' where there is no secret or key.

    It tells reuse of one password without telling the password: HMAC-SM3, cut to 128 bits.
    """
    if not secret or not key:
        return ""
    return hmac_sm3(key, secret[:LINE_BYTES_MAX])[:_MARK_BYTES].hex()


Measure = Callable[[bytes], int]  # size of the frame that starts here; 0: need more bytes; < 0: not a frame


class Frames:
    """Cuts a direction into frames; ``broken`` once the bytes are none, and then silent.

    With ``begins_anew`` it is never broken: what is no frame is dropped with the bytes it came with.
    """

    __slots__ = ("_anew", "_held", "_limit", "_measure", "_skip", "broken")

    def __init__(self, measure: Measure, limit: int = FRAME_BYTES_MAX, *, begins_anew: bool = False) -> None:
        self._anew = begins_anew
        self._measure = measure
        self._limit = limit
        self._held = b""
        self._skip = 0
        self.broken = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The frames that end, or whose first ``limit`` bytes are there, with these bytes."""
        if self.broken:
            return
        if self._skip:
            passed = min(self._skip, len(data))
            self._skip -= passed
            data = data[passed:]
        held, at = self._held + data if self._held else data, 0
        for _ in range(FRAMES_MAX):
            if at >= len(held):
                break
            rest = held[at:] if at else held
            size = self._measure(rest)
            if size < 0:
                self.broken = not self._anew
                self._held = b""
                return
            if size == 0 or len(rest) < min(size, self._limit):
                if len(rest) >= self._limit:  # a measure that never decides
                    self.broken = not self._anew
                    rest = b""
                self._held = rest
                return
            at += size
            if at > len(held):
                self._skip = at - len(held)
            yield rest[: min(size, self._limit)]
        else:
            self.broken = not self._anew
        self._held = b""


class Lines:
    """Cuts a direction into lines without their ending; a line beyond the limit is told cut, once."""

    __slots__ = ("_held", "_long")

    def __init__(self) -> None:
        self._held = b""
        self._long = False

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that end with these bytes."""
        parts = (self._held + data).split(b"\n", FRAMES_MAX)
        self._held = parts.pop()
        if self._long and parts:
            parts.pop(0)
            self._long = False
        if len(self._held) > LINE_BYTES_MAX:
            if not self._long:
                parts.append(self._held)
            self._long, self._held = True, b""
        return [part[:LINE_BYTES_MAX].rstrip(b"\r") for part in parts]
