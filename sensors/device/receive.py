"""Sources that listen for devices: syslog over UDP, TCP and TLS, flow records over UDP.

What the kernel dropped before it could be read is told as an event: ``emit`` may hold a receiver while the
spool is full, a sender over TCP then waits, one over UDP does not. Which addresses may send is checked first.
"""

import asyncio
import contextlib
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from crypto.words import BadInput, Words
from sensors.device.flow_event import describe_counts, describe_flow
from sensors.device.framing import Framing
from sensors.device.netflow import DATAGRAM_BYTES_MAX, Collector
from sensors.device.record import Origin, describe_record
from sensors.device.settings import DeviceSettings, Endpoint
from sensors.event import Observation
from sensors.host.observe import gap
from sensors.source import Emit

BATCH_MAX: Final = 500  # messages handed on at a time
RECEIVE_BUFFER_BYTES: Final = 16 * 1024 * 1024
REPORT_SECONDS: Final = 30.0
IDLE_SECONDS_MAX: Final = 3_600.0  # a connection that says nothing for so long is closed
_POLL_SECONDS: Final = 0.5
_READ_BYTES: Final = 64 * 1024
_SO_RXQ_OVFL: Final = 40  # the kernel's count of datagrams it dropped, with each that it gives
_HANDSHAKE_SECONDS_MAX: Final = 10.0

Network = IPv4Network | IPv6Network


class Peers:
    """Who may send; without networks everybody may."""

    def __init__(self, networks: Iterable[str]) -> None:
        """Raises BadInput naming what is no network."""
        self._networks: list[Network] = []
        for text in networks:
            try:
                self._networks.append(ip_network(text, strict=False))
            except ValueError:
                raise BadInput(
                    "listener-malformed",
                    Words(f"不是网段:{text}", f"not a network: {text}"),
                    Words("请写成 10.0.0.0/8 或 2001:db8::/32", "write 10.0.0.0/8 or 2001:db8::/32"),
                    field="device.peers",
                ) from None

    def may_send(self, address: str) -> bool:
        """Whether ``address`` stands in one of the networks."""
        return not self._networks or any(ip_address(address) in one for one in self._networks)


class DatagramSource:
    """One UDP socket; ``describe`` makes events of a datagram."""

    def __init__(
        self,
        kind: str,
        where: Endpoint,
        peers: Peers,
        describe: Callable[[bytes, str, datetime], Sequence[Observation]],
        report: Callable[[datetime], Sequence[Observation]],
    ) -> None:
        self.name: Final = f"{kind}:{where}"
        self._where = where
        self._peers = peers
        self._describe = describe
        self._report = report
        self._dropped = self._refused = self._overflow = 0

    def missing(self) -> Words | None:
        """The port must be free and allowed."""
        try:
            _bound(self._where, socket.SOCK_DGRAM).close()
        except OSError as error:
            return _no_port(self._where, error)
        return None

    def run(self, emit: Emit, stop: threading.Event) -> None:
        """Receive until ``stop``."""
        with _bound(self._where, socket.SOCK_DGRAM) as listening:
            listening.setblocking(False)
            reported = time.monotonic()
            while not stop.is_set():
                seen = self._batch(listening)
                if time.monotonic() - reported > REPORT_SECONDS:
                    reported = time.monotonic()
                    seen += self._losses()
                if seen:
                    emit(seen)
            seen = [*self._batch(listening), *self._losses()]
            if seen:
                emit(seen)

    def _batch(self, listening: socket.socket) -> list[Observation]:
        """What is there now; the first datagram is waited for, at most _POLL_SECONDS."""
        seen: list[Observation] = []
        select.select([listening], [], [], _POLL_SECONDS)
        while len(seen) < BATCH_MAX:
            try:
                data, ancillary, _, address = listening.recvmsg(DATAGRAM_BYTES_MAX, 64)
            except BlockingIOError:
                break
            self._count_drops(ancillary)
            sender = _address(address)
            if self._peers.may_send(sender):
                seen.extend(self._describe(data, sender, datetime.now(UTC)))
            else:
                self._refused += 1
        return seen

    def _count_drops(self, ancillary: list[tuple[int, int, bytes]]) -> None:
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == _SO_RXQ_OVFL:
                total = struct.unpack("=I", data)[0]
                self._dropped += (total - self._overflow) & 0xFFFFFFFF
                self._overflow = total

    def _losses(self) -> list[Observation]:
        told = [*self._report(datetime.now(UTC))]
        if self._dropped:
            told.append(gap(self.name, "datagrams dropped by the kernel", count=self._dropped))
        if self._refused:
            told.append(gap(self.name, "datagrams of senders outside device.peers", count=self._refused))
        self._dropped = self._refused = 0
        return told


def syslog_datagrams(where: Endpoint, settings: DeviceSettings) -> DatagramSource:
    """The source of syslog over UDP (RFC 5426: one message a datagram)."""
    zone = zone_of(settings)

    def describe(data: bytes, sender: str, received: datetime) -> Sequence[Observation]:
        seen = describe_record(data, Origin(_local(received, zone), sender))
        return [seen] if seen is not None else []

    return DatagramSource("syslog", where, Peers(settings.peers), describe, lambda _: ())


