"""POP3 (RFC 1939, 5034) and IMAP 4 (RFC 3501, 4959): log-ins, until TLS or the mailbox opens."""

from collections.abc import Sequence
from typing import Final

from sensors.network.dialect import Message, StreamClaim, Talk
from sensors.network.login import attempt, decoded, outcome, plain_parts
from sensors.network.ntlm import ntlm_message
from sensors.network.reading import Lines, text

_POP3_COMMANDS: Final = (b"CAPA", b"USER", b"APOP", b"AUTH", b"STLS")
_ATTEMPTS_MAX: Final = 16
_WORDS_MAX: Final = 8


class Pop3Stream:
    """One POP3 session up to its transaction state."""

    def __init__(self, talk: Talk) -> None:
        self._key = talk.secret
        self._lines = (Lines(), Lines())
        self._client = -1
        self._user = self._waits = self._method = ""
        self._attempts = 0
        self._over = False

    @property
    def done(self) -> bool:
        """Whether the log-in is over, or everything is behind TLS."""
        return self._over or self._attempts >= _ATTEMPTS_MAX

    def feed(self, side: int, data: bytes) -> Sequence[Message]:
        """What the lines that end with these bytes tell."""
        found: list[Message] = []
        for line in self._lines[side].feed(data):
            if self._client < 0:
                self._client = 1 - side if line[:1] in b"+-" else side
            found += self._request(line) if side == self._client else self._reply(line)
            if self.done:
                break
        return found

    def _request(self, line: bytes) -> list[Message]:
        if self._waits == "AUTH":
            return self._credentials(line)
        word, _, rest = line.partition(b" ")
        command = word.upper()
        if command == b"USER":
            self._user = text(rest.strip(), 256)
        elif command == b"PASS":
            self._waits = "LOGIN"
            return [attempt("pop3", self._user, rest, self._key)]
        elif command == b"APOP":
            self._user, self._waits = text(rest.partition(b" ")[0], 256), "LOGIN"
            return [attempt("pop3", self._user, b"", self._key, method="APOP")]
        elif command == b"STLS":
            self._waits = "STLS"
        elif command == b"AUTH" and rest:
            method, _, token = rest.partition(b" ")
            self._waits, self._method, self._user = "AUTH", text(method.upper(), 32), ""
            return self._credentials(token) if token else []
        return []

    def _credentials(self, line: bytes) -> list[Message]:
        found = credentials("pop3", self._method, self._user, line, self._key)
        self._user = found[0]
        return found[1]

    def _reply(self, line: bytes) -> list[Message]:
        if line[:1] not in (b"+", b"-") or not self._waits or line[:2] == b"+ ":
            return []
        waited, self._waits = self._waits, ""
        success = line[:3] == b"+OK"
        if waited == "STLS":
            self._over = success
            return []
        self._attempts += 1
        self._over = success
        return [outcome("pop3", self._user, success, text(line.partition(b" ")[2], 256))]


