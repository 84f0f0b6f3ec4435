"""The flow table: who talked with whom, how much, and how it ended; bounded, both directions in one entry.

A flow is named by its originator's view (the sender of the first packet, of the SYN where one is seen). One
that lives is announced (flow-start) and told again every ``flow_active_seconds`` in which it had traffic
(flow-update); its counts run from its first packet. It ends (flow-end) with a reason: closed (FIN on both
sides or RST), idle, attempt (a SYN without an answer), evicted (table full), reused (a new SYN on the same
ports), stopped.
"""

from array import array
from collections import OrderedDict
from typing import Final, NamedTuple

from sensors.network.encapsulation import TEREDO_PORT, Tunnel
from sensors.network.listening import Listening
from sensors.network.packet import ACK, FIN, ICMP, ICMPV6, RST, SYN, TCP, UDP, Packet
from sensors.network.settings import NetworkSettings

CLOSE_SECONDS: Final = 0.5  # a closed flow waits for the last ACK before it is reported
LINGER_SECONDS: Final = 5.0  # and stays in the table, reported, so that stragglers open no new entry
START_SECONDS: Final = 10.0  # a flow that lives so long is announced before it ends
RANK_SECONDS: Final = 0.5  # how exact the order of idleness is
FLOW_BYTES: Final = 800  # what an entry costs, measured, rounded up
_ICMP_PROTOCOLS: Final = frozenset({ICMP, ICMPV6})
_ICMP_HEADER_BYTES: Final = 8
_GAP_BYTES_MAX: Final = 1 << 20  # a hole in a stream that is counted as sent
_HALF: Final = 1 << 31
_MASK: Final = (1 << 32) - 1
# Places in ``Flow.counts``; the responder's stand one after the originator's.
PACKETS, IP_BYTES, PAYLOAD_BYTES, FLAGS, NEXT, INITIAL = 0, 2, 4, 6, 8, 10
_EMPTY: Final = array("q", [0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1])

Key = tuple[int, bytes, int, bytes, int]  # protocol, originator, its port, responder, its port


class Flow:
    """One conversation; index 0 of each pair is the originator, 1 the responder."""

    __slots__ = (
        "closing", "counts", "deaf", "first", "fresh", "key", "last", "listening", "memory", "ranked",
        "reported", "service", "told", "tried", "tunnel", "vlan",
    )  # fmt: skip

    def __init__(self, key: Key, time: float, vlan: int, tunnel: Tunnel | None = None) -> None:
        self.key = key
        self.first = time
        self.last = time
        self.ranked = time  # when it was put last in the order of idleness
        self.vlan = vlan
        self.tunnel = tunnel
        self.counts = _EMPTY[:]  # one small array: there may be hundreds of thousands of flows
        self.closing = 0.0  # when the table may let it go, 0.0 while open
        self.reported = False  # its end was told already
        self.tried = False  # TCP: a SYN nobody answered yet
        self.service = ""
        self.told: tuple[int, int] | None = None  # bytes each way when last told in an update
        self.listening: Listening | None = None  # a TCP conversation somebody listens to
        self.deaf = 0  # TCP: bit per side nobody listens to; UDP: datagrams in a row nobody understood
        self.fresh = True  # whether the last segment brought bytes that were not sent before
        self.memory: object = None  # a datagram dialect's own

    @property
    def packets(self) -> list[int]:
        """Packets of each side."""
        return self.counts[PACKETS : PACKETS + 2].tolist()

    @property
    def ip_bytes(self) -> list[int]:
        """Bytes of each side by the IP headers."""
        return self.counts[IP_BYTES : IP_BYTES + 2].tolist()

    @property
    def payload_bytes(self) -> list[int]:
        """Payload of each side; over TCP without what was sent again."""
        return self.counts[PAYLOAD_BYTES : PAYLOAD_BYTES + 2].tolist()

    @property
    def seen_flags(self) -> list[int]:
        """Every TCP flag a side ever sent."""
        return self.counts[FLAGS : FLAGS + 2].tolist()

    @property
    def initial(self) -> list[int]:
        """The sequence number of each side's first byte, -1 where its SYN was not seen."""
        return self.counts[INITIAL : INITIAL + 2].tolist()


class Ended(NamedTuple):
    """A flow to report: ``action`` flow-start, flow-update or flow-end."""

    flow: Flow
    action: str
    reason: str


