"""Telnet (RFC 854): the user and the password typed at a log-in prompt, and whether the server let them in.

What is typed is told from the prompt before it; echo and option negotiation are taken out. After a few
attempts, or once in, the rest of the session is not read.
"""

from collections.abc import Sequence
from typing import Final

from sensors.network.dialect import Message, StreamClaim, Talk
from sensors.network.login import attempt, outcome
from sensors.network.reading import text

PORT: Final = 23
_IAC, _SB, _SE = 0xFF, 0xFA, 0xF0
_TAIL_BYTES: Final = 256
_LINE_BYTES_MAX: Final = 256
_LINES_MAX: Final = 64  # typed at once; more is no log-in
_OPTION_BYTES_MAX: Final = 512
_ATTEMPTS_MAX: Final = 16
_USER_PROMPTS: Final = (b"login:", b"username:", b"user:", b"user name:", b"account:", "用户名:".encode())
_SECRET_PROMPTS: Final = (b"password:", b"passwd:", b"passcode:", "密码:".encode(), "口令:".encode())
_REFUSALS: Final = (b"incorrect", b"failed", b"denied", b"invalid", b"bad password", b"failure", b"error")
_SHELL_ENDS: Final = (b"$", b"#", b">", b"%", b"]")


class TelnetStream:
    """One session up to its shell."""

    def __init__(self, talk: Talk) -> None:
        self._key = talk.secret
        here, there = talk.ports
        self._server = talk.side if here == PORT else 1 - talk.side if there == PORT else 1
        self._cut = [b"", b""]  # an option negotiation that is not whole yet
        self._tail = b""  # of what the server said since the last line was typed, in lower case
        self._line = bytearray()
        self._prompt = ""
        self._user = ""
        self._waits = False
        self._attempts = 0
        self._over = False

    @property
    def done(self) -> bool:
        """Whether the session is past its log-in."""
        return self._over

    def feed(self, side: int, data: bytes) -> Sequence[Message]:
        """What these bytes tell."""
        plain = self._without_options(side, data)
        if not plain or self._over:
            return []
        return self._said(plain) if side == self._server else self._typed(plain)

    def _without_options(self, side: int, data: bytes) -> bytes:
        data = self._cut[side] + data
        self._cut[side] = b""
        if _IAC not in data:
            return data
        plain, at, size = bytearray(), 0, len(data)
        while at < size:
            found = data.find(_IAC, at)
            if found < 0:
                plain += data[at:]
                break
            plain += data[at:found]
            behind = _behind_option(data, found)
            if behind < 0:
                self._cut[side] = data[found : found + _OPTION_BYTES_MAX]
                break
            if data[found + 1] == _IAC:
                plain.append(_IAC)
            at = behind
        return bytes(plain)

    def _said(self, plain: bytes) -> list[Message]:
        self._tail = (self._tail + plain[-_TAIL_BYTES:].lower())[-_TAIL_BYTES:]
        if not self._waits:
            return []
        words = self._tail.rstrip(b" \r\n\0")
        refused = any(word in words for word in _REFUSALS)
        again = words.endswith((*_USER_PROMPTS, *_SECRET_PROMPTS))
        if not refused and not again and not words.endswith(_SHELL_ENDS) and b"last login" not in words:
            return []
        self._waits = False
        success = not refused and not again
        self._attempts += 1
        self._over = success or self._attempts >= _ATTEMPTS_MAX
        return [outcome("telnet", self._user, success)]

    def _typed(self, plain: bytes) -> list[Message]:
        found: list[Message] = []
        pieces = plain.replace(b"\0", b"").replace(b"\r", b"\n").split(b"\n", _LINES_MAX)[: _LINES_MAX + 1]
        for place, piece in enumerate(pieces):
            if piece and not self._line:
                self._prompt = self._asked()
            self._line += piece[: _LINE_BYTES_MAX - len(self._line)]
            if place < len(pieces) - 1:
                found += self._entered()
        return found

    def _asked(self) -> str:
        words = self._tail.rstrip(b" \r\n\0").replace("：".encode(), b":")
        if words.endswith(_SECRET_PROMPTS):
            return "secret"
        return "user" if words.endswith(_USER_PROMPTS) else "other"

    def _entered(self) -> list[Message]:
        line, prompt = _corrected(self._line), self._prompt or self._asked()
        self._line.clear()
        self._prompt = ""
        if not line and prompt != "secret":
            return []
        self._tail = b""
        if prompt == "user":
            self._user = text(line, 256)
        elif prompt == "secret":
            self._waits = True
            return [attempt("telnet", self._user, line, self._key)]
        return []


def _corrected(line: bytes | bytearray) -> bytes:
    """The line as it stood when it was entered: what was rubbed out is gone."""
    if 0x08 not in line and 0x7F not in line:
        return bytes(line)
    kept = bytearray()
    for byte in line:
        if byte in (0x08, 0x7F):
            del kept[-1:]
        else:
            kept.append(byte)
    return bytes(kept)


def _behind_option(data: bytes, at: int) -> int:
    """Offset behind the command at ``at``; -1 where it is cut."""
    if at + 1 >= len(data):
        return -1
    kind = data[at + 1]
    if kind == _SB:
        end = data.find(bytes((_IAC, _SE)), at + 2)
        if end < 0:
            return len(data) if len(data) - at > _OPTION_BYTES_MAX else -1
        return end + 2
    if 0xFB <= kind <= 0xFE:
        return at + 3 if at + 3 <= len(data) else -1
    return at + 2


def claims_telnet(first: bytes, _talk: Talk) -> bool | None:
    """Option negotiation, three bytes of it at least."""
    if len(first) < 3:
        return None
    return first[2] < 50 and (first[1] == _SB or 0xFB <= first[1] <= 0xFE)


STREAM: Final = StreamClaim("telnet", claims_telnet, TelnetStream, first_bytes=frozenset({_IAC}))
