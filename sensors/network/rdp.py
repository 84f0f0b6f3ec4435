"""RDP (MS-RDPBCGR) up to its encryption: the user's cookie, security asked and chosen, client's name."""

from collections.abc import Sequence
from struct import Struct, error
from typing import Final

from sensors.event import Value
from sensors.network.dialect import Message, StreamClaim, Talk
from sensors.network.reading import Frames, text, wide
from sensors.network.tpkt import CONFIRM, CONNECT, measure_tpkt, x224_kind, x224_payload

_COOKIE: Final = b"Cookie: mstshash="
_TOKEN: Final = b"Cookie: msts="
_PROTOCOLS: Final = {0: "RDP", 1: "SSL", 2: "HYBRID", 4: "RDSTLS", 8: "HYBRID_EX", 16: "RDSAAD"}
_FAILURES: Final = {
    1: "SSL_REQUIRED_BY_SERVER", 2: "SSL_NOT_ALLOWED_BY_SERVER", 3: "SSL_CERT_NOT_ON_SERVER",
    4: "INCONSISTENT_FLAGS", 5: "HYBRID_REQUIRED_BY_SERVER", 6: "SSL_WITH_USER_AUTH_REQUIRED_BY_SERVER",
}  # fmt: skip
_MCS_ANSWER: Final = b"\x7f\x66"
_RESULTS: Final = {0: "Success", 3: "DomainNotHierarchical", 14: "UnspecifiedFailure", 15: "UserRejected"}
_CLIENT_CORE: Final = b"\x01\xc0"
_DEPTHS: Final = {0xCA01: "8bit", 0xCA02: "15bit", 0xCA03: "16bit", 0xCA04: "24bit"}
_core: Final = Struct("<HHIHHHHII").unpack_from
_u32: Final = Struct("<I").unpack_from


class RdpStream:
    """One connection up to its encryption."""

    def __init__(self, talk: Talk) -> None:
        self._client = talk.side if talk.ports[0] != 3389 else 1 - talk.side
        self._frames = (Frames(measure_tpkt), Frames(measure_tpkt))
        self._cookie = ""
        self._over = False

    @property
    def done(self) -> bool:
        """Whether it goes on under TLS or its own encryption."""
        return self._over or self._frames[0].broken or self._frames[1].broken

    def feed(self, side: int, data: bytes) -> Sequence[Message]:
        """The frames that end with these bytes."""
        found: list[Message] = []
        for frame in self._frames[side].feed(data):
            kind = x224_kind(frame)
            if kind == CONNECT:
                found.append(self._connect(frame))
            elif kind == CONFIRM:
                found.append(self._confirm(frame))
            elif side == self._client and frame.find(b"Duca") >= 0:
                found += self._settings(frame)
            elif side != self._client and x224_payload(frame)[:2] == _MCS_ANSWER:
                found += self._connected(x224_payload(frame))
            if self._over:
                break
        return found

    def _connect(self, frame: bytes) -> Message:
        rest = frame[11:]
        if rest.startswith(_COOKIE):
            self._cookie = text(rest[len(_COOKIE) :].partition(b"\r\n")[0], 256)
        request = rest.partition(b"\r\n")[2] if rest.startswith(b"Cookie:") else rest
        asked = 0
        if len(request) >= 8 and request[0] == 1:
            (asked,) = _u32(request, 4)
        wanted: list[str | int | float | bool | None] = [
            name for bit, name in _PROTOCOLS.items() if asked & bit or bit == asked == 0
        ]
        fields: dict[str, Value] = {"event.action": "rdp-connect", "gov.rdp.offered": wanted}
        native: dict[str, Value] = {}
        if self._cookie:
            fields["user.name"] = native["cookie"] = self._cookie
        return Message("net.rdp", "rdp", fields, native)

    def _confirm(self, frame: bytes) -> Message:
        answer = frame[11:19]
        fields: dict[str, Value] = {"event.action": "rdp-confirm", "event.outcome": "success"}
        native: dict[str, Value] = {"cookie": self._cookie} if self._cookie else {}
        if self._cookie:
            fields["user.name"] = self._cookie
        number = _u32(answer, 4)[0] if len(answer) == 8 else 0
        if answer[:1] == b"\x03":
            said = _FAILURES.get(number, str(number))
            fields |= {"event.outcome": "failure", "gov.rdp.failure": said}
            native["result"] = said
            self._over = True
        else:
            protocol = _PROTOCOLS.get(number, str(number))
            fields["gov.rdp.security"] = native["security_protocol"] = protocol
            if number:
                native["result"] = "encrypted"
                self._over = True
        return Message("net.rdp", "rdp", fields, native, reply=True)

    def _connected(self, answer: bytes) -> list[Message]:
        """The server's answer to the client's settings; from here on RDP seals by itself."""
        self._over = True
        at = answer.find(b"\x0a\x01", 2, 10)
        if at < 0 or at + 2 >= len(answer):
            return []
        said = _RESULTS.get(answer[at + 2], str(answer[at + 2]))
        fields: dict[str, Value] = {
            "event.action": "rdp-connected",
            "event.outcome": "success" if said == "Success" else "failure",
        }
        native: dict[str, Value] = {"result": said}
        if self._cookie:
            fields["user.name"] = native["cookie"] = self._cookie
        return [Message("net.rdp", "rdp", fields, native, reply=True)]

    def _settings(self, frame: bytes) -> list[Message]:
        at = frame.find(_CLIENT_CORE, frame.find(b"Duca"))
        try:
            _, size, _, width, height, depth, _, keyboard, build = _core(frame, at)
        except error:
            return []
        if at < 0 or size < 56:
            return []
        name = wide(frame[at + 24 : at + 56].split(b"\0\0\0", 1)[0] + b"\0", 16).replace("\\x00", "")
        fields: dict[str, Value] = {
            "event.action": "rdp-settings",
            "gov.rdp.client_name": name,
            "gov.rdp.client_build": build,
            "gov.rdp.keyboard_layout": keyboard,
        }
        native: dict[str, Value] = {
            "client_name": name,
            "desktop_width": width,
            "desktop_height": height,
        }
        if self._cookie:
            fields["user.name"] = native["cookie"] = self._cookie
        if depth in _DEPTHS:
            native["color_depth"] = _DEPTHS[depth]
        return [Message("net.rdp", "rdp", fields, native)]


def claims_rdp(first: bytes, talk: Talk) -> bool | None:
    """A connection request with a cookie, a security request, or nothing; S7's carries parameters."""
    if len(first) < 6:
        return None if measure_tpkt(first) >= 0 else False
    size = measure_tpkt(first)
    if size < 11 or first[5] & 0xF0 != CONNECT or first[4] != size - 5:
        return False
    if size == 11:
        return 3389 in talk.ports
    if len(first) < 12:
        return None
    rest = x224_payload(first[:4] + b"\x06" + first[5:])
    return rest.startswith((_COOKIE, _TOKEN)) or rest[:1] == b"C" or (rest[0] == 1 and size == 19)


STREAM: Final = StreamClaim("rdp", claims_rdp, RdpStream, first_bytes=frozenset({3}))