class FlowTable:
    """Feed packets with ``see``, move time with ``advance``, take reports from ``take``."""

    def __init__(self, settings: NetworkSettings) -> None:
        self._settings = settings
        self._entries_max = max(1, min(settings.flow_entries_max, settings.flow_bytes_max // FLOW_BYTES))
        self._streams: OrderedDict[Key, Flow] = OrderedDict()  # TCP, least recently seen first
        self._datagrams: OrderedDict[Key, Flow] = OrderedDict()  # the rest, likewise
        self._attempts: dict[Key, Flow] = {}  # in order of their first packet, likewise below
        self._young: dict[Key, Flow] = {}
        self._long: dict[Key, Flow] = {}  # announced; in order of when they were told last
        self._told_at: dict[Key, float] = {}  # when, for the flows of ``_long``
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
        if flow is not None and (reason := self._over(flow, packet, time)):
            self._end(flow, reason)
            flow = None
        if flow is None:
            flow, side = self._open(table, key, packet, time)
        if time - flow.ranked > RANK_SECONDS or time < flow.ranked:
            table.move_to_end(flow.key)
            flow.ranked = time
        if time > flow.last:
            flow.last = time
        if flow.reported:
            return flow, side  # a straggler: what was told stays as it was told
        counts = flow.counts
        counts[side] += 1
        counts[IP_BYTES + side] += packet.ip_bytes
        if protocol == TCP:
            self._count_stream(flow, side, packet, time)
        elif protocol in _ICMP_PROTOCOLS:
            counts[PAYLOAD_BYTES + side] += max(packet.payload_bytes - _ICMP_HEADER_BYTES, 0)
        else:
            counts[PAYLOAD_BYTES + side] += packet.payload_bytes
        return flow, side

    def _over(self, flow: Flow, packet: Packet, time: float) -> str:
        """Why the packet belongs to a new conversation on the same ports, '' where it does not."""
        settings = self._settings
        if packet.protocol != TCP:
            return "idle" if time - flow.last > settings.flow_idle_datagram_seconds else ""
        if packet.flags & SYN and _is_reused(flow, packet):
            return "reused"
        if flow.closing and time - flow.closing > LINGER_SECONDS:
            return "closed"
        return "idle" if time - flow.last > settings.flow_idle_seconds else ""

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
            self._long[flow.key] = flow
            self._told_at[flow.key] = time
            self._ended.append(Ended(flow, "flow-start", "long"))
        self._update(time)
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

    def _update(self, time: float) -> None:
        """Tell the flows that live long what they carried, where it has grown."""
        while self._long:
            key, flow = next(iter(self._long.items()))
            if self._told_at[key] > time - self._settings.flow_active_seconds:
                return
            del self._long[key]
            self._long[key] = flow
            before, self._told_at[key] = self._told_at[key], time
            if flow.last > before:
                self._ended.append(Ended(flow, "flow-update", "active"))

    def _open(self, table: OrderedDict[Key, Flow], key: Key, packet: Packet, time: float) -> tuple[Flow, int]:
        if len(self._streams) + len(self._datagrams) >= self._entries_max:
            oldest = next(iter((table or self._streams or self._datagrams).values()))
            self.evicted += 1
            self._end(oldest, "evicted")
        side = 1 if _is_answer(packet) else 0
        if side:
            key = (key[0], key[3], key[4], key[1], key[2])
        flow = Flow(key, time, packet.vlan, packet.tunnel)
        table[key] = flow
        self._young[key] = flow
        if packet.protocol == TCP and packet.flags & (SYN | ACK) == SYN:
            flow.tried = True
            self._attempts[key] = flow
        return flow, side

    def _count_stream(self, flow: Flow, side: int, packet: Packet, time: float) -> None:
        flags, counts = packet.flags, flow.counts
        if counts[FLAGS] & counts[FLAGS + 1] & FIN:
            flags &= ~RST  # over already: a late RST changes nothing about how it went
        counts[FLAGS + side] |= flags
        size = packet.payload_bytes
        following = packet.sequence + size
        if flow.tried and (side == 1 or not flags & SYN):
            flow.tried = False
            self._attempts.pop(flow.key, None)
        control = 0
        if flags & (SYN | FIN):
            if flags & SYN:
                control = 1
                counts[INITIAL + side] = (packet.sequence + 1) & _MASK
            control += flags & FIN
            following += control
        following &= _MASK
        expected = counts[NEXT + side]
        fresh = (following - expected) & _MASK if expected >= 0 else size + control
        flow.fresh = 0 < fresh < _HALF  # otherwise all of it was sent before
        if flow.fresh or expected < 0:
            # What the capture missed was sent too; a larger leap of the sequence is not believed.
            counts[PAYLOAD_BYTES + side] += max(fresh - control, 0) if fresh < _GAP_BYTES_MAX else size
            counts[NEXT + side] = following
        is_over = flags & RST or (flags & FIN and counts[FLAGS] & counts[FLAGS + 1] & FIN)
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
        key = flow.key
        self._attempts.pop(key, None)
        self._young.pop(key, None)
        self._closing.pop(key, None)
        if self._long.pop(key, None) is not None:
            del self._told_at[key]
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
    if packet.flags & (SYN | ACK | RST) != SYN:
        return False
    return bool((flow.counts[FLAGS] | flow.counts[FLAGS + 1]) & (FIN | RST))


def _is_answer(packet: Packet) -> bool:
    """Whether the first packet seen of a flow came from its responder: a SYN+ACK, or a service's port."""
    if packet.protocol == TCP and packet.flags & SYN:
        return bool(packet.flags & ACK)
    if packet.protocol not in (TCP, UDP):
        return False
    if packet.source_port == TEREDO_PORT != packet.destination_port:
        return True
    return packet.source_port < 1024 <= packet.destination_port
