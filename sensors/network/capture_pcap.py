"""Live capture through libpcap (pcapy-ng). The only file that imports pcapy."""

import os
import select
import socket
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from struct import Struct
from typing import Any, Final

from sensors.network.capture_ring import count_once, is_loopback, keep_bytes

BATCH_PACKETS: Final = 512
RING_MILLISECONDS: Final = 100  # after which the kernel hands over a block that is not full
_COUNT_MASK: Final = 0xFFFF_FFFF
_meta: Final = Struct("=4I").iter_unpack


def is_there() -> bool:
    """Whether pcapy-ng is installed."""
    # Once another thread imports it, find_spec would look at a half-made module and raise.
    return "pcapy" in sys.modules or find_spec("pcapy") is not None


class Pcap:
    """One interface through libpcap, with the calls of ``sensors.network.capture.Reader``."""

    def __init__(self, interface: str, *, snaplen_bytes: int, ring_bytes: int) -> None:
        import pcapy

        reader = pcapy.create(interface)
        reader.set_snaplen(snaplen_bytes)
        reader.set_promisc(1)
        reader.set_timeout(RING_MILLISECONDS)
        reader.set_buffer_size(ring_bytes)
        reader.activate()
        reader.setnonblock(1)
        self._reader: Any = reader
        self.link_type: int = reader.datalink()
        self._socket = socket.socket(fileno=os.dup(reader.getfd()))  # libpcap's own, for what it cannot ask
        self._uncounted = (0, 0, 0)
        if is_loopback(interface):
            self._begin_once(snaplen_bytes)
        self._had_some = False
        self._poll = select.poll()
        self._poll.register(reader.getfd(), select.POLLIN)

    def _begin_once(self, snaplen_bytes: int) -> None:
        """On the loopback: begin anew with every packet taken once, what came twice until now left out."""
        keep_bytes(self._socket, 0)
        count_once(self._socket)
        while self._reader.next_batch(BATCH_PACKETS)[1]:
            pass
        self._uncounted = self._reader.stats()
        keep_bytes(self._socket, snaplen_bytes)

    def wait(self, milliseconds: int) -> None:
        """Sleep until there is something to read, or so long."""
        if not self._had_some:
            self._poll.poll(milliseconds)

    def batch(self) -> Iterator[tuple[bytes, float]]:
        """The next packets and their times; nothing where none is ready."""
        data, meta = self._reader.next_batch(BATCH_PACKETS)
        self._had_some = bool(meta)
        for seconds, microseconds, offset, size in _meta(meta):
            yield data[offset : offset + size], seconds + microseconds * 1e-6

    def refuse(self) -> None:
        """Take no more packets; libpcap's own filter would throw away what waits in the ring too."""
        keep_bytes(self._socket, 0)

    def stats(self) -> tuple[int, int, int]:
        """(received with the dropped, dropped for want of room, dropped by the interface), 32 bits wide."""
        now, then = self._reader.stats(), self._uncounted
        received, dropped, interface_dropped = (
            (count - before) & _COUNT_MASK for count, before in zip(now, then, strict=True)
        )
        return received, dropped, interface_dropped

    def close(self) -> None:
        """End the capture."""
        self._socket.close()
        self._reader.close()
