"""DTLS 1.0, 1.2 (RFC 6347) and 1.3 (RFC 9147) as a dialect: the handshake out of datagrams, told as TLS is.

Recognised by a handshake record of epoch 0 on any port. Fragments of a message are put together, out of
order too, within ``MESSAGE_BYTES_MAX``; records of later epochs are encrypted and only counted as data.
"""

from collections.abc import Sequence
from typing import Final

from sensors.network.dialect import DatagramDialect, Message, Talk
from sensors.network.live_set import LiveSet
from sensors.network.tls_conversation import Conversation
from sensors.network.tls_records import ALERT, APPLICATION, CHANGE_CIPHER, HANDSHAKE, Record

MESSAGE_BYTES_MAX: Final = 16 * 1024
RECORDS_MAX: Final = 64  # of one datagram
DATAGRAMS_MAX: Final = 64  # of one flow that are read
LIVE_MAX: Final = 4_096  # flows whose handshake is being read
_HEADER_BYTES: Final = 13
_PARTS_MAX: Final = 32
_VERSIONS: Final = (b"\xfe\xff", b"\xfe\xfd")


class _Flow:
    """What is remembered of a flow."""

    __slots__ = ("conversation", "parts", "seen")

    def __init__(self, time: float) -> None:
        self.conversation: Conversation | None = Conversation(time, "d")
        self.parts: list[dict[int, bytes]] = [{}, {}]  # of the message that comes together, by offset
        self.seen = 0

    def release(self) -> None:
        """Nothing more is read of this flow."""
        self.conversation = None
        self.parts = [{}, {}]


_live: Final = LiveSet(LIVE_MAX)


def read_dtls(payload: bytes, talk: Talk) -> Sequence[Message] | None:
    """What a datagram tells, None where it is not DTLS."""
    flow = talk.memory if isinstance(talk.memory, _Flow) else None
    if flow is not None and payload[0] & 0xE0 == 0x20:  # the unified header of DTLS 1.3: ciphertext
        return _record(flow, talk.side, APPLICATION, b"")
    if payload[1:3] not in _VERSIONS or len(payload) < _HEADER_BYTES:
        return None
    if flow is None:
        if (
            payload[0] != HANDSHAKE
            or payload[3:5] != b"\0\0"
            or len(payload) < 25
            or payload[13] not in (1, 2)
        ):
            return None
        flow = _Flow(talk.time)
        talk.memory = flow
        _live.add(flow)
    flow.seen += 1
    if flow.seen > DATAGRAMS_MAX:
        flow.release()
    if flow.conversation is None:
        return ()
    messages: list[Message] = []
    at = 0
    for _ in range(RECORDS_MAX):
        content = at + _HEADER_BYTES
        size = int.from_bytes(payload[at + 11 : content], "big")
        if content + size > len(payload) or payload[at + 1 : at + 3] not in _VERSIONS:
            break
        if payload[at + 3 : at + 5] == b"\0\0":
            messages += _record(flow, talk.side, payload[at], payload[content : content + size])
        at = content + size
        if at >= len(payload):
            break
    return messages


def _record(flow: _Flow, side: int, kind: int, content: bytes) -> list[Message]:
    conversation = flow.conversation
    messages: list[Message] = []
    if conversation is None:
        return messages
    if kind in (CHANGE_CIPHER, APPLICATION) or (kind == ALERT and len(content) == 2):
        messages += conversation.take(side, Record(kind, content if kind == ALERT else b""))
    parts = 0
    while kind == HANDSHAKE and len(content) >= 12 and parts < _PARTS_MAX:
        parts += 1
        size = int.from_bytes(content[9:12], "big")
        message = _joined(flow.parts[side], content[:12], content[12 : 12 + size])
        if message is not None:
            messages += conversation.take(side, Record(HANDSHAKE, message))
        content = content[12 + size :]
    if conversation.done:
        flow.release()
    return messages


def _joined(parts: dict[int, bytes], header: bytes, part: bytes) -> bytes | None:
    """The whole message in TLS's form, once all of it is there."""
    size, offset = int.from_bytes(header[1:4], "big"), int.from_bytes(header[6:9], "big")
    if size > MESSAGE_BYTES_MAX or len(part) != int.from_bytes(header[9:12], "big"):
        return None
    if offset == 0 or len(parts) >= _PARTS_MAX:
        if len(part) == size:
            return header[:4] + part
        if offset == 0:
            parts.clear()
    parts[offset] = part
    joined = b""
    for start in sorted(parts):
        if start > len(joined):
            break
        joined += parts[start][len(joined) - start :]
    if len(joined) < size or 0 not in parts:
        return None
    parts.clear()
    return header[:4] + joined[:size]


DTLS: Final = DatagramDialect(
    "dtls",
    read_dtls,
    ports=frozenset({4433, 5684}),
    first_bytes=frozenset({0x14, 0x15, 0x16, *range(0x20, 0x40)}),
    elsewhere=True,
)
