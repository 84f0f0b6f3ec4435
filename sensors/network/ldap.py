"""LDAP (RFC 4511) before it is sealed: binds with who and how, searches, changes, and what came of them.

A simple bind's password is not kept, only its keyed mark. After StartTLS the stream is let go.
"""

from collections.abc import Sequence
from typing import Final

from sensors.event import Value
from sensors.network.ber import Element, children, content, element, inside, number, whole_size
from sensors.network.dialect import Message, StreamClaim, Talk
from sensors.network.kerberos import ap_request
from sensors.network.ldap_filter import filter_text
from sensors.network.ntlm import ntlm_message
from sensors.network.reading import MASK, Frames, mark_of, text

LDAP_BYTES_MAX: Final = 256 * 1024  # of each side: a search's entries fill 16 KiB at once
BUFFER_BYTES_MAX: Final = 64 * 1024  # one SASL buffer holds many messages
_PENDING_MAX: Final = 64
_START_TLS: Final = "1.3.6.1.4.1.1466.20037"
_OPERATIONS: Final = {
    0x60: "bind", 0x61: "bind", 0x42: "unbind", 0x63: "search", 0x65: "search", 0x64: "search-entry",
    0x66: "modify", 0x67: "modify", 0x68: "add", 0x69: "add", 0x4A: "delete", 0x6B: "delete",
    0x6C: "modify-dn", 0x6D: "modify-dn", 0x6E: "compare", 0x6F: "compare", 0x50: "abandon",
    0x73: "search-reference", 0x77: "extended", 0x78: "extended", 0x79: "intermediate",
}  # fmt: skip
_REPLIES: Final = frozenset({0x61, 0x65, 0x67, 0x69, 0x6B, 0x6D, 0x6F, 0x78})
_CHANGES: Final = frozenset({0x66, 0x68, 0x4A, 0x6C})
_RESULTS: Final = {
    0: "success", 1: "operations error", 2: "protocol error", 3: "time limit exceeded",
    4: "size limit exceeded", 5: "compare false", 6: "compare true", 7: "auth method not supported",
    8: "stronger auth required", 10: "referral", 11: "admin limit exceeded",
    12: "unavailable critical extension", 13: "confidentiality required", 14: "SASL bind in progress",
    16: "no such attribute", 17: "undefined attribute type", 18: "inappropriate matching",
    19: "constraint violation", 20: "attribute or value exists", 21: "invalid attribute syntax",
    32: "no such object", 33: "alias problem", 34: "invalid DNS syntax", 36: "alias dereferencing problem",
    48: "inappropriate authentication", 49: "invalid credentials", 50: "insufficient access rights",
    51: "busy", 52: "unavailable", 53: "unwilling to perform", 54: "loop detect", 64: "naming violation",
    65: "object class violation", 66: "not allowed on nonleaf", 67: "not allowed on RDN",
    68: "entry already exists", 69: "object class mods prohibited", 71: "affects multiple DSAs", 80: "other",
}  # fmt: skip
_OUTCOMES: Final = {0: "success", 5: "success", 6: "success", 10: "unknown", 14: "unknown"}
_SCOPES: Final = ("base", "single", "tree")
_ALIASES: Final = ("never", "in searching", "finding", "always")