class ImapStream:
    """One IMAP session up to its authenticated state."""

    def __init__(self, talk: Talk) -> None:
        self._key = talk.secret
        self._lines = (Lines(), Lines())
        self._client = -1
        self._user = self._method = ""
        self._tag = b""
        self._waits = ""
        self._attempts = 0
        self._literal: list[bytes] | None = None
        self._over = False

    @property
    def done(self) -> bool:
        """Whether the log-in is over, or everything is behind TLS."""
        return self._over or self._attempts >= _ATTEMPTS_MAX

    def feed(self, side: int, data: bytes) -> Sequence[Message]:
        """What the lines that end with these bytes tell."""
        found: list[Message] = []
        for line in self._lines[side].feed(data):
            if self._client < 0:
                self._client = 1 - side if line[:2] == b"* " else side
            found += self._request(line) if side == self._client else self._reply(line)
            if self.done:
                break
        return found

    def _request(self, line: bytes) -> list[Message]:
        if self._literal is not None:
            self._literal.append(line)
            return self._login(b" ".join(self._literal))
        if self._waits == "AUTHENTICATE":
            self._user, found = credentials("imap", self._method, self._user, line, self._key)
            return found
        tag, _, rest = line.partition(b" ")
        command, _, argument = rest.partition(b" ")
        word = command.upper()
        if word not in (b"LOGIN", b"AUTHENTICATE", b"STARTTLS"):
            return []
        self._tag, self._waits = tag, word.decode()
        if word == b"LOGIN":
            return self._login(argument)
        if word == b"AUTHENTICATE":
            method, _, token = argument.partition(b" ")
            self._method, self._user = text(method.upper(), 32), ""
            self._user, found = credentials("imap", self._method, "", token, self._key) if token else ("", [])
            return found
        return []

    def _login(self, argument: bytes) -> list[Message]:
        if argument.endswith(b"}") and b"{" in argument:  # the rest comes as a literal on the next line
            kept = argument[: argument.rfind(b"{")].strip()
            self._literal = [kept] if kept else []
            return []
        self._literal = None
        words = _words(argument)
        if len(words) < 2:
            return []
        self._user = text(words[0], 256)
        return [attempt("imap", self._user, words[1], self._key)]

    def _reply(self, line: bytes) -> list[Message]:
        tag, _, rest = line.partition(b" ")
        if not self._waits or tag != self._tag:
            return []
        waited, self._waits, self._literal = self._waits, "", None
        status, _, said = rest.partition(b" ")
        success = status.upper() == b"OK"
        self._over = success
        if waited == "STARTTLS":
            return []
        self._attempts += 1
        return [outcome("imap", self._user, success, text(said, 256))]


def credentials(service: str, method: str, user: str, line: bytes, key: bytes) -> tuple[str, list[Message]]:
    """(user so far, what is told) of one line of a SASL exchange."""
    if method == "PLAIN":
        parts = plain_parts(line)
        return (parts[0], [attempt(service, *parts, key, method=method)]) if parts else (user, [])
    raw = decoded(line)
    if raw is None:
        return user, []
    if method == "LOGIN":
        if not user:
            return text(raw, 256), []
        return user, [attempt(service, user, raw, key, method=method)]
    token = ntlm_message(raw, service)
    if token is not None:
        return str(token.fields["user.name"]), [token]
    if method == "CRAM-MD5":
        name = text(raw.partition(b" ")[0], 256)
        return name, [attempt(service, name, b"", key, method=method)]
    return user, []


def _words(line: bytes) -> list[bytes]:
    """Atoms and quoted strings of an IMAP line."""
    words: list[bytes] = []
    at = 0
    while at < len(line) and len(words) < _WORDS_MAX:
        if line[at] == 0x20:
            at += 1
        elif line[at] == 0x22:
            word, at = _quoted(line, at + 1)
            words.append(word)
        else:
            end = line.find(b" ", at)
            end = len(line) if end < 0 else end
            words.append(line[at:end])
            at = end
    return words


def _quoted(line: bytes, at: int) -> tuple[bytes, int]:
    word = bytearray()
    while at < len(line) and line[at] != 0x22:
        at += line[at] == 0x5C
        word += line[at : at + 1]
        at += 1
    return bytes(word), at + 1


def claims_pop3(first: bytes, talk: Talk) -> bool | None:
    """+OK, or a client's first command on its port."""
    if len(first) < 4:
        return None
    if first[:3] == b"+OK":
        return first[3:4] in (b" ", b"\r")
    return 110 in talk.ports and first[:4].upper() in _POP3_COMMANDS


def claims_imap(first: bytes, _talk: Talk) -> bool | None:
    """The greeting ``* OK`` or ``* PREAUTH``."""
    if len(first) < 5:
        return None
    return first[:5] in (b"* OK ", b"* PRE")


POP3: Final = StreamClaim("pop3", claims_pop3, Pop3Stream, first_bytes=frozenset(b"+CUASc"))
IMAP: Final = StreamClaim("imap", claims_imap, ImapStream, first_bytes=frozenset(b"*"))
