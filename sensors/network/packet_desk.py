"""Answers the center's wish for raw packets out of the ring, in parts of one message each.

A request is looked up in a thread of its own, one at a time, so that batches go on meanwhile; parts are
handed out as the uplink has room. What was not answered when a connection ends is asked again on the next.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from sensors.messages import PACKET_PART_BYTES_MAX, PACKET_PARTS_MAX, PacketsFound, PacketsWanted
from sensors.network.packet_ring import as_pcap, find_packets

WAITING_MAX: Final = 16  # requests at a time; the center asks again for others
_READY_MAX: Final = 2  # parts that wait to be sent
_HELD_BACK_SECONDS: Final = 2.0  # the capture writes its ring out once a second

Find = Callable[[PacketsWanted], Iterator[bytes]]


class PacketDesk:
    """``want`` and ``next`` come from the uplink's thread."""

    def __init__(self, find: Find) -> None:
        """``find`` gives a pcap file in pieces; it may raise OSError."""
        self._find: Final = find
        self._changed: Final = threading.Condition()
        self._waiting: Final[deque[PacketsWanted]] = deque()
        self._ready: Final[deque[PacketsFound]] = deque()
        self._turn = 0  # of a connection: answers of an earlier one are not sent
        self._working = False

    def want(self, asked: PacketsWanted) -> None:
        """Begin to look; does not wait."""
        with self._changed:
            if len(self._waiting) >= WAITING_MAX or any(
                one.request == asked.request for one in self._waiting
            ):
                return
            self._waiting.append(asked)
            if not self._working:
                self._working = True
                threading.Thread(target=self._work, name="packets", daemon=True).start()

    def next(self) -> PacketsFound | None:
        """A part that is ready, else None at once."""
        with self._changed:
            if not self._ready:
                return None
            self._changed.notify_all()
            return self._ready.popleft()

    def forget(self) -> None:
        """Leave what was not handed out: the connection it was for has ended."""
        with self._changed:
            self._turn += 1
            self._waiting.clear()
            self._ready.clear()
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._waiting:
                    self._working = False
                    return
                asked, turn = self._waiting[0], self._turn
            for part in answered(asked, self._find):
                if not self._offer(part, turn):
                    break
            with self._changed:
                if self._waiting and self._waiting[0] is asked:
                    self._waiting.popleft()

    def _offer(self, part: PacketsFound, turn: int) -> bool:
        """Wait for room; False where the connection has ended."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._ready) < _READY_MAX or turn != self._turn)
            if turn != self._turn:
                return False
            self._ready.append(part)
            return True


def answered(asked: PacketsWanted, find: Find) -> Iterator[PacketsFound]:
    """The parts of an answer; at least one, the last says so."""
    held = bytearray()
    part = 0
    reason = ""
    try:
        for piece in find(asked):
            if len(held) + len(piece) > PACKET_PART_BYTES_MAX:
                if part == PACKET_PARTS_MAX:
                    break  # the ring's own bound is lower; this one is the message's
                yield PacketsFound(request=asked.request, part=part, more=True, body=bytes(held))
                part += 1
                held.clear()
            held += piece
    except OSError as error:
        reason = (error.strerror or type(error).__name__)[:500]
    yield PacketsFound(request=asked.request, part=part, more=False, body=bytes(held), reason=reason)


def ring_finder(folder: Path, key: bytes, pause: Callable[[float], None] = time.sleep) -> Find:
    """Look in the ring of ``folder``, for a flow of just now once the ring has written what it held back."""

    def find(asked: PacketsWanted) -> Iterator[bytes]:
        if asked.ends > time.time():
            pause(_HELD_BACK_SECONDS)
        return as_pcap(find_packets(folder, key, asked.community_id, asked.begins, asked.ends))

    return find
