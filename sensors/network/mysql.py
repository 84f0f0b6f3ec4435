"""MySQL's (and MariaDB's) connection phase: server version, who logs in to what, by which method, the answer.

No password crosses the wire in clear but by mysql_clear_password, which is said. After SSLRequest the stream
is let go, to be taken up as TLS.
"""

from collections.abc import Sequence
from typing import Final

from sensors.event import Value
from sensors.network.dialect import Message, StreamClaim, Talk
from sensors.network.login import attempt, outcome
from sensors.network.reading import Frames, text, until_zero

_VERSION_10: Final = 0x0A
_OK, _MORE, _SWITCH, _ERROR = 0x00, 0x01, 0xFE, 0xFF
_WITH_DATABASE, _PROTOCOL_41, _TLS, _SECURE, _PLUGIN, _LENENC = 0x8, 0x200, 0x800, 0x8000, 1 << 19, 1 << 21
_CLEAR: Final = "mysql_clear_password"


class MysqlStream:
    """One connection up to its first OK or error."""

    def __init__(self, talk: Talk) -> None:
        self._key = talk.secret
        self._frames = (Frames(_measure), Frames(_measure))
        self._server = -1
        self._version = self._user = self._plugin = ""
        self._over = False

    @property
    def done(self) -> bool:
        """Whether the log-in is over, or everything is behind TLS."""
        return self._over or self._frames[0].broken or self._frames[1].broken

    def feed(self, side: int, data: bytes) -> Sequence[Message]:
        """The packets that end with these bytes."""
        found: list[Message] = []
        for frame in self._frames[side].feed(data):
            payload = frame[4:]
            if self._server < 0:
                self._server = side if payload[:1] in (b"\n", b"\xff") and frame[3] == 0 else 1 - side
            found += self._reply(payload) if side == self._server else self._request(payload)
            if self._over:
                break
        return found

    def _request(self, payload: bytes) -> list[Message]:
        if self._user or self._plugin:
            if self._plugin != _CLEAR:
                return []
            secret = until_zero(payload)
            return [attempt("mysql", self._user, secret, self._key, method=_CLEAR)] if secret else []
        if len(payload) < 32:
            return []
        flags = int.from_bytes(payload[:4], "little")
        if flags & _TLS and len(payload) == 32:
            self._over = True
            fields: dict[str, Value] = {"event.action": "mysql-tls", "gov.mysql.version": self._version}
            return [Message("net.login", "mysql", fields, {"cmd": "tls"})]
        if not flags & _PROTOCOL_41:
            return []
        user = until_zero(payload, 32)
        self._user = text(user, 128)
        database, self._plugin = _names(payload, 32 + len(user) + 1, flags)
        native: dict[str, Value] = {"cmd": "login", "arg": self._user}
        message = attempt("mysql", self._user, b"", self._key, method=self._plugin, native=native)
        if database:
            message.fields["gov.database.name"] = database
        return [message]

    def _reply(self, payload: bytes) -> list[Message]:
        kind = payload[0] if payload else -1
        if kind == _VERSION_10 and not self._version:
            self._version = text(until_zero(payload, 1), 64)
            fields: dict[str, Value] = {"event.action": "mysql-greeting", "gov.mysql.version": self._version}
            return [Message("net.login", "mysql", fields, {}, reply=True)]
        native: dict[str, Value] = {"cmd": "login", "arg": self._user}
        if kind == _SWITCH:
            self._plugin = text(until_zero(payload, 1), 64)
        elif kind == _OK and self._user:
            self._over = True
            return [outcome("mysql", self._user, True, "", native)]
        elif kind == _ERROR:
            self._over = True
            said = text(payload[9:] if payload[3:4] == b"#" else payload[3:], 256)
            return [outcome("mysql", self._user, False, said, native | {"response": said})]
        return []


def _names(payload: bytes, at: int, flags: int) -> tuple[str, str]:
    """(database, plug-in) behind the user of a handshake response."""
    if flags & _LENENC or flags & _SECURE:
        size = payload[at] if at < len(payload) else 0
        at += 1 + (size if size < 0xFB else 0)
    else:
        at += len(until_zero(payload, at)) + 1
    database = b""
    if flags & _WITH_DATABASE:
        database = until_zero(payload, at)
        at += len(database) + 1
    plugin = until_zero(payload, at) if flags & _PLUGIN else b""
    return text(database, 128), text(plugin, 64)


def _measure(data: bytes) -> int:
    if len(data) < 4:
        return 0
    return 4 + int.from_bytes(data[:3], "little")


def claims_mysql(first: bytes, talk: Talk) -> bool | None:
    """The server's greeting: first packet, protocol 10, a version that starts with a digit."""
    if len(first) < 7:
        return None
    size = int.from_bytes(first[:3], "little")
    if first[3] != 0 or not 8 <= size <= 255:
        return False
    if first[4] == _ERROR:  # the host is not allowed to connect
        return size > 8 and 3306 in talk.ports
    return first[4] == _VERSION_10 and 0x30 <= first[5] <= 0x39 and size >= 40


STREAM: Final = StreamClaim("mysql", claims_mysql, MysqlStream, first_bytes=frozenset(range(8, 256)))
