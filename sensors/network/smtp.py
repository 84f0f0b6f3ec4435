"""SMTP (RFC 5321, 4954): who greets, sends from and to whom, logs in how; message bodies are not read."""

from collections.abc import Sequence
from typing import Final

from sensors.event import Value
from sensors.network.dialect import Message, StreamClaim, Talk
from sensors.network.login import attempt, decoded, outcome, plain_parts
from sensors.network.ntlm import ntlm_message
from sensors.network.reading import Lines, text

PORTS: Final = frozenset({25, 465, 587, 2525})
SMTP_BYTES_MAX: Final = 64 * 1024  # of each side: several mails fit
_GREETINGS: Final = (b"EHLO", b"HELO", b"LHLO")
_PENDING_MAX: Final = 64
_RECIPIENTS_MAX: Final = 32
_HEADERS_MAX: Final = 128  # lines of a message looked at for its subject


class SmtpStream:
    """One session; of its mails the envelope and the subject are told."""

    def __init__(self, talk: Talk) -> None:
        self._key = talk.secret
        self._lines = (Lines(), Lines())
        self._client = -1
        self._helo = self._user = self._method = self._subject = self._from = ""
        self._to: list[str | int | float | bool | None] = []
        self._waits: list[str] = []  # what the replies to come answer
        self._in_auth = False
        self._in_data = self._headers = 0
        self._heard = False  # the server
        self._over = False

    @property
    def done(self) -> bool:
        """Whether it went behind TLS."""
        return self._over

    def feed(self, side: int, data: bytes) -> Sequence[Message]:
        """What the lines that end with these bytes tell."""
        found: list[Message] = []
        for line in self._lines[side].feed(data):
            if self._client < 0:
                is_reply = line[:3].isdigit() and line[3:4] in (b" ", b"-", b"")
                self._client = 1 - side if is_reply else side
            if side != self._client:
                found += self._reply(line)
            elif self._in_data:
                found += self._body(line)
            else:
                found += self._request(line)
            if self._over:
                break
        return found

    def _request(self, line: bytes) -> list[Message]:
        if self._in_auth:
            self._wait("AUTH")
            return self._credentials(line)
        word, _, rest = line.partition(b" ")
        command = word.upper()[:10]
        if self._headers:  # the answer to the last mail was not seen
            self._headers = 0
            return [self._mail(0, "")._replace(reply=False), *self._request(line)]
        if command in _GREETINGS:
            self._helo = text(rest.strip(), 255)
        elif command == b"AUTH":
            method, _, token = rest.partition(b" ")
            self._method, self._in_auth, self._user = text(method.upper(), 32), True, ""
            self._wait("AUTH")
            return self._credentials(token) if token else []
        elif command == b"MAIL":
            self._from, self._to = _address(rest), []
        elif command == b"RCPT" and len(self._to) < _RECIPIENTS_MAX:
            self._to.append(_address(rest))
        elif command == b"DATA":
            self._in_data, self._headers, self._subject = 1, 0, ""
        self._wait(text(command, 10))
        return []

    def _wait(self, command: str) -> None:
        if len(self._waits) < _PENDING_MAX:
            self._waits.append(command)

    def _credentials(self, line: bytes) -> list[Message]:
        """A line of AUTH: PLAIN in one, LOGIN in two, NTLM by its token; others stay unread."""
        if self._method == "PLAIN":
            parts = plain_parts(line)
            if parts is None:
                return []
            self._user = parts[0]
            return [attempt("smtp", parts[0], parts[1], self._key, method="PLAIN")]
        raw = decoded(line)
        if raw is None:
            return []
        if self._method == "LOGIN":
            if not self._user:
                self._user = text(raw, 256)
                return []
            return [attempt("smtp", self._user, raw, self._key, method="LOGIN")]
        token = ntlm_message(raw, "smtp")
        if token is not None:
            self._user = str(token.fields["user.name"])
            return [token]
        if self._method == "CRAM-MD5":
            self._user = text(raw.partition(b" ")[0], 256)
            return [attempt("smtp", self._user, b"", self._key, method="CRAM-MD5")]
        return []

    def _reply(self, line: bytes) -> list[Message]:
        self._heard = True
        if not line[:3].isdigit() or line[3:4] == b"-":
            return []
        code, said = int(line[:3]), text(line[4:], 256)
        waited = self._waits.pop(0) if self._waits else ""
        if waited == "AUTH" and code != 334:
            self._in_auth = False
            return [outcome("smtp", self._user, code == 235, said)]
        if waited == "STARTTLS":
            self._over = code == 220
            if not self._over:
                return []
            fields: dict[str, Value] = {"event.action": "smtp-tls", "gov.smtp.helo": self._helo}
            return [
                Message(
                    "net.smtp",
                    "smtp",
                    fields,
                    {"helo": self._helo, "tls": True, "last_reply": f"{code} {said}"},
                    reply=True,
                )
            ]
        if waited == "DATA":
            if code != 354:
                self._in_data = self._headers = 0
            return []
        if waited == "." and self._headers:
            self._headers = 0
            return [self._mail(code, said)]
        return []

    def _body(self, line: bytes) -> list[Message]:
        if line == b".":
            self._in_data = 0
            self._headers = max(self._headers, 1)
            self._wait(".")
            if not self._heard:  # only this side is seen: no answer will come
                self._headers = 0
                return [self._mail(0, "")._replace(reply=False)]
        elif 0 <= self._headers < _HEADERS_MAX:
            self._headers += 1
            if line[:8].lower() == b"subject:" and not self._subject:
                self._subject = text(line[8:].strip(), 256)
            elif not line:
                self._headers = _HEADERS_MAX
        return []

    def _mail(self, code: int, said: str) -> Message:
        fields: dict[str, Value] = {
            "event.category": "email",
            "event.action": "smtp-mail",
            "event.outcome": "success" if 0 < code < 400 else "failure" if code else "unknown",
            "email.from.address": self._from,
            "email.to.address": list(self._to),
            "email.subject": self._subject,
            "gov.smtp.helo": self._helo,
        }
        native: dict[str, Value] = {
            "helo": self._helo,
            "mailfrom": self._from,
            "rcptto": list(self._to),
            "subject": self._subject,
        }
        if code:
            native["last_reply"] = f"{code} {said}"
        return Message("net.smtp", "smtp", fields, native, reply=True)


def _address(rest: bytes) -> str:
    start, end = rest.find(b"<"), rest.find(b">")
    raw = rest[start + 1 : end] if 0 <= start < end else rest.partition(b":")[2].strip()
    return text(raw, 256)


def claims_smtp(first: bytes, talk: Talk) -> bool | None:
    """A greeting that says SMTP or comes from its port, or a client's EHLO or HELO."""
    if first[:3] in (b"220", b"554"):
        line, ending, _ = first.partition(b"\n")
        if talk.ports[0] in PORTS or b"smtp" in line.lower():
            return True
        return None if not ending and len(first) < 512 else False
    if len(first) < 5:
        return None
    return first[:4].upper() in _GREETINGS and first[4:5] in (b" ", b"\r")


STREAM: Final = StreamClaim(
    "smtp", claims_smtp, SmtpStream, first_bytes=frozenset(b"25EeHhLl"), bytes_max=SMTP_BYTES_MAX
)