class LdapStream:
    """One LDAP conversation."""

    def __init__(self, talk: Talk) -> None:
        self._key = talk.secret
        self._frames = (Frames(_measure, BUFFER_BYTES_MAX), Frames(_measure, BUFFER_BYTES_MAX))
        self._asked: dict[int, tuple[str, str]] = {}  # message id -> (operation, object or mechanism)
        self._entries: dict[int, int] = {}
        self._over = False

    @property
    def done(self) -> bool:
        """Whether the conversation went behind TLS or is none."""
        return self._over or self._frames[0].broken or self._frames[1].broken

    def feed(self, side: int, data: bytes) -> Sequence[Message]:
        """The messages that end with these bytes."""
        found: list[Message] = []
        for frame in self._frames[side].feed(data):
            for plain in _unwrapped(frame):
                found += self._message(plain)
            if self._over:
                break
        return found

    def _message(self, frame: bytes) -> list[Message]:
        outer = element(frame, 0, len(frame))
        parts = inside(frame, outer) if outer is not None else []
        if len(parts) < 2 or parts[0].tag != 0x02 or parts[1].tag not in _OPERATIONS:
            return []
        identifier, body = number(frame, parts[0]), parts[1]
        if body.tag == 0x60:
            return self._bind(frame, identifier, body)
        if body.tag == 0x63:
            return self._search(frame, identifier, body)
        if body.tag in (0x64, 0x73):
            if identifier in self._entries:
                self._entries[identifier] += 1
            return []
        if body.tag in _REPLIES:
            return self._reply(frame, identifier, body)
        if body.tag in _CHANGES or body.tag in (0x6E, 0x77):
            return self._change(frame, identifier, body)
        return [self._say(identifier, "unbind", {}, {})] if body.tag == 0x42 else []

    def _bind(self, frame: bytes, identifier: int, body: Element) -> list[Message]:
        parts = inside(frame, body)
        if len(parts) < 3:
            return []
        version, name, secret = number(frame, parts[0]), text(content(frame, parts[1])), parts[2]
        fields: dict[str, Value] = {"event.category": "authentication", "user.name": name}
        native: dict[str, Value] = {"version": version}
        extra: list[Message] = []
        if secret.tag == 0xA3:
            inner = inside(frame, secret)
            method = text(content(frame, inner[0]), 64) if inner else ""
            operation = "bind SASL"
            native["argument"] = fields["gov.ldap.mechanism"] = method
            for token in (ntlm_message(frame, "ldap"), ap_request(frame, "ldap")):
                extra += [token] if token is not None else []
        else:
            operation, password = "bind simple", content(frame, secret)
            native["argument"] = "REDACTED"
            fields |= {
                "gov.credential.kind": "password",
                "gov.credential.clear": bool(password),
                "gov.credential.shown": MASK if password else "",
                "gov.credential.mark": mark_of(password, self._key),
            }
        if name:
            native["object"] = name
        self._remember(identifier, operation, name)
        return [self._say(identifier, operation, fields, native), *extra]

    def _search(self, frame: bytes, identifier: int, body: Element) -> list[Message]:
        parts = inside(frame, body)
        if len(parts) < 7:
            return []
        scope, aliases = number(frame, parts[1]), number(frame, parts[2])
        base = text(content(frame, parts[0]))
        wanted: list[str | int | float | bool | None] = []
        if len(parts) > 7:
            wanted = [text(content(frame, one), 128) for one in inside(frame, parts[7])[:32]]
        said = filter_text(frame, parts[6])
        fields: dict[str, Value] = {
            "gov.ldap.base": base,
            "gov.ldap.scope": _SCOPES[scope] if 0 <= scope < 3 else str(scope),
            "gov.ldap.filter": said,
            "gov.ldap.attributes": wanted,
        }
        native: dict[str, Value] = {
            "scope": fields["gov.ldap.scope"],
            "deref_aliases": _ALIASES[aliases] if 0 <= aliases < 4 else str(aliases),
            "filter": said,
            "attributes": wanted,
        }
        if base:
            native["base_object"] = base
        self._remember(identifier, "search", base)
        if len(self._entries) < _PENDING_MAX:
            self._entries[identifier] = 0
        return [self._say(identifier, "search", fields, native)]

    def _change(self, frame: bytes, identifier: int, body: Element) -> list[Message]:
        operation = _OPERATIONS[body.tag]
        first = body if body.tag == 0x4A else element(frame, body.start, body.end)
        name = text(content(frame, first)) if first is not None else ""
        self._remember(identifier, operation, name)
        native: dict[str, Value] = {"object": name} if name else {}
        return [self._say(identifier, operation, {"gov.ldap.object": name}, native)]

    def _reply(self, frame: bytes, identifier: int, body: Element) -> list[Message]:
        parts = inside(frame, body)
        if not parts:
            return []
        code = number(frame, parts[0])
        result = _RESULTS.get(code, str(code))
        said = text(content(frame, parts[2]).rstrip(b"\0"), 256) if len(parts) > 2 else ""
        operation, name = self._asked.pop(identifier, (_OPERATIONS[body.tag], ""))
        if operation == "extended" and name == _START_TLS and code == 0:
            self._over = True
        fields: dict[str, Value] = {
            "event.outcome": _OUTCOMES.get(code, "failure"),
            "gov.ldap.result": result,
        }
        native: dict[str, Value] = {"result": result}
        if said:
            fields["gov.ldap.message"] = native["diagnostic_message"] = said
        if name:
            native["object"] = name
            if operation.startswith("bind"):
                fields["user.name"] = name
        if operation.startswith("bind"):
            fields["event.category"] = "authentication"
        if operation == "search":
            fields["gov.ldap.entries"] = native["result_count"] = self._entries.pop(identifier, 0)
        token = ntlm_message(frame, "ldap") if operation.startswith("bind") else None
        answer = self._say(identifier, operation, fields, native, reply=True)
        return [answer] if token is None else [answer, token]

    def _remember(self, identifier: int, operation: str, name: str) -> None:
        if len(self._asked) < _PENDING_MAX:
            self._asked[identifier] = (operation, name)

    def _say(
        self,
        identifier: int,
        operation: str,
        fields: dict[str, Value],
        native: dict[str, Value],
        *,
        reply: bool = False,
    ) -> Message:
        log = "ldap_search" if operation == "search" else "ldap"
        action = f"ldap-{operation.replace(' ', '-').lower()}{'-result' if reply else ''}"
        fields["event.action"] = action
        native |= {"message_id": identifier} | ({} if log == "ldap_search" else {"opcode": operation})
        return Message("net.ldap", "ldap", fields, native, reply=reply, log=log)


