"""Live capture of one interface: ring, poll, inspection, and an exact account of what was lost.

Packets come through libpcap (``capture_pcap``) where pcapy-ng is installed, else through a ring of our own
(``capture_ring``). Summed over the reports of a run, ``received`` = ``packets`` + ``dropped`` + the last
``unread``; ``unread`` is what waited in the ring when a report was made, and the ring is read out on stop.
"""

import gc
import logging
import socket
import time
from collections.abc import Iterable
from pathlib import Path
from threading import Event as StopEvent
from typing import Final, Protocol

from crypto.words import Words
from sensors.event import Observation
from sensors.network.capture_pcap import Pcap, is_there
from sensors.network.capture_ring import Ring
from sensors.network.inspection import Inspection, Offer
from sensors.network.observation import Reporter
from sensors.network.packet import LINK_TYPES
from sensors.network.packet_ring import PacketRing
from sensors.network.settings import AUTO, NetworkSettings
from sensors.source import Emit

_log: Final = logging.getLogger(__name__)

# A full collection looks at every flow, a second for 200,000 of them, while the ring fills; flows hold no
# cycles, so it is put off: by new objects that outlive, of the first, second and third generation.
COLLECT_THRESHOLDS: Final = (10_000, 20, 1_000)
POLL_MILLISECONDS: Final = 200
LOSS_CHECK_SECONDS: Final = 1.0  # packets dropped are reported this soon, other counts at their interval
DRAIN_SECONDS: Final = 2.0  # at most, for what the ring still holds on stop
_NET: Final = Path("/sys/class/net")
_STATUS: Final = Path("/proc/self/status")
_CAP_NET_RAW: Final = 13
_IFF_UP: Final = 0x1
_KERNEL_COUNT_MASK: Final = 0xFFFF_FFFF  # libpcap's counters are 32 bits wide and wrap


def interfaces_of(settings: NetworkSettings) -> list[str]:
    """The interfaces to watch; ``auto`` means all that are up now."""
    if AUTO not in settings.interfaces:
        return list(dict.fromkeys(settings.interfaces))
    return sorted(entry.name for entry in _NET.iterdir() if is_up(entry.name)) if _NET.is_dir() else []


def is_up(interface: str) -> bool:
    """Whether the interface exists and is administratively up."""
    if "/" in interface or not interface.strip("."):
        return False
    try:
        return bool(int((_NET / interface / "flags").read_text(), 16) & _IFF_UP)
    except (OSError, ValueError):
        return False


def may_capture() -> bool:
    """Whether this process holds CAP_NET_RAW."""
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return False
    effective = next((line.split()[1] for line in lines if line.startswith("CapEff:")), "0")
    return bool(int(effective, 16) >> _CAP_NET_RAW & 1)


class Reader(Protocol):
    """What packets come from."""

    link_type: int

    def wait(self, milliseconds: int) -> None:
        """Sleep until there is something to read, or so long."""
        ...

    def batch(self) -> Iterable[tuple[bytes, float]]:
        """The next packets and their times; nothing where none is ready."""
        ...

    def refuse(self) -> None:
        """Take no more packets; those that wait can still be read."""
        ...

    def stats(self) -> tuple[int, int, int]:
        """(received with the dropped, dropped, dropped by the interface) since the start."""
        ...

    def close(self) -> None:
        """End the capture."""
        ...


