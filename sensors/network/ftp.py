"""FTP's control channel (RFC 959, 2228, 2428): log-ins, what is fetched and stored, where data will flow."""

from collections.abc import Sequence
from typing import Final

from sensors.event import Value
from sensors.network.dialect import Message, StreamClaim, Talk
from sensors.network.login import attempt, outcome
from sensors.network.reading import Lines, text

PORTS: Final = frozenset({21, 2121})
_MAIL_PORTS: Final = frozenset({25, 110, 143, 587})
_COMMANDS: Final = frozenset(
    {
        b"USER", b"PASS", b"ACCT", b"CWD", b"CDUP", b"QUIT", b"REIN", b"PORT", b"PASV", b"EPRT", b"EPSV",
        b"TYPE", b"STRU", b"MODE", b"RETR", b"STOR", b"STOU", b"APPE", b"ALLO", b"REST", b"RNFR", b"RNTO",
        b"ABOR", b"DELE", b"RMD", b"MKD", b"PWD", b"LIST", b"NLST", b"SITE", b"SYST", b"STAT", b"HELP",
        b"NOOP", b"AUTH", b"PBSZ", b"PROT", b"FEAT", b"OPTS", b"MLSD", b"MLST", b"SIZE", b"MDTM", b"CLNT",
    }
)  # fmt: skip
_TRANSFERS: Final = frozenset({"RETR", "STOR", "STOU", "APPE", "DELE", "RMD", "MKD", "RNFR", "RNTO", "SITE"})
_PENDING_MAX: Final = 64
_CHANNELS: Final = frozenset({"PASV", "EPSV", "PORT", "EPRT"})


class FtpStream:
    """One control connection; a command waits for its reply."""

    def __init__(self, talk: Talk) -> None:
        self._key = talk.secret
        self._server = -1
        self._lines = (Lines(), Lines())
        self._user = ""
        self._waits: list[tuple[str, str]] = []  # commands whose replies are to come
        self._over = False

    @property
    def done(self) -> bool:
        """Whether it went behind TLS."""
        return self._over

    def feed(self, side: int, data: bytes) -> Sequence[Message]:
        """What the lines that end with these bytes tell."""
        found: list[Message] = []
        for line in self._lines[side].feed(data):
            if self._server < 0:
                self._server = side if line[:3].isdigit() else 1 - side
            found += self._reply(line) if side == self._server else self._request(line)
            if self._over:
                break
        return found

    def _request(self, line: bytes) -> list[Message]:
        word, _, argument = line.partition(b" ")
        command = word.upper()
        if command not in _COMMANDS:
            return []
        name, said = command.decode(), text(argument.strip())
        if len(self._waits) < _PENDING_MAX:
            self._waits.append((name, "" if name in ("PASS", "ACCT") else said))
        if name == "USER":
            self._user = said
        elif name == "PASS":
            native: dict[str, Value] = {"command": "PASS", "password": "<hidden>"}
            return [attempt("ftp", self._user, argument.strip(), self._key, native=native)]
        return []

    def _reply(self, line: bytes) -> list[Message]:
        if len(line) < 4 or not line[:3].isdigit() or line[3:4] == b"-":
            return []
        code, said = int(line[:3]), text(line[4:].strip(), 256)
        if code < 200:
            return []
        name, argument = self._waits.pop(0) if self._waits else ("", "")
        native: dict[str, Value] = {"command": name, "reply_code": code, "reply_msg": said}
        if argument:
            native["arg"] = argument
        if name == "AUTH" and code == 234:
            self._over = True
            fields: dict[str, Value] = {"event.action": "ftp-tls", "event.outcome": "success"}
            return [Message("net.ftp", "ftp", fields, native, reply=True)]
        if (name == "PASS" and code != 332) or (name == "USER" and code not in (331, 332)):
            return [outcome("ftp", self._user, code in (230, 202, 232), said, native)]
        if name in _CHANNELS:
            fields = {"event.action": f"ftp-{name.lower()}", "gov.ftp.channel": argument or said}
            return [Message("net.ftp", "ftp", fields, native | {"user": self._user}, reply=True)]
        if name in _TRANSFERS:
            fields = {
                "event.action": f"ftp-{name.lower()}",
                "event.outcome": "success" if code < 400 else "failure",
                "user.name": self._user,
                "file.path": argument,
                "gov.ftp.reply_code": code,
            }
            return [Message("net.ftp", "ftp", fields, native | {"user": self._user}, reply=True)]
        return []


def claims_ftp(first: bytes, talk: Talk) -> bool | None:
    """A greeting that says FTP or comes from its port, or a client's USER."""
    if first[:3] in (b"220", b"530"):
        line, ending, _ = first.partition(b"\n")
        if talk.ports[0] in PORTS or b"ftp" in line.lower():
            return True
        return None if not ending and len(first) < 512 else False
    if len(first) < 4:
        return None
    if talk.ports[1] in PORTS:
        return first.split(None, 1)[0].upper() in _COMMANDS
    is_ftp = first[:5].upper() == b"USER " or first[:8].upper() in (b"AUTH TLS", b"AUTH SSL")
    return is_ftp and not _MAIL_PORTS.intersection(talk.ports)


STREAM: Final = StreamClaim(
    "ftp", claims_ftp, FtpStream, first_bytes=frozenset(b"25ACDELMNPQRSTUacdelmnpqrstu")
)
