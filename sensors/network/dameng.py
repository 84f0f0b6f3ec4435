"""The Dameng database's connection (DM 8): start-up, log-in, and the server's answer.

The format is not published; what is read here is what two free drivers agree on: a header of 64 bytes, little
end first (statement u32, command u16, body size u32, return code i32, checksum at 19 = XOR of the 19 bytes
before), then the body. Usually name and password are sealed with a session key, so that the name is told by
the server's answer; where the log-in is not sealed, that is said and the password's keyed mark is kept.
"""

from collections.abc import Sequence
from functools import reduce
from operator import xor
from struct import Struct
from typing import Final

from sensors.network.dialect import Message, StreamClaim, Talk
from sensors.network.login import attempt, outcome
from sensors.network.reading import Frames, text

PORT: Final = 5236
_HEADER_BYTES: Final = 64
_START, _LOGIN = 200, 1
_STARTED, _LOGGED_IN = 228, 163
_BODY_BYTES_MAX: Final = 0x20000000
_NAME_BYTES_MAX: Final = 128
_header: Final = Struct("<IHIi").unpack_from
_u32: Final = Struct("<I").unpack_from


class DamengStream:
    """One connection up to the answer to its log-in."""

    def __init__(self, talk: Talk) -> None:
        self._key = talk.secret
        self._client = talk.side
        self._frames = (Frames(_measure), Frames(_measure))
        self._user = self._client_version = ""
        self._waits = False
        self._over = False

    @property
    def done(self) -> bool:
        """Whether the log-in is over or the bytes are none of Dameng."""
        return self._over or self._frames[0].broken or self._frames[1].broken

    def feed(self, side: int, data: bytes) -> Sequence[Message]:
        """The messages that end with these bytes."""
        found: list[Message] = []
        for frame in self._frames[side].feed(data):
            _, command, _, code = _header(frame, 0)
            if side == self._client:
                found += self._request(command, frame[_HEADER_BYTES:])
            elif self._waits:
                found.append(self._result(code, frame[_HEADER_BYTES:]))
                self._waits, self._over = False, True
            if self._over:
                break
        return found

    def _request(self, command: int, body: bytes) -> list[Message]:
        if command == _START:
            self._client_version = text(_strings(body, 0, 1)[0], 32)
        elif command == _LOGIN:
            name, secret, *rest = _strings(body, 0, 5)
            is_clear = bool(name) and name.isascii() and text(name).isidentifier()
            self._user = text(name, _NAME_BYTES_MAX) if is_clear else ""
            self._waits = True
            message = attempt(
                "dameng",
                self._user,
                secret if is_clear else b"",
                self._key,
                method="clear" if is_clear else "sealed",
            )
            shown = [text(one.rstrip(b"\0"), 64) for one in rest if one and one.isascii()]
            message.fields["gov.dameng.client"] = " ".join([self._client_version, *shown]).strip()
            return [message]
        return []

    def _result(self, code: int, body: bytes) -> Message:
        said = ""
        if code == 0:
            names = _server_names(body)
            self._user = self._user or (names[1] if len(names) > 1 else "")
        else:
            said = _readable(body)
        message = outcome("dameng", self._user, code == 0, said)
        message.fields["gov.dameng.code"] = code
        return message


def _strings(body: bytes, at: int, count: int) -> list[bytes]:
    """``count`` strings behind their lengths; b'' for what is not there."""
    found: list[bytes] = []
    for _ in range(count):
        size = _u32(body, at)[0] if at + 4 <= len(body) else 0
        if size > 1_024:
            size = 0
            at = len(body)
        found.append(body[at + 4 : at + 4 + size])
        at += 4 + size
    return found


def _server_names(body: bytes) -> list[str]:
    """Server name, user, client address, time: behind 0 or 16 bytes of what is not known."""
    for start in (0, 16):
        found = [text(one.rstrip(b"\0"), _NAME_BYTES_MAX) for one in _strings(body, start, 4)]
        if found[0] and found[1] and all(one.isprintable() for one in found):
            return found
    return []


def _readable(body: bytes) -> str:
    """The server's message: GB 18030 or UTF-8 behind some binary."""
    for encoding in ("utf-8", "gb18030"):
        for start in (4, 8, 12, 0):
            try:
                said = body[start : start + 256].rstrip(b"\0").decode(encoding)
            except UnicodeDecodeError:
                continue
            if len(said) > 3 and said.isprintable():
                return said
    return ""


def _measure(data: bytes) -> int:
    if len(data) < 20:
        return 0
    size = _header(data, 0)[2]
    if size > _BODY_BYTES_MAX or reduce(xor, data[:19]) != data[19]:
        return -1
    return _HEADER_BYTES + int(size)


def claims_dameng(first: bytes, _talk: Talk) -> bool | None:
    """A start-up header with its checksum; the first sixteen bytes alone decide against nearly all else."""
    if len(first) < 20:
        return None if first[4:6] in (b"\xc8\0", b"\xc8", b"") else False
    _, command, size, code = _header(first, 0)
    return command == _START and code == 0 and 0 < size < 4_096 and reduce(xor, first[:19]) == first[19]


STREAM: Final = StreamClaim("dameng", claims_dameng, DamengStream, first_bytes=frozenset({0, 0xFF}))
