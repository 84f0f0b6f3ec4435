"""The flow table: who talked with whom, how much, and how it ended; bounded, both directions in one entry.

A flow is named by its originator's view (the sender of the first packet, of the SYN where one is seen). It
leaves the table with a reason: closed (FIN on both sides or RST), idle, attempt (a SYN without an answer),
active (reported, then counted afresh), evicted (table full), reused (a new SYN on the same ports), stopped.
"""

from collections import OrderedDict
from typing import Final, NamedTuple

from sensors.network.packet import ACK, FIN, RST, SYN, TCP, UDP, Packet
from sensors.network.settings import NetworkSettings

CLOSE_SECONDS: Final = 0.5  # a closed flow waits for the last ACK before it is reported
LINGER_SECONDS: Final = 5.0  # and stays in the table, reported, so that stragglers open no new entry
START_SECONDS: Final = 10.0  # a flow that lives so long is announced before it ends
PENDING_BYTES_MAX: Final = 16 * 1024  # of a hello that spans segments, per direction
_HALF: Final = 1 << 31
_MASK: Final = (1 << 32) - 1

Key = tuple[int, bytes, int, bytes, int]  # protocol, originator, its port, responder, its port


class Flow:
    """One conversation; index 0 of each pair is the originator, 1 the responder."""

    __slots__ = (
        "closing", "first", "ip_bytes", "key", "last", "next_sequence", "packets",
        "payload_bytes", "pending", "reported", "seen_flags", "server_name", "service", "vlan",
    )  # fmt: skip

    def __init__(self, key: Key, time: float, vlan: int) -> None:
        self.key = key
        self.first = time
        self.last = time
        self.vlan = vlan
        self.packets = [0, 0]
        self.ip_bytes = [0, 0]
        self.payload_bytes = [0, 0]
        self.seen_flags = [0, 0]  # every TCP flag a side ever sent
        self.next_sequence = [-1, -1]
        self.closing = 0.0  # when the table may let it go, 0.0 while open
        self.reported = False  # its end was told already
        self.service = ""
        self.server_name = ""
        self.pending: list[bytes] = [b"", b""]  # start of a message that spans segments


class Ended(NamedTuple):
    """A flow to report: ``action`` flow-start or flow-end."""

    flow: Flow
    action: str
    reason: str


