"""DCE/RPC (C706, MS-RPCE) over TCP and over SMB pipes: which interface is bound and which operation called.

Each (interface, operation) is told once a conversation; of its log-ins the NTLM and Kerberos names are.
"""

from collections.abc import Sequence
from struct import Struct, error
from typing import Final
from uuid import UUID

from sensors.event import Value
from sensors.network.dcerpc_names import INTERFACES, OPERATIONS
from sensors.network.dialect import Message, StreamClaim, Talk
from sensors.network.kerberos import ap_request
from sensors.network.ntlm import ntlm_message
from sensors.network.reading import Frames

_REQUEST, _BIND, _BIND_ANSWER, _ALTER, _AUTHENTICATE = 0, 11, 12, 14, 16
_KINDS_MAX: Final = 20
_BOUND_MAX: Final = 32
_TOLD_MAX: Final = 256
_ITEMS_MAX: Final = 8
_HEADER_BYTES: Final = 16
_NDR_LITTLE: Final = 0x10


class DceRpc:
    """The state of one conversation: what context numbers stand for, and what was told."""

    def __init__(self, pipe: str = "") -> None:
        self._pipe = pipe
        self._bound: dict[int, UUID] = {}
        self._told: set[tuple[UUID, int]] = set()

    def read(self, data: bytes, carrier: str = "dce_rpc") -> list[Message]:
        """What one fragment tells."""
        if len(data) < _HEADER_BYTES or data[:2] != b"\x05\0":
            return []
        little = "<" if data[4] & _NDR_LITTLE else ">"
        kind = data[2]
        try:
            if kind in (_BIND, _ALTER):
                self._bind(data, little)
            elif kind == _REQUEST:
                context, operation = Struct(f"{little}HH").unpack_from(data, 20)
                return self._call(context, operation)
        except error:
            return []
        if kind in (_BIND, _BIND_ANSWER, _ALTER, _AUTHENTICATE, _ALTER + 1):
            tokens = (ntlm_message(data, carrier), ap_request(data, carrier))
            return [token for token in tokens if token is not None]
        return []

    def _bind(self, data: bytes, little: str) -> None:
        at = 28
        for _ in range(min(data[24], _ITEMS_MAX) if len(data) > 24 else 0):
            context, transfers = Struct(f"{little}HB").unpack_from(data, at)
            raw = data[at + 4 : at + 20]
            if len(raw) == 16 and len(self._bound) < _BOUND_MAX:
                self._bound[context] = UUID(bytes_le=raw) if little == "<" else UUID(bytes=raw)
            at += 24 + 20 * transfers

    def _call(self, context: int, operation: int) -> list[Message]:
        interface = self._bound.get(context)
        if interface is None or (interface, operation) in self._told:
            return []
        if len(self._told) < _TOLD_MAX:
            self._told.add((interface, operation))
        endpoint = INTERFACES.get(str(interface), str(interface))
        name = OPERATIONS.get(endpoint, {}).get(operation, f"unknown-{operation}")
        fields: dict[str, Value] = {
            "event.action": "rpc-call",
            "gov.rpc.interface": endpoint,
            "gov.rpc.operation": name,
            "gov.rpc.number": operation,
        }
        native: dict[str, Value] = {"endpoint": endpoint, "operation": name}
        if self._pipe:
            fields["gov.rpc.pipe"] = native["named_pipe"] = self._pipe
        return [Message("net.dce_rpc", "dce_rpc", fields, native)]


class DceRpcStream:
    """DCE/RPC straight over TCP."""

    def __init__(self, _talk: Talk) -> None:
        self._frames = (Frames(_measure), Frames(_measure))
        self._rpc = DceRpc()

    @property
    def done(self) -> bool:
        """Whether the bytes are none of DCE/RPC."""
        return self._frames[0].broken or self._frames[1].broken

    def feed(self, side: int, data: bytes) -> Sequence[Message]:
        """The fragments that end with these bytes."""
        found: list[Message] = []
        for frame in self._frames[side].feed(data):
            found += self._rpc.read(frame)
        return found


def _measure(data: bytes) -> int:
    if len(data) < 10:
        return 0
    if data[:2] != b"\x05\0":
        return -1
    size = int.from_bytes(data[8:10], "little" if data[4] & _NDR_LITTLE else "big")
    return size if size >= _HEADER_BYTES else -1


def claims_dcerpc(first: bytes, _talk: Talk) -> bool | None:
    """Version 5.0, a known kind of fragment, one of the two number formats."""
    if len(first) < 10:
        return None if first[:2] in (b"\x05", b"\x05\0") else False
    is_sound = first[1] == 0 and first[2] < _KINDS_MAX and first[4] in (0, _NDR_LITTLE) and first[5] <= 3
    return is_sound and first[6:8] == b"\0\0" and _measure(first) > 0


STREAM: Final = StreamClaim("dce_rpc", claims_dcerpc, DceRpcStream, first_bytes=frozenset({5}))
