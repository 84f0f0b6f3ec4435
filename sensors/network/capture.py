"""Live capture of one interface through libpcap (pcapy-ng): ring, poll, inspection, loss report.

The only file that imports pcapy. libpcap hands a packet on the loopback over once (it drops the outgoing
copy), so nothing is counted twice; its ``received`` counter on the loopback counts both copies.
"""

import logging
import select
import socket
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from struct import Struct
from threading import Event as StopEvent
from typing import Any, Final

from crypto.words import Words
from sensors.event import Observation
from sensors.network.inspection import Inspection, Offer
from sensors.network.observation import Reporter
from sensors.network.packet import LINK_TYPES
from sensors.network.settings import AUTO, NetworkSettings
from sensors.source import Emit

_log: Final = logging.getLogger(__name__)

BATCH_PACKETS: Final = 512
POLL_MILLISECONDS: Final = 200
RING_MILLISECONDS: Final = 100  # after which the kernel hands over a block that is not full
_NET: Final = Path("/sys/class/net")
_STATUS: Final = Path("/proc/self/status")
_CAP_NET_RAW: Final = 13
_IFF_UP: Final = 0x1
_KERNEL_COUNT_MASK: Final = 0xFFFF_FFFF  # libpcap's counters are 32 bits wide and wrap
_meta: Final = Struct("=4I").iter_unpack


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


class CaptureSource:
    """The source ``capture:<interface>``."""

    def __init__(self, settings: NetworkSettings, interface: str, *, offer: Offer | None = None) -> None:
        self.name = f"capture:{interface}"
        self._settings = settings
        self._interface = interface
        self._offer = offer

    def missing(self) -> Words | None:
        """The capability without which nothing can be captured here."""
        # Once another thread imports it, find_spec would look at a half-made module and raise.
        if "pcapy" not in sys.modules and find_spec("pcapy") is None:
            return Words(
                "未安装 pcapy-ng:请安装 liuhe[sensor]", "pcapy-ng is not installed: install liuhe[sensor]"
            )
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
        reader = self._open()
        reporter = Reporter(socket.gethostname(), self._interface)
        inspection = Inspection(self._settings, reporter, offer=self._offer)
        report = _LossReport(reader, inspection, reporter)
        try:
            self._loop(reader, inspection, report, emit, stop)
        finally:
            inspection.finish()
            emit([*inspection.take(), report.make(time.time())])
            reader.close()

    def _open(self) -> Any:
        import pcapy

        settings = self._settings
        reader = pcapy.create(self._interface)
        reader.set_snaplen(settings.snaplen_bytes)
        reader.set_promisc(1)
        reader.set_timeout(RING_MILLISECONDS)
        reader.set_buffer_size(settings.ring_bytes)
        reader.activate()
        reader.setnonblock(1)
        if reader.datalink() not in LINK_TYPES:
            _log.warning("%s: link type %d is not understood", self._interface, reader.datalink())
        return reader

    def _loop(
        self, reader: Any, inspection: Inspection, report: "_LossReport", emit: Emit, stop: StopEvent
    ) -> None:
        link_type = reader.datalink()
        poll = select.poll()
        poll.register(reader.getfd(), select.POLLIN)
        due = time.monotonic() + self._settings.drop_report_seconds
        data, meta = b"", b""
        while not stop.is_set():
            if not meta:
                poll.poll(POLL_MILLISECONDS)
            data, meta = reader.next_batch(BATCH_PACKETS)
            for seconds, microseconds, offset, size in _meta(meta):
                inspection.see(data[offset : offset + size], link_type, seconds + microseconds * 1e-6)
            now = time.time()
            inspection.advance(now)
            seen = inspection.take()
            if time.monotonic() >= due:
                due = time.monotonic() + self._settings.drop_report_seconds
                seen.append(report.make(now))
            if seen:
                emit(seen)


class _LossReport:
    """net.capture: differences of all counters since the last report."""

    def __init__(self, reader: Any, inspection: Inspection, reporter: Reporter) -> None:
        self._reader = reader
        self._inspection = inspection
        self._reporter = reporter
        self._before: dict[str, int] = {}

    def make(self, now: float) -> Observation:
        received, dropped, interface_dropped = self._reader.stats()
        counts = {
            "received": received,
            "dropped": dropped,
            "interface_dropped": interface_dropped,
            **self._inspection.counts(),
        }
        changes = {
            name: (count - self._before.get(name, 0)) & _KERNEL_COUNT_MASK for name, count in counts.items()
        }
        self._before = counts
        return self._reporter.capture(changes | {"flows": self._inspection.flow_entries}, now)
