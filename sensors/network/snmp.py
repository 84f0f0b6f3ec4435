"""SNMP 1, 2c and 3: versions, communities (as secrets), users, and what is asked; each kind once a flow."""

from collections.abc import Sequence
from typing import Final

from sensors.event import Value
from sensors.network.ber import Element, content, element, inside, number, object_text
from sensors.network.dialect import DatagramDialect, Message, Talk
from sensors.network.reading import MASK, mark_of, text

PORTS: Final = frozenset({161, 162})
_VERSIONS: Final = {0: "1", 1: "2c", 2: "2u", 3: "3"}
_REQUESTS: Final = {
    0xA0: "get", 0xA1: "get-next", 0xA2: "response", 0xA3: "set", 0xA4: "trap", 0xA5: "get-bulk",
    0xA6: "inform", 0xA7: "trap", 0xA8: "report",
}  # fmt: skip
_WELL_KNOWN: Final = frozenset({b"public", b"private"})
_TOLD_MAX: Final = 32


def read_snmp(payload: bytes, talk: Talk) -> Sequence[Message] | None:
    """One datagram; None where it is not SNMP."""
    outer = element(payload, 0, len(payload))
    if outer is None or outer.tag != 0x30:
        return None
    parts = inside(payload, outer)
    if len(parts) < 3 or parts[0].tag != 0x02:
        return None
    version = number(payload, parts[0])
    if version == 3 and len(parts) >= 4 and parts[1].tag == 0x30:
        return _version_3(payload, talk, parts[2], parts[3])
    if version not in (0, 1, 2) or parts[1].tag != 0x04 or parts[2].tag not in _REQUESTS:
        return None
    community, request = content(payload, parts[1]), _REQUESTS[parts[2].tag]
    fields: dict[str, Value] = {
        "gov.credential.kind": "community",
        "gov.credential.clear": True,
        "gov.credential.shown": MASK,
        "gov.credential.mark": mark_of(community, talk.secret),
        "gov.snmp.well_known_community": community.lower() in _WELL_KNOWN,
    }
    inner = inside(payload, parts[2])
    if len(inner) >= 4:
        fields["gov.snmp.objects"] = _objects(payload, inner[-1].start, inner[-1].end)
    if parts[2].tag == 0xA2 and len(inner) >= 3:
        fields["gov.snmp.error"] = number(payload, inner[1])
    key = (version, parts[2].tag, community[:64])
    return _told(talk, key, version, request, fields)


def _version_3(payload: bytes, talk: Talk, security: Element, data: Element) -> Sequence[Message] | None:
    if security.tag != 0x04:
        return None
    holder = element(payload, security.start, security.end)
    parts = inside(payload, holder) if holder is not None else []
    user = text(content(payload, parts[3]), 64) if len(parts) > 3 else ""
    is_sealed = data.tag == 0x04
    request = "sealed"
    if not is_sealed:
        inner = inside(payload, data)
        request = _REQUESTS.get(inner[2].tag, "") if len(inner) > 2 else ""
    fields: dict[str, Value] = {
        "user.name": user,
        "gov.snmp.sealed": is_sealed,
        "gov.snmp.authenticated": bool(len(parts) > 4 and parts[4].end > parts[4].start),
    }
    return _told(talk, (3, request, user), 3, request, fields, {"community": user} if user else {})


def _objects(payload: bytes, start: int, end: int) -> list[str | int | float | bool | None]:
    found: list[str | int | float | bool | None] = []
    holder = element(payload, start, end)
    places = [holder] if holder is not None and holder.tag == 0x30 else []
    while places and len(found) < 8:
        one = places.pop(0)
        inner = element(payload, one.start, one.end)
        if inner is not None and inner.tag == 0x06:
            found.append(object_text(content(payload, inner)))
        behind = element(payload, one.end, end)
        if behind is not None:
            places.append(behind)
    return found


def _told(
    talk: Talk,
    key: tuple[object, ...],
    version: int,
    request: str,
    fields: dict[str, Value],
    native: dict[str, Value] | None = None,
) -> Sequence[Message]:
    told = talk.memory if isinstance(talk.memory, set) else set()
    talk.memory = told
    if key in told:
        return []
    if len(told) < _TOLD_MAX:
        told.add(key)
    fields |= {"event.action": f"snmp-{request}", "gov.snmp.version": _VERSIONS[version]}
    said: dict[str, Value] = {"version": _VERSIONS[version], **(native or {})}
    is_reply = request in ("response", "report") or (request == "sealed" and talk.ports[0] == 161)
    return [Message("net.snmp", "snmp", fields, said, reply=is_reply)]


DATAGRAM: Final = DatagramDialect(
    "snmp", read_snmp, ports=PORTS, first_bytes=frozenset({0x30}), elsewhere=True
)