def _measure(data: bytes) -> int:
    if data[0] == 0x30:
        return whole_size(data)
    if data[0] == 0:  # a SASL buffer behind its length (RFC 4422 3.7)
        return 4 + int.from_bytes(data[:4], "big") if len(data) >= 4 else 0
    return -1


def _unwrapped(frame: bytes) -> list[bytes]:
    """The messages of a frame; of a SASL buffer those that are signed but not sealed (Kerberos, NTLM)."""
    if frame[0] == 0x30:
        return [frame]
    token = frame[4:]
    if token[:2] == b"\x05\x04" and len(token) > 16 and not token[2] & 2:  # RFC 4121 4.2.6.2
        rotated = int.from_bytes(token[6:8], "big")
        plain = token[16 + (int.from_bytes(token[4:6], "big") if rotated else 0) :]
    elif token[:4] == b"\x01\0\0\0":
        plain = token[16:]
    else:
        return []
    return [plain[at : one.end] for at, one in _elements(plain)]


def _elements(plain: bytes) -> list[tuple[int, Element]]:
    found: list[tuple[int, Element]] = []
    at = 0
    for one in children(plain, 0, len(plain)):
        found.append((at, one))
        at = one.end
    return [(at, one) for at, one in found if one.tag == 0x30]


def claims_ldap(first: bytes, _talk: Talk) -> bool | None:
    """A sequence, a small message id, then an operation."""
    size = whole_size(first)
    if size <= 0:
        return None if size == 0 and len(first) < 8 else False
    outer = element(first, 0, len(first))
    inner = element(first, outer.start, len(first)) if outer is not None else None
    if inner is None or inner.end + 1 > len(first):
        return None if len(first) < 16 else False
    if inner.tag != 0x02 or not 1 <= inner.end - inner.start <= 4:
        return False
    return first[inner.end] in _OPERATIONS and size >= 7


STREAM: Final = StreamClaim(
    "ldap", claims_ldap, LdapStream, first_bytes=frozenset({0x30}), bytes_max=LDAP_BYTES_MAX
)
