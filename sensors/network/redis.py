"""Redis (RESP 2 and 3): log-ins, and the commands with which a Redis is taken over or emptied.

Of other commands only the first of each name is told, so that a busy cache says little.
"""

from collections.abc import Sequence
from typing import Final

from sensors.event import Value
from sensors.network.dialect import Message, StreamClaim, Talk
from sensors.network.login import attempt, outcome
from sensors.network.reading import text

PORT: Final = 6379
_HELD_BYTES_MAX: Final = 16 * 1024
_COMMANDS_MAX: Final = 512  # out of one call
_NAMES_MAX: Final = 32
_PENDING_MAX: Final = 256
_WORDS_MAX: Final = 64
_ASKS: Final = frozenset(b"*") | frozenset(range(0x41, 0x5B)) | frozenset(range(0x61, 0x7B))
_RISKY: Final = frozenset(
    {
        "CONFIG", "SLAVEOF", "REPLICAOF", "MODULE", "EVAL", "EVALSHA", "SCRIPT", "DEBUG", "FLUSHALL",
        "FLUSHDB", "SAVE", "BGSAVE", "SHUTDOWN", "MIGRATE", "RESTORE", "ACL", "MONITOR", "FUNCTION",
        "FAILOVER",
    }
)  # fmt: skip


class RedisStream:
    """One connection."""

    def __init__(self, talk: Talk) -> None:
        self._key = talk.secret
        self._client = talk.side
        self._held = b""
        self._replies = b""
        self._skip = 0
        self._told: set[str] = set()
        self._waits: list[tuple[str, str]] = []  # what each reply to come answers: (command, user)
        self._over = False

    @property
    def done(self) -> bool:
        """Whether the bytes are none of Redis."""
        return self._over

    def feed(self, side: int, data: bytes) -> Sequence[Message]:
        """What these bytes tell."""
        return self._requests(data) if side == self._client else self._answers(data)

    def _requests(self, data: bytes) -> list[Message]:
        held = self._held + data
        found: list[Message] = []
        at = 0
        for _ in range(_COMMANDS_MAX):
            words, behind = _command(held, at)
            if behind < 0:
                self._over = True
                return found
            if behind == at:
                break
            at = behind
            if words:
                found += self._told_of(words)
        self._held = held[at:]
        if len(self._held) > _HELD_BYTES_MAX:
            self._over = True
        return found

    def _told_of(self, words: list[bytes]) -> list[Message]:
        name = text(words[0].upper(), 32)
        user, secret = _credentials(name, words)
        if len(self._waits) < _PENDING_MAX:
            self._waits.append((name, user))
        if secret:
            native: dict[str, Value] = {"cmd.name": name}
            return [attempt("redis", user, secret, self._key, native=native)]
        if name not in _RISKY and (name in self._told or len(self._told) >= _NAMES_MAX):
            return []
        self._told.add(name)
        said = text(b" ".join(_harmless(name, words)), 256)
        fields: dict[str, Value] = {
            "event.action": "redis-command",
            "gov.redis.command": name,
            "gov.redis.risky": name in _RISKY,
            "gov.redis.arguments": said,
        }
        return [Message("net.redis", "redis", fields, {"cmd.name": name})]

    def _answers(self, data: bytes) -> list[Message]:
        """Replies are counted off against requests as long as they are simple; then the rest goes unread."""
        held = self._replies + data
        found: list[Message] = []
        for _ in range(_COMMANDS_MAX):
            line, ending, rest = held.partition(b"\r\n")
            if not ending or not self._waits or line[:1] not in b"+-:_#$":
                break
            if line[:1] == b"$" and line[1:2].isdigit():
                size = int(line[1:11]) if line[1:11].isdigit() else _HELD_BYTES_MAX
                if len(rest) < size + 2:
                    break
                rest = rest[size + 2 :]
            held = rest
            command, user = self._waits.pop(0)
            if command == "AUTH":
                success = line[:1] == b"+"
                native: dict[str, Value] = {"cmd.name": "AUTH", "reply.value": text(line[1:], 128)}
                found.append(outcome("redis", user, success, text(line[1:], 128), native))
        self._replies = held[:_HELD_BYTES_MAX]
        if self._replies[:1] in (b"*", b"%", b"~", b">", b"|") or len(held) > _HELD_BYTES_MAX:
            self._waits.clear()
            self._replies = b""
        return found


def _harmless(name: str, words: list[bytes]) -> list[bytes]:
    """The arguments that may be told: no values, which are whatever people store, and no passwords."""
    if name in ("AUTH", "HELLO", "ACL"):
        return []
    if name == "CONFIG":
        said = b" ".join(words).lower()
        return [] if b"pass" in said or b"auth" in said else words[1:4]
    return words[1:4] if name in ("SLAVEOF", "REPLICAOF", "MODULE", "MIGRATE", "DEBUG") else words[1:2]


def _credentials(name: str, words: list[bytes]) -> tuple[str, bytes]:
    if name == "AUTH":
        if len(words) >= 3:
            return text(words[1], 128), words[2]
        return "default", words[1] if len(words) == 2 else b""
    if name == "HELLO":
        upper = [word.upper() for word in words[:8]]
        if b"AUTH" in upper and upper.index(b"AUTH") + 2 < len(words):
            place = upper.index(b"AUTH")
            return text(words[place + 1], 128), words[place + 2]
    return "", b""


def _command(data: bytes, at: int) -> tuple[list[bytes], int]:
    """(words, offset behind) of the command at ``at``; the same offset where it is cut, -1 for none."""
    if data[at : at + 1] != b"*":
        end = data.find(b"\n", at)
        if end < 0:
            return [], at
        line = data[at:end].strip()
        is_word = not line or (line[:1].isalpha() and line.isascii())
        return (line.split(None, _WORDS_MAX)[:_WORDS_MAX], end + 1) if is_word else ([], -1)
    count, at_word = _number(data, at)
    if at_word <= 0:
        return [], at if at_word == 0 else -1
    words: list[bytes] = []
    for _ in range(min(count, _HELD_BYTES_MAX)):
        if at_word < len(data) and data[at_word] != 0x24:
            return [], -1
        size, start = _number(data, at_word)
        if start < 0:
            return [], -1
        if start == 0 or start + size + 2 > len(data):
            return [], at
        if len(words) < _WORDS_MAX:
            words.append(data[start : start + size])
        at_word = start + size + 2
    return words, at_word


def _number(data: bytes, at: int) -> tuple[int, int]:
    """(number behind the sign at ``at``, offset behind its line); offset 0 where cut, -1 where none."""
    end = data.find(b"\r\n", at, at + 16)
    if end < 0:
        return 0, 0 if len(data) < at + 16 else -1
    digits = data[at + 1 : end]
    return (int(digits), end + 2) if digits.isdigit() else (0, -1)


def claims_redis(first: bytes, talk: Talk) -> bool | None:
    """An array of bulk strings; or, on its port, a line that begins with a word."""
    if first[0] != 0x2A:
        if talk.ports[1] != PORT:
            return False
        line, ending, _ = first[:64].partition(b"\n")
        return line.split(None, 1)[0].strip().isalpha() if ending else len(first) < 64 and None
    end = first.find(b"\r\n", 0, 8)
    if end < 0 or len(first) < end + 3:
        return None if len(first) < 12 else False
    return first[1:end].isdigit() and first[end + 2] == 0x24


STREAM: Final = StreamClaim("redis", claims_redis, RedisStream, first_bytes=_ASKS)
