"""PostgreSQL's start-up (protocol 3; also openGauss and KingbaseES): who, to what, how, and the answer.

A password sent in clear is not kept, only its keyed mark. After an accepted SSLRequest the stream is let go.
"""

from collections.abc import Sequence
from typing import Final

from sensors.event import Value
from sensors.network.dialect import Message, StreamClaim, Talk
from sensors.network.login import attempt, outcome
from sensors.network.reading import Frames, text, until_zero

_VERSION_3: Final = 3 << 16
_TLS, _GSS, _CANCEL = 80_877_103, 80_877_104, 80_877_102
_START_BYTES_MAX: Final = 10_000  # what the server itself accepts
_PAIRS_MAX: Final = 32
_METHODS: Final = {3: "password", 5: "md5", 7: "gss", 9: "sspi", 10: "sasl", 13: "sm3"}


class PostgresqlStream:
    """One connection up to its first AuthenticationOk or error."""

    def __init__(self, talk: Talk) -> None:
        self._key = talk.secret
        self._client = talk.side
        self._started = False
        self._frames = [Frames(self._measure_client), Frames(_measure)]
        if self._client == 1:
            self._frames.reverse()
        self._user = self._method = ""
        self._asked_tls = False
        self._over = False

    @property
    def done(self) -> bool:
        """Whether the log-in is over, or everything is behind TLS."""
        return self._over or self._frames[0].broken or self._frames[1].broken

    def feed(self, side: int, data: bytes) -> Sequence[Message]:
        """The messages that end with these bytes."""
        if side != self._client and self._asked_tls and data:
            self._asked_tls = False
            if data[:1] in (b"S", b"G"):
                self._over = True
                return []
            data = data[1:]
        found: list[Message] = []
        for frame in self._frames[side].feed(data):
            found += self._request(frame) if side == self._client else self._reply(frame)
            if self._over:
                break
        return found

    def _measure_client(self, data: bytes) -> int:
        return _measure(data) if self._started else _measure_start(data)

    def _request(self, frame: bytes) -> list[Message]:
        if self._started:
            if frame[:1] == b"p" and self._method == "password":
                secret = until_zero(frame[5:])
                return [attempt("postgresql", self._user, secret, self._key, method="password")]
            return []
        code = int.from_bytes(frame[4:8], "big")
        if code in (_TLS, _GSS):
            self._asked_tls = True
        elif code == _CANCEL:
            self._over = True
        elif code >> 16 == 3:
            self._started = True
            return [self._start(frame[8:])]
        return []

    def _start(self, raw: bytes) -> Message:
        words = raw.split(b"\0", 2 * _PAIRS_MAX)
        pairs = {text(words[at], 64): text(words[at + 1], 128) for at in range(0, len(words) - 1, 2)}
        self._user = pairs.get("user", "")
        fields: dict[str, Value] = {
            "event.category": "authentication",
            "event.action": "login-start",
            "user.name": self._user,
            "gov.database.name": pairs.get("database", self._user),
            "gov.database.application": pairs.get("application_name", ""),
        }
        native: dict[str, Value] = {"user": self._user, "database": fields["gov.database.name"]}
        return Message("net.login", "postgresql", fields, native)

    def _reply(self, frame: bytes) -> list[Message]:
        kind = frame[:1]
        if kind == b"R":
            number = int.from_bytes(frame[5:9], "big")
            if number == 0:
                self._over = True
                return [self._result(True, "")]
            if number in _METHODS:
                self._method = _METHODS[number]
                if self._method != "password":
                    asked = attempt("postgresql", self._user, b"", self._key, method=self._method)
                    return [asked._replace(reply=True)]
        elif kind == b"E":
            self._over = True
            parts = {part[:1]: part[1:] for part in frame[5:].split(b"\0", _PAIRS_MAX) if part}
            return [self._result(False, text(parts.get(b"M", b""), 256))]
        return []

    def _result(self, success: bool, said: str) -> Message:
        message = outcome("postgresql", self._user, success, said)
        if self._method:
            message.fields["gov.login.method"] = self._method
        return message


def _measure(data: bytes) -> int:
    if len(data) < 5:
        return 0
    size = int.from_bytes(data[1:5], "big")
    return 1 + size if 4 <= size < 1 << 30 else -1


def _measure_start(data: bytes) -> int:
    if len(data) < 4:
        return 0
    size = int.from_bytes(data[:4], "big")
    return size if 8 <= size <= _START_BYTES_MAX else -1


def claims_postgresql(first: bytes, _talk: Talk) -> bool | None:
    """A start-up packet, a request for TLS or GSS, or a cancellation, of its exact size."""
    if len(first) < 8:
        return None
    size, code = int.from_bytes(first[:4], "big"), int.from_bytes(first[4:8], "big")
    if code in (_TLS, _GSS):
        return size == 8
    if code == _CANCEL:
        return size == 16
    return code in (_VERSION_3, _VERSION_3 + 2, _VERSION_3 + 51) and 8 < size <= _START_BYTES_MAX


STREAM: Final = StreamClaim("postgresql", claims_postgresql, PostgresqlStream, first_bytes=frozenset({0}))