def flow_datagrams(where: Endpoint, settings: DeviceSettings) -> DatagramSource:
    """The source of NetFlow and IPFIX."""
    collector = Collector()

    def describe(data: bytes, sender: str, received: datetime) -> Sequence[Observation]:
        return [describe_flow(record, sender, received) for record in collector.read(data, sender)]

    def report(now: datetime) -> Sequence[Observation]:
        return [describe_counts(name, counts, now) for name, counts in collector.counts().items()]

    return DatagramSource("flows", where, Peers(settings.peers), describe, report)


class StreamSource:
    """One TCP or TLS listener of syslog; a connection's messages are in order."""

    def __init__(self, where: Endpoint, settings: DeviceSettings) -> None:
        self.name: Final = f"syslog:{where}"
        self._where = where
        self._settings = settings
        self._peers = Peers(settings.peers)
        self._zone = zone_of(settings)
        self._open = self._refused = self._cut = 0

    def missing(self) -> Words | None:
        """The port must be free and allowed, and TLS needs its certificate."""
        try:
            self._context()
            _bound(self._where, socket.SOCK_STREAM).close()
        except (OSError, ssl.SSLError) as error:
            return _no_port(self._where, error)
        return None

    def run(self, emit: Emit, stop: threading.Event) -> None:
        """Receive until ``stop``."""
        asyncio.run(self._serve(emit, stop))

    async def _serve(self, emit: Emit, stop: threading.Event) -> None:
        context = self._context()
        listening = _bound(self._where, socket.SOCK_STREAM)
        tasks: set[asyncio.Task[None]] = set()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                await self._connection(reader, writer, emit)
            finally:
                tasks.discard(task)
                writer.close()

        server = await asyncio.start_server(
            connected,
            sock=listening,
            ssl=context,
            limit=_READ_BYTES,
            backlog=128,
            ssl_handshake_timeout=_HANDSHAKE_SECONDS_MAX if context is not None else None,
        )
        async with server:
            told = time.monotonic()
            while not stop.is_set():
                await asyncio.sleep(_POLL_SECONDS)
                if time.monotonic() - told > REPORT_SECONDS:
                    told = time.monotonic()
                    self._tell(emit)
        for task in [*tasks]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tell(emit)

    async def _connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, emit: Emit
    ) -> None:
        sender = _address(writer.get_extra_info("peername") or ("",))
        if self._open >= self._settings.connections_max or not self._peers.may_send(sender):
            self._refused += 1
            return
        self._open += 1
        framing = Framing()
        try:
            with contextlib.suppress(TimeoutError, OSError):
                while data := await asyncio.wait_for(reader.read(_READ_BYTES), IDLE_SECONDS_MAX):
                    self._hand_on(framing.feed(data), sender, emit)
        finally:
            self._open -= 1
            self._cut += framing.cut
            self._hand_on(framing.finish(), sender, emit)

    def _hand_on(self, messages: list[bytes], sender: str, emit: Emit) -> None:
        """Blocks the listener while the spool is full: then every sender waits, and nothing is lost."""
        origin = Origin(_local(datetime.now(UTC), self._zone), sender)
        seen = [one for one in (describe_record(raw, origin) for raw in messages) if one is not None]
        for at in range(0, len(seen), BATCH_MAX):
            emit(seen[at : at + BATCH_MAX])

    def _tell(self, emit: Emit) -> None:
        if self._refused:
            why = "connections refused: outside device.peers or above device.connections_max"
            emit([gap(self.name, why, count=self._refused)])
        if self._cut:
            emit([gap(self.name, "messages longer than a message may be, cut", count=self._cut)])
        self._refused = self._cut = 0

    def _context(self) -> ssl.SSLContext | None:
        """TLS 1.2 or later, as devices speak it (RFC 5425)."""
        if self._where.scheme != "tls":
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self._settings.tls_certificate, self._settings.tls_key)
        if self._settings.tls_authorities:
            context.load_verify_locations(self._settings.tls_authorities)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


def zone_of(settings: DeviceSettings) -> timezone | None:
    """The zone of device clocks; None: this machine's."""
    return None if settings.zone_hours is None else timezone(timedelta(hours=settings.zone_hours))


def _local(received: datetime, zone: timezone | None) -> datetime:
    return received.astimezone(zone)


def _address(peer: Sequence[object]) -> str:
    """The sender's address without zone; an IPv4 address mapped into IPv6 as what it is."""
    try:
        address = ip_address(str(peer[0]).partition("%")[0])
    except ValueError:
        return "::"
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def _bound(where: Endpoint, kind: socket.SocketKind) -> socket.socket:
    """A bound socket; ``[::]`` takes both IP versions."""
    family = socket.AF_INET6 if ":" in where.address.host else socket.AF_INET
    made = socket.socket(family, kind | socket.SOCK_CLOEXEC)
    try:
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        if kind == socket.SOCK_STREAM:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            made.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)
        made.bind(tuple(where.address))
    except OSError:
        made.close()
        raise
    return made


def _no_port(where: Endpoint, error: Exception) -> Words:
    reason = getattr(error, "strerror", None) or str(error)
    return Words(f"无法监听 {where}:{reason}", f"cannot listen on {where}: {reason}")
