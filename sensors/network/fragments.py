"""Fragments of IP datagrams put together again (RFC 791, 8200), within bounds of number, size and time.

Of bytes sent twice the first to come count in IPv4; in IPv6 an overlap ends the datagram (RFC 5722). What
cannot be made whole is dropped and counted by ``counts``.
"""

from struct import Struct
from typing import Final

from sensors.network.packet import ETHER_IPV4, Packet

DATAGRAMS_MAX: Final = 1_024  # incomplete at a time
HELD_BYTES_MAX: Final = 8 * 1024 * 1024
PARTS_MAX: Final = 64  # of one datagram; 45 parts of 1,480 bytes make the largest there is
WAIT_SECONDS: Final = 30.0  # RFC 8200 allows 60
DATAGRAM_BYTES_MAX: Final = 65_535

_u16: Final = Struct("!H").unpack_from
_u32: Final = Struct("!I").unpack_from
_pack_u16: Final = Struct("!H").pack

Key = tuple[bytes, bytes, int, int]


class _Parts:
    """One datagram that is not whole yet."""

    __slots__ = ("first", "header", "held", "parts", "size")

    def __init__(self, time: float) -> None:
        self.first = time
        self.header = b""  # of the fragment at offset 0
        self.parts: list[tuple[int, bytes]] = []  # (offset, bytes), in order
        self.size = -1  # of the whole, known from the last part
        self.held = 0


class Fragments:
    """All incomplete datagrams of one capture, the oldest first."""

    def __init__(self) -> None:
        self._open: dict[Key, _Parts] = {}
        self._held = 0
        self._seen = self._whole = self._lost = self._overlapping = 0

    def __len__(self) -> int:
        return len(self._open)

    def add(self, data: bytes, packet: Packet, time: float) -> bytes | None:
        """Take in a fragment; the whole datagram from its IP header on, once it is there."""
        self._seen += 1
        self.advance(time)
        is_version4 = packet.ethertype == ETHER_IPV4
        if is_version4:
            identifier, place = _u16(data, packet.network + 4)[0], _u16(data, packet.network + 6)[0]
            offset, more = (place & 0x1FFF) * 8, bool(place & 0x2000)
        else:
            place, identifier = _u16(data, packet.start - 6)[0], _u32(data, packet.start - 4)[0]
            offset, more = place & 0xFFF8, bool(place & 1)
        part = data[packet.start : packet.end]
        if len(part) < packet.payload_bytes or offset + len(part) > DATAGRAM_BYTES_MAX or not part:
            self._lost += 1  # cut by the capture, or longer than any datagram
            return None
        key = (packet.source, packet.destination, packet.protocol, identifier)
        parts = self._open.get(key)
        if parts is None:
            parts = self._open[key] = _Parts(time)
        if offset == 0:
            parts.header = data[packet.network : packet.network + 20] if is_version4 else b""
        if not more:
            parts.size = offset + len(part)
        if not self._put(parts, offset, part, is_version4):
            self._drop(key)
            return None
        whole = self._join(parts)
        if whole is None:
            self._make_room()
            return None
        del self._open[key]
        self._held -= parts.held
        self._whole += 1
        return _version4(parts.header, whole) if is_version4 else _version6(packet, whole)

    def advance(self, time: float) -> None:
        """Give up on what waited too long at ``time``."""
        while self._open:
            key, parts = next(iter(self._open.items()))
            if parts.first > time - WAIT_SECONDS:
                return
            self._drop(key)

    def counts(self) -> dict[str, int]:
        """Fragments seen, datagrams made whole or given up, overlaps."""
        return {
            "fragments": self._seen,
            "fragments_joined": self._whole,
            "fragments_lost": self._lost,
            "fragments_overlapping": self._overlapping,
        }

    def _put(self, parts: _Parts, offset: int, part: bytes, is_version4: bool) -> bool:
        """Add a part; False where the datagram is beyond repair."""
        known = {place: len(there) for place, there in parts.parts}
        if known.get(offset) == len(part):
            return True  # sent again
        if len(parts.parts) >= PARTS_MAX:
            return False
        if any(place < offset + len(part) and offset < place + size for place, size in known.items()):
            self._overlapping += 1
            if not is_version4:
                return False
        parts.parts.append((offset, part))
        parts.held += len(part)
        self._held += len(part)
        return True

    def _join(self, parts: _Parts) -> bytes | None:
        if parts.size < 0 or parts.held < parts.size:
            return None
        whole = bytearray(parts.size)
        there = bytearray(parts.size)  # 1 where a byte has come
        for offset, part in reversed(parts.parts):  # the first to come is written last
            end = min(offset + len(part), parts.size)
            whole[offset:end] = part[: end - offset]
            there[offset:end] = b"\1" * (end - offset)
        return bytes(whole) if 0 not in there else None

    def _make_room(self) -> None:
        while len(self._open) > DATAGRAMS_MAX or self._held > HELD_BYTES_MAX:
            self._drop(next(iter(self._open)))

    def _drop(self, key: Key) -> None:
        self._held -= self._open.pop(key).held
        self._lost += 1


def _version4(header: bytes, body: bytes) -> bytes | None:
    """The datagram without options: they concern routers, not who is listened to."""
    if len(header) < 20:
        return None
    size = min(20 + len(body), DATAGRAM_BYTES_MAX)
    return b"\x45" + header[1:2] + _pack_u16(size) + header[4:6] + b"\0\0" + header[8:20] + body


def _version6(packet: Packet, body: bytes) -> bytes:
    head = b"\x60\0\0\0" + _pack_u16(min(len(body), DATAGRAM_BYTES_MAX))
    return head + bytes((packet.protocol, packet.hop_limit)) + packet.source + packet.destination + body
