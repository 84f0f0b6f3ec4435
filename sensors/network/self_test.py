"""The sensor's test of itself: frames made by somebody else go through its whole path, in memory.

What scapy builds (dissect_traffic.py, in the worker) our own parsers must understand; what is not understood
is named in ``net.selftest``. Without scapy there is nobody else, and nothing is tested. Nothing is sent.
"""

import socket
import time
from threading import Event as StopEvent
from typing import Final

import msgspec

from crypto.words import Words
from sensors.event import LogSource, Observation
from sensors.network.dissect import TRAFFIC, Worker, WorkerLost, installed
from sensors.network.inspection import Inspection
from sensors.network.observation import Reporter, moment
from sensors.network.settings import NetworkSettings
from sensors.source import Emit

REPEAT_SECONDS: Final = 24 * 3_600.0
_ETHERNET: Final = 1


class SelfTest(msgspec.Struct, frozen=True, kw_only=True):
    """What was understood, and what was not: datasets."""

    passed: list[str]
    failed: list[str]
    error: str = ""  # why there was nothing to test with


def self_test(worker: Worker) -> SelfTest:
    """Ask for the frames and look at what the sensor makes of them."""
    try:
        answer = worker.ask(TRAFFIC, b"")
        wanted = [(kind, bytes.fromhex(raw)) for kind, raw in answer.frames]
    except WorkerLost as lost:
        return SelfTest(passed=[], failed=[], error=lost.reason)
    except ValueError:
        return SelfTest(passed=[], failed=[], error="frames")
    if not wanted:
        return SelfTest(passed=[], failed=[], error=answer.error or "frames")
    passed: list[str] = []
    failed: list[str] = []
    for kind, frame in wanted:
        (passed if kind in datasets_of(frame) else failed).append(kind)
    return SelfTest(passed=passed, failed=failed)


def datasets_of(frame: bytes) -> set[str]:
    """What the sensor reports of one frame."""
    inspection = Inspection(NetworkSettings(), Reporter("self-test", ""), live=False)
    inspection.see(frame, _ETHERNET, 1.0)
    inspection.finish()
    return {str(one.fields["event.dataset"]) for one in inspection.take()}


def observed(found: SelfTest, observer: str, now: float) -> Observation:
    """net.selftest."""
    return Observation(
        time=moment(now),
        logsource=LogSource(product="liuhe", service="selftest"),
        fields={
            "event.dataset": "net.selftest",
            "event.outcome": "failure" if found.failed or found.error else "success",
            "observer.name": observer,
            "gov.selftest.passed": [*found.passed],
            "gov.selftest.failed": [*found.failed],
            "gov.selftest.error": found.error,
        },
        lane="flows",
    )


class SelfTestSource:
    """The source ``self-test``: once at the start, then once a day, in a worker that lives for it alone."""

    name = "self-test"

    def __init__(self, *, worker: Worker | None = None, repeat_seconds: float = REPEAT_SECONDS) -> None:
        self._worker = worker or Worker()
        self._repeat_seconds = repeat_seconds

    def missing(self) -> Words | None:
        """Whether scapy is there."""
        if installed():
            return None
        return Words(
            "未安装 scapy(可选):安装 liuhe[dissect] 后传感器每日自检一次",
            "scapy is not installed (optional): with liuhe[dissect] the sensor tests itself once a day",
        )

    def run(self, emit: Emit, stop: StopEvent) -> None:
        """Test until ``stop``."""
        self._worker.is_over = stop.is_set
        while not stop.is_set():
            try:
                found = self_test(self._worker)
            finally:
                self._worker.stop()
            if not stop.is_set():
                emit([observed(found, socket.gethostname(), time.time())])
            stop.wait(self._repeat_seconds)
