"""S7 communication of Siemens controllers (over TPKT): jobs by name; every stop, start, write and download.

Readings are told once a conversation. S7comm-plus is only recognised.
"""

from collections.abc import Sequence
from typing import Final

from sensors.event import Value
from sensors.network.dialect import Message, StreamClaim, Talk
from sensors.network.reading import Frames, text
from sensors.network.tpkt import CONFIRM, CONNECT, DATA, measure_tpkt, x224_kind, x224_payload

_S7, _S7_PLUS = 0x32, 0x72
_JOB, _ACK, _ACK_DATA, _USERDATA = 1, 2, 3, 7
_KINDS: Final = {_JOB: "job", _ACK: "ack", _ACK_DATA: "ack-data", _USERDATA: "userdata"}
_TOLD_MAX: Final = 256
FUNCTIONS: Final = {
    0x00: "cpu-services", 0x04: "read", 0x05: "write", 0x1A: "download-request", 0x1B: "download-block",
    0x1C: "download-end", 0x1D: "upload-start", 0x1E: "upload", 0x1F: "upload-end",
    0x28: "program-invocation", 0x29: "plc-stop", 0xF0: "setup",
}  # fmt: skip
_USERDATA_GROUPS: Final = {
    0: "mode-transition", 1: "programmer", 2: "cyclic-data", 3: "block", 4: "cpu", 5: "security", 7: "time",
}  # fmt: skip
_CHANGES: Final = frozenset({0x05, 0x1A, 0x1C, 0x28, 0x29})


class S7Stream:
    """One connection."""

    def __init__(self, _talk: Talk) -> None:
        self._frames = (Frames(measure_tpkt, begins_anew=True), Frames(measure_tpkt, begins_anew=True))
        self._told: set[tuple[int, int, int, int]] = set()

    @property
    def done(self) -> bool:
        """Never: it stays with the conversation."""
        return False

    def feed(self, side: int, data: bytes) -> Sequence[Message]:
        """The frames that end with these bytes."""
        found = (self._message(side, frame) for frame in self._frames[side].feed(data))
        return [one for one in found if one is not None]

    def _message(self, side: int, frame: bytes) -> Message | None:
        kind = x224_kind(frame)
        if kind in (CONNECT, CONFIRM):
            return self._connect(frame, kind)
        body = x224_payload(frame) if kind == DATA else b""
        if body[:1] == bytes((_S7_PLUS,)):
            return self._once(
                side, _S7_PLUS, 0, "s7-plus", {"gov.s7.version": body[1] if len(body) > 1 else 0}
            )
        if len(body) < 11 or body[0] != _S7:
            return None
        roster, has_error = body[1], body[1] in (_ACK, _ACK_DATA)
        parameters = body[12 if has_error else 10 :]
        code = parameters[0] if parameters else 0
        name = FUNCTIONS.get(code, f"unknown-{code}")
        if roster == _USERDATA:
            group = parameters[5] & 0x0F if len(parameters) > 6 else 0
            code = 0x100 | group
            name = f"userdata-{_USERDATA_GROUPS.get(group, group)}"
        extra: dict[str, Value] = {"gov.s7.kind": _KINDS.get(roster, str(roster))}
        if has_error and body[10]:
            extra |= {"event.outcome": "failure", "gov.s7.error": body[10] << 8 | body[11]}
        if roster == _JOB and code in (0x28, 0x29):
            said = parameters[-1 - _tail(parameters) :] if parameters else b""
            extra["gov.s7.service"] = text(said, 64)
        return self._once(side, roster, code, name, extra)

    def _connect(self, frame: bytes, kind: int) -> Message:
        fields: dict[str, Value] = {"event.action": "s7-connect" if kind == CONNECT else "s7-confirm"}
        at = 11
        while at + 2 <= len(frame):
            tag, size = frame[at], frame[at + 1]
            if tag in (0xC1, 0xC2) and size == 2:
                fields[f"gov.s7.{'source' if tag == 0xC1 else 'destination'}_tsap"] = frame[
                    at + 2 : at + 4
                ].hex()
                if tag == 0xC2:
                    fields |= {"gov.s7.rack": frame[at + 3] >> 5, "gov.s7.slot": frame[at + 3] & 0x1F}
            at += 2 + size
        return Message("net.s7", "s7comm", fields, {}, reply=kind == CONFIRM)

    def _once(self, side: int, roster: int, code: int, name: str, extra: dict[str, Value]) -> Message | None:
        error = extra.get("gov.s7.error", 0)
        key = (side, roster, code, error if isinstance(error, int) else 0)
        changes = code in _CHANGES and roster == _JOB
        if key in self._told and not changes:
            return None
        if len(self._told) < _TOLD_MAX:
            self._told.add(key)
        fields: dict[str, Value] = {
            "event.action": f"s7-{name}",
            "gov.s7.function": name,
            "gov.s7.changes": changes,
        }
        return Message(
            "net.s7", "s7comm", fields | extra, {"function": name}, reply=roster in (_ACK, _ACK_DATA)
        )


def _tail(parameters: bytes) -> int:
    """Size of the service name that ends these parameters: its length stands before it."""
    for size in range(min(len(parameters) - 1, 32), 0, -1):
        if parameters[-1 - size] == size:
            return size - 1
    return 0


def claims_s7(first: bytes, _talk: Talk) -> bool | None:
    """A connection request or confirmation with TSAPs, or a data frame that holds S7."""
    if len(first) < 8:
        return None if measure_tpkt(first) >= 0 else False
    if measure_tpkt(first) < 7:
        return False
    kind = first[5] & 0xF0
    if kind in (CONNECT, CONFIRM):
        return None if len(first) < 12 else first[11] in (0xC0, 0xC1, 0xC2)
    return kind == DATA and first[4] == 2 and first[7] in (_S7, _S7_PLUS)


STREAM: Final = StreamClaim(
    "s7comm", claims_s7, S7Stream, first_bytes=frozenset({3}), resumes=True, bytes_max=1 << 40
)