class FlowTable:
    """Feed packets with ``see``, move time with ``advance``, take reports from ``take``."""

    def __init__(self, settings: NetworkSettings) -> None:
        self._settings = settings
        self._streams: OrderedDict[Key, Flow] = OrderedDict()  # TCP, least recently seen first
        self._datagrams: OrderedDict[Key, Flow] = OrderedDict()  # the rest, likewise
        self._attempts: dict[Key, Flow] = {}  # in order of their first packet, likewise below
        self._young: dict[Key, Flow] = {}
        self._closing: dict[Key, Flow] = {}
        self._lingering: dict[Key, Flow] = {}
        self._ended: list[Ended] = []
        self.evicted = 0

    def __len__(self) -> int:
        return len(self._streams) + len(self._datagrams)

    def see(self, packet: Packet, time: float) -> tuple[Flow, int]:
        """Count the packet; the flow it belongs to and the side that sent it (0 originator, 1 responder)."""
        protocol = packet.protocol
        table = self._streams if protocol == TCP else self._datagrams
        key = (
            protocol,
            packet.source,
            packet.source_port,
            packet.destination,
            packet.destination_port,
        )
        side = 0
        flow = table.get(key)
        if flow is None:
            back = (protocol, packet.destination, packet.destination_port, packet.source, packet.source_port)
            flow = table.get(back)
            if flow is not None:
                side = 1
        if flow is not None and _is_reused(flow, packet):
            self._end(flow, "reused")
            flow = None
        if flow is not None and time - flow.first > self._settings.flow_active_seconds:
            flow = self._continue(table, flow, time)
        if flow is None:
            flow, side = self._open(table, key, packet, time)
        table.move_to_end(flow.key)
        flow.last = max(flow.last, time)
        flow.packets[side] += 1
        flow.ip_bytes[side] += packet.ip_bytes
        if protocol == TCP:
            self._count_stream(flow, side, packet, time)
        else:
            flow.payload_bytes[side] += packet.payload_bytes
        return flow, side

    def advance(self, time: float) -> None:
        """End what is due at ``time``. Costs no more than what is due."""
        settings = self._settings
        self._expire(self._attempts, time - settings.flow_attempt_seconds, "attempt")
        for flow in _until(self._closing, time - CLOSE_SECONDS, by_closing=True):
            self._report_end(flow, "closed")
            self._lingering[flow.key] = flow
        for flow in _until(self._lingering, time - LINGER_SECONDS, by_closing=True):
            self._end(flow, "closed")
        for flow in _until(self._young, time - START_SECONDS):
            del self._young[flow.key]
            self._ended.append(Ended(flow, "flow-start", "long"))
        for table, idle in (
            (self._streams, settings.flow_idle_seconds),
            (self._datagrams, settings.flow_idle_datagram_seconds),
        ):
            while table:
                flow = next(iter(table.values()))
                if flow.last > time - idle:
                    break
                self._end(flow, "idle")

    def finish(self) -> None:
        """End everything: the sensor stops or the file is read."""
        for table in (self._streams, self._datagrams):
            while table:
                flow = next(iter(table.values()))
                self._end(flow, "closed" if flow.closing else "stopped")

    def take(self) -> list[Ended]:
        """The reports since the last call."""
        ended, self._ended = self._ended, []
        return ended

    def _continue(self, table: OrderedDict[Key, Flow], flow: Flow, time: float) -> Flow:
        """Report a flow that does not pause and count it afresh, its state kept."""
        self._end(flow, "active")
        following = Flow(flow.key, time, flow.vlan)
        following.seen_flags = list(flow.seen_flags)
        following.next_sequence = list(flow.next_sequence)
        following.service, following.server_name = flow.service, flow.server_name
        table[flow.key] = following
        return following

    def _open(self, table: OrderedDict[Key, Flow], key: Key, packet: Packet, time: float) -> tuple[Flow, int]:
        if len(self) >= self._settings.flow_entries_max:
            oldest = next(iter((table or self._streams or self._datagrams).values()))
            self.evicted += 1
            self._end(oldest, "evicted")
        side = 1 if _is_answer(packet) else 0
        if side:
            key = (key[0], key[3], key[4], key[1], key[2])
        flow = Flow(key, time, packet.vlan)
        table[key] = flow
        self._young[key] = flow
        if packet.protocol == TCP and packet.flags & (SYN | ACK) == SYN:
            self._attempts[key] = flow
        return flow, side

    def _count_stream(self, flow: Flow, side: int, packet: Packet, time: float) -> None:
        flags = packet.flags
        if flow.seen_flags[0] & flow.seen_flags[1] & FIN:
            flags &= ~RST  # over already: a late RST changes nothing about how it went
        flow.seen_flags[side] |= flags
        if side == 1 or not flags & SYN:
            self._attempts.pop(flow.key, None)
        size = packet.payload_bytes
        following = (packet.sequence + size + bool(flags & SYN) + bool(flags & FIN)) & _MASK
        expected = flow.next_sequence[side]
        fresh = (following - expected) & _MASK if expected >= 0 else size
        if fresh < _HALF:  # otherwise all of it was sent before
            flow.payload_bytes[side] += min(size, fresh)
            flow.next_sequence[side] = following
        is_over = flags & RST or flow.seen_flags[0] & flow.seen_flags[1] & FIN
        if is_over and not flow.closing:
            flow.closing = time
            self._closing[flow.key] = flow

    def _expire(self, table: dict[Key, Flow], before: float, reason: str) -> None:
        for flow in _until(table, before):
            self._end(flow, reason)

    def _end(self, flow: Flow, reason: str) -> None:
        (self._streams if flow.key[0] == TCP else self._datagrams).pop(flow.key, None)
        self._lingering.pop(flow.key, None)
        self._report_end(flow, reason)

    def _report_end(self, flow: Flow, reason: str) -> None:
        for table in (self._attempts, self._young, self._closing):
            table.pop(flow.key, None)
        if not flow.reported:
            flow.reported = True
            self._ended.append(Ended(flow, "flow-end", reason))


def _until(table: dict[Key, Flow], before: float, *, by_closing: bool = False) -> list[Flow]:
    due = []
    for flow in table.values():
        if (flow.closing if by_closing else flow.first) > before:
            break
        due.append(flow)
    return due


def _is_reused(flow: Flow, packet: Packet) -> bool:
    """Whether the packet opens a new conversation on the ports of one that is over."""
    if packet.protocol != TCP or packet.flags & (SYN | ACK | RST) != SYN:
        return False
    return bool((flow.seen_flags[0] | flow.seen_flags[1]) & (FIN | RST))


def _is_answer(packet: Packet) -> bool:
    """Whether the first packet seen of a flow came from its responder: a SYN+ACK, or a service's port."""
    if packet.protocol == TCP and packet.flags & SYN:
        return bool(packet.flags & ACK)
    if packet.protocol not in (TCP, UDP):
        return False
    return packet.source_port < 1024 <= packet.destination_port