class CaptureSource:
    """The source ``capture:<interface>``."""

    def __init__(
        self,
        settings: NetworkSettings,
        interface: str,
        *,
        offer: Offer | None = None,
        ring: PacketRing | None = None,
        secret: bytes = b"",
    ) -> None:
        self.name = f"capture:{interface}"
        self._settings = settings
        self._interface = interface
        self._offer = offer
        self._ring = ring
        self._secret = secret
        self.reduced: Words | None = None

    def missing(self) -> Words | None:
        """The capability without which nothing can be captured here."""
        if not may_capture():
            return Words(
                "缺少 CAP_NET_RAW 权限:请用 root 运行,或在 systemd 单元中授予该权限",
                "CAP_NET_RAW is missing: run as root or grant it in the systemd unit",
            )
        if not is_up(self._interface):
            return Words(
                f"接口 {self._interface} 不存在或未启用", f"interface {self._interface} is absent or down"
            )
        return None

    def run(self, emit: Emit, stop: StopEvent) -> None:
        """Capture until ``stop``; what is open is reported on the way out."""
        gc.set_threshold(*COLLECT_THRESHOLDS)
        reader = self._open()
        if reader.link_type not in LINK_TYPES:
            _log.warning("%s: link type %d is not understood", self._interface, reader.link_type)
        reporter = Reporter(socket.gethostname(), self._interface)
        inspection = Inspection(
            self._settings,
            reporter,
            offer=self._offer,
            keep=None if self._ring is None else self._ring.put,
            secret=self._secret,
        )
        report = _LossReport(reader, inspection, reporter)
        try:
            self._loop(reader, inspection, report, emit, stop)
            _drain(reader, inspection)
        finally:
            inspection.finish()
            emit([*inspection.take(), report.make(time.time())])
            reader.close()
            if self._ring is not None:
                self._ring.close()

    def _open(self) -> Reader:
        settings = self._settings
        reader = Pcap if is_there() and not settings.own_ring else Ring
        return reader(self._interface, snaplen_bytes=settings.snaplen_bytes, ring_bytes=settings.ring_bytes)

    def _loop(
        self, reader: Reader, inspection: Inspection, report: "_LossReport", emit: Emit, stop: StopEvent
    ) -> None:
        link_type = reader.link_type
        see = inspection.see
        due = time.monotonic() + self._settings.drop_report_seconds
        looked = time.monotonic()
        while not stop.is_set():
            reader.wait(POLL_MILLISECONDS)
            for data, seen_at in reader.batch():
                see(data, link_type, seen_at)
            now, clock = time.time(), time.monotonic()
            inspection.advance(now)
            seen = inspection.take()
            if clock >= due or (clock >= looked + LOSS_CHECK_SECONDS and report.has_losses()):
                due = clock + self._settings.drop_report_seconds
                seen.append(report.make(now))
            if clock >= looked + LOSS_CHECK_SECONDS:
                looked = clock
                self._look_at_ring()
            if seen:
                emit(seen)

    def _look_at_ring(self) -> None:
        """Write out what the ring of raw packets holds back; say so where it gave up."""
        if self._ring is None:
            return
        self._ring.flush()
        if self._ring.failed and self.reduced is None:
            why = self._ring.failed
            _log.warning("%s: raw packets are no longer kept: %s", self.name, why)
            self.reduced = Words(f"不再保留原始报文:{why}", f"raw packets are no longer kept: {why}")


def _drain(reader: Reader, inspection: Inspection) -> None:
    """Read out what waits in the ring."""
    reader.refuse()
    until = time.monotonic() + DRAIN_SECONDS
    quiet = 0
    while quiet < 2 and time.monotonic() < until:
        found = False
        for data, seen_at in reader.batch():
            inspection.see(data, reader.link_type, seen_at)
            found = True
        quiet = 0 if found else quiet + 1
        if not found:
            reader.wait(POLL_MILLISECONDS)


class _LossReport:
    """net.capture: differences of all counters since the last report."""

    def __init__(self, reader: Reader, inspection: Inspection, reporter: Reporter) -> None:
        self._reader = reader
        self._inspection = inspection
        self._reporter = reporter
        self._before: dict[str, int] = {}
        self._kernel = [0, 0, 0]  # the reader's counters, carried on where theirs wrap
        self._raw = (0, 0, 0)

    def has_losses(self) -> bool:
        """Whether packets were dropped since the last report."""
        _, dropped, interface_dropped = self._count()
        return dropped > self._before.get("dropped", 0) or interface_dropped > self._before.get(
            "interface_dropped", 0
        )

    def make(self, now: float) -> Observation:
        """The report; counts since the last one, ``flows`` and ``unread`` as they are now."""
        received, dropped, interface_dropped = self._count()
        counts = {
            "received": received,
            "dropped": dropped,
            "interface_dropped": interface_dropped,
            **self._inspection.counts(),
        }
        changes = {name: count - self._before.get(name, 0) for name, count in counts.items()}
        self._before = counts
        unread = max(0, received - dropped - counts["packets"])
        now_there = {"unread": unread, "flows": self._inspection.flow_entries}
        return self._reporter.capture(changes | now_there, now)

    def _count(self) -> list[int]:
        raw = self._reader.stats()
        for place, (count, before) in enumerate(zip(raw, self._raw, strict=True)):
            self._kernel[place] += (count - before) & _KERNEL_COUNT_MASK
        self._raw = raw
        return self._kernel
