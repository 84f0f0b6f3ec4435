"""Modbus over TCP: which functions are called on which unit; every write, each kind of reading once.

A conversation lasts days, so the dialect stays with it and begins anew after a hole.
"""

from collections.abc import Sequence
from typing import Final

from sensors.event import Value
from sensors.network.dialect import Message, StreamClaim, Talk
from sensors.network.reading import Frames

PORT: Final = 502
_FRAME_BYTES_MAX: Final = 260
_TOLD_MAX: Final = 512
FUNCTIONS: Final = {
    1: "READ_COILS", 2: "READ_DISCRETE_INPUTS", 3: "READ_HOLDING_REGISTERS", 4: "READ_INPUT_REGISTERS",
    5: "WRITE_SINGLE_COIL", 6: "WRITE_SINGLE_REGISTER", 7: "READ_EXCEPTION_STATUS", 8: "DIAGNOSTICS",
    9: "PROGRAM_484", 10: "POLL_484", 11: "GET_COMM_EVENT_COUNTER", 12: "GET_COMM_EVENT_LOG",
    13: "PROGRAM_584_984", 14: "POLL_584_984", 15: "WRITE_MULTIPLE_COILS", 16: "WRITE_MULTIPLE_REGISTERS",
    17: "REPORT_SLAVE_ID", 18: "PROGRAM_884_U84", 19: "RESET_COMM_LINK_884_U84",
    20: "READ_FILE_RECORD", 21: "WRITE_FILE_RECORD", 22: "MASK_WRITE_REGISTER",
    23: "READ_WRITE_MULTIPLE_REGISTERS", 24: "READ_FIFO_QUEUE", 40: "PROGRAM_CONCEPT",
    41: "FIRMWARE_REPLACEMENT", 43: "ENCAP_INTERFACE_TRANSPORT", 90: "PROGRAM_UNITY",
    125: "FIRMWARE_REPLACEMENT",
    126: "PROGRAM_584_984_2", 127: "REPORT_LOCAL_ADDRESS_MB",
}  # fmt: skip
_WRITES: Final = frozenset({5, 6, 8, 9, 13, 15, 16, 18, 21, 22, 23, 40, 41, 90, 125, 126})
_EXCEPTIONS: Final = {
    1: "ILLEGAL_FUNCTION", 2: "ILLEGAL_DATA_ADDRESS", 3: "ILLEGAL_DATA_VALUE", 4: "SLAVE_DEVICE_FAILURE",
    5: "ACKNOWLEDGE", 6: "SLAVE_DEVICE_BUSY", 8: "MEMORY_PARITY_ERROR", 10: "GATEWAY_PATH_UNAVAILABLE",
    11: "GATEWAY_TARGET_DEVICE_FAILED_TO_RESPOND",
}  # fmt: skip


class ModbusStream:
    """One connection."""

    def __init__(self, talk: Talk) -> None:
        self._server = talk.side if talk.ports[0] == PORT else 1 - talk.side
        self._frames = (Frames(_measure, begins_anew=True), Frames(_measure, begins_anew=True))
        self._told: set[tuple[int, int, int, int]] = set()

    @property
    def done(self) -> bool:
        """Never: it stays with the conversation."""
        return False

    def feed(self, side: int, data: bytes) -> Sequence[Message]:
        """The messages that end with these bytes."""
        found = (self._message(side, frame) for frame in self._frames[side].feed(data))
        return [one for one in found if one is not None]

    def _message(self, side: int, frame: bytes) -> Message | None:
        unit, code = frame[6], frame[7]
        function = code & 0x7F
        exception = frame[8] if code & 0x80 and len(frame) > 8 else 0
        is_reply = side == self._server
        is_write = function in _WRITES and not is_reply
        key = (side, unit, code, exception)
        if key in self._told and not is_write:
            return None
        if len(self._told) < _TOLD_MAX:
            self._told.add(key)
        name = FUNCTIONS.get(function) or f"unknown-{code}"
        fields: dict[str, Value] = {
            "event.action": "modbus-reply" if is_reply else "modbus-request",
            "gov.modbus.function": name,
            "gov.modbus.code": function,
            "gov.modbus.unit": unit,
            "gov.modbus.writes": function in _WRITES,
        }
        native: dict[str, Value] = {
            "tid": int.from_bytes(frame[:2], "big"),
            "unit": unit,
            "func": name,
            "pdu_type": "RESP" if is_reply else "REQ",
        }
        if not is_reply and function in (1, 2, 3, 4, 5, 6, 15, 16, 22) and len(frame) >= 12:
            fields["gov.modbus.address"] = int.from_bytes(frame[8:10], "big")
            fields["gov.modbus.value" if function in (5, 6) else "gov.modbus.quantity"] = int.from_bytes(
                frame[10:12], "big"
            )
        if code & 0x80:
            said = _EXCEPTIONS.get(exception) or f"unknown-{exception}"
            fields |= {"event.outcome": "failure", "gov.modbus.exception": said}
            native["exception"] = said
        return Message("net.modbus", "modbus", fields, native, reply=is_reply)


def _measure(data: bytes) -> int:
    if len(data) < 8:
        return 0
    size = 6 + int.from_bytes(data[4:6], "big")
    return size if data[2:4] == b"\0\0" and 8 <= size <= _FRAME_BYTES_MAX else -1


def claims_modbus(first: bytes, talk: Talk) -> bool | None:
    """On its port any sound header; elsewhere a known function in a frame of just this size."""
    if len(first) < 8:
        return None
    size = _measure(first)
    if size < 0:
        return False
    return PORT in talk.ports or (first[7] in FUNCTIONS and size == len(first) and size in (12, 8))


STREAM: Final = StreamClaim("modbus", claims_modbus, ModbusStream, resumes=True, bytes_max=1 << 40)
