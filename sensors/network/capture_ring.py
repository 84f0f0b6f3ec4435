"""Live capture without a C library: a TPACKET_V3 ring of the kernel, mapped and read in Python.

The portable way where pcapy-ng has no wheel. The kernel fills blocks of the ring and hands over a full one,
or after ``RETIRE_MILLISECONDS`` one that is not; we read its packets and give it back. A tag that the network
card took off is put back in its place. See packet_mmap in the kernel's documentation.
"""

import mmap
import select
import socket
from collections.abc import Iterator
from ctypes import addressof, create_string_buffer
from pathlib import Path
from struct import Struct, pack
from typing import Final

from sensors.network.packet import LINK_ETHERNET, LINK_RAW

BLOCK_BYTES: Final = 1 << 20
FRAME_BYTES: Final = 1 << 11  # only a unit of account in version 3: packets lie one after the other
RETIRE_MILLISECONDS: Final = 60
_NET: Final = Path("/sys/class/net")
_ALL_PROTOCOLS: Final = 0x0003
_SOL_PACKET: Final = 263
_ADD_MEMBERSHIP, _RX_RING, _STATISTICS, _VERSION, _IGNORE_OUTGOING = 1, 5, 6, 10, 23
_TPACKET_V3: Final = 2
_PROMISCUOUS: Final = 1
_ATTACH_FILTER: Final = 26
_USER: Final = 1  # the block is ours to read
_VLAN_VALID: Final = 0x10
_VLAN_TPID_VALID: Final = 0x40
_LOOPBACK_TYPE: Final = 772
_ETHERNET_TYPES: Final = frozenset({1, _LOOPBACK_TYPE})
_RAW_TYPES: Final = frozenset({512, 768, 769, 776, 778, 65_534})  # PPP, tunnels, tun: IP and nothing before
_request: Final = Struct("@7I")
_block: Final = Struct("@III").unpack_from  # status, packets, offset of the first
_packet: Final = Struct(
    "@6IHHIIH"
).unpack_from  # next, s, ns, captured, length, status, mac, net, hash, tci, tpid
_statistics: Final = Struct("@3I")
_KERNEL: Final = bytes(4)


class Ring:
    """A ring on one interface, with the calls of ``sensors.network.capture.Reader``."""

    def __init__(self, interface: str, *, snaplen_bytes: int, ring_bytes: int) -> None:
        self.link_type = link_type_of(interface)
        self._blocks = max(2, ring_bytes // BLOCK_BYTES)
        self._next = 0
        self._received = self._dropped = 0
        self._interface = interface
        self._missed_before = missed_by(interface)
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        try:
            self._map = self._set_up(interface, snaplen_bytes)
        except OSError:
            self._socket.close()
            raise
        self._poll = select.poll()
        self._poll.register(self._socket.fileno(), select.POLLIN)

    def _set_up(self, interface: str, snaplen_bytes: int) -> mmap.mmap:
        self._socket.setsockopt(_SOL_PACKET, _VERSION, _TPACKET_V3)
        frames = self._blocks * BLOCK_BYTES // FRAME_BYTES
        request = _request.pack(BLOCK_BYTES, self._blocks, FRAME_BYTES, frames, RETIRE_MILLISECONDS, 0, 0)
        self._socket.setsockopt(_SOL_PACKET, _RX_RING, request)
        keep_bytes(self._socket, snaplen_bytes)
        if is_loopback(interface):
            count_once(self._socket)
        mapped = mmap.mmap(self._socket.fileno(), self._blocks * BLOCK_BYTES)
        self._socket.bind((interface, _ALL_PROTOCOLS))
        index = socket.if_nametoindex(interface)
        self._socket.setsockopt(_SOL_PACKET, _ADD_MEMBERSHIP, pack("@iHH8s", index, _PROMISCUOUS, 0, b""))
        return mapped

    def wait(self, milliseconds: int) -> None:
        """Sleep until there is a block to read, or so long."""
        if not _block(self._map, self._next * BLOCK_BYTES + 8)[0] & _USER:
            self._poll.poll(milliseconds)

    def batch(self) -> Iterator[tuple[bytes, float]]:
        """The packets of the next block and their times; nothing where none is ready."""
        base = self._next * BLOCK_BYTES
        ring = self._map
        status, count, offset = _block(ring, base + 8)
        if not status & _USER:
            return
        at = base + offset
        for _ in range(count):
            following, seconds, nanoseconds, captured, _, flags, mac, _, _, tci, tpid = _packet(ring, at)
            data = ring[at + mac : at + mac + captured]
            if flags & _VLAN_VALID:
                tag = pack("!HH", tpid if flags & _VLAN_TPID_VALID else 0x8100, tci & 0xFFFF)
                data = data[:12] + tag + data[12:]
            yield data, seconds + nanoseconds * 1e-9
            at += following
        ring[base + 8 : base + 12] = _KERNEL
        self._next = (self._next + 1) % self._blocks

    def refuse(self) -> None:
        """Take no more packets; those in the ring can still be read, and ``stats`` then accounts for all."""
        keep_bytes(self._socket, 0)

    def stats(self) -> tuple[int, int, int]:
        """(received with the dropped, dropped for want of room, dropped by the interface) since the start."""
        raw = self._socket.getsockopt(_SOL_PACKET, _STATISTICS, _statistics.size)
        received, dropped, _ = _statistics.unpack(raw)  # reading sets them to zero
        self._received += received
        self._dropped += dropped
        return self._received, self._dropped, missed_by(self._interface) - self._missed_before

    def close(self) -> None:
        """Give the ring back to the kernel."""
        self._map.close()
        self._socket.close()


def keep_bytes(packets: socket.socket, count: int) -> None:
    """One instruction of BPF: keep so many bytes of every packet; 0 takes and counts no packet any more."""
    code = create_string_buffer(pack("@HBBI", 0x06, 0, 0, count))
    packets.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, pack("@HP", 1, addressof(code)))


def count_once(packets: socket.socket) -> None:
    """Take packets on their way in only: on the loopback each passes twice, out and in."""
    packets.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, 1)


def is_loopback(interface: str) -> bool:
    """Whether it is the loopback."""
    return interface_type(interface) == _LOOPBACK_TYPE


def missed_by(interface: str) -> int:
    """Packets the interface itself had no room for since it came up."""
    missed = 0
    for name in ("rx_missed_errors", "rx_fifo_errors"):
        try:
            missed += int((_NET / interface / "statistics" / name).read_text())
        except (OSError, ValueError):
            continue
    return missed


def interface_type(interface: str) -> int:
    """The kernel's hardware type of an interface (ARPHRD), -1 where it cannot be read."""
    try:
        return int((_NET / interface / "type").read_text())
    except (OSError, ValueError):
        return -1


def link_type_of(interface: str) -> int:
    """The link type its packets are in; -1 where we do not understand it."""
    kind = interface_type(interface)
    if kind in _ETHERNET_TYPES:
        return LINK_ETHERNET
    return LINK_RAW if kind in _RAW_TYPES else -1
