"""The second opinion on the control plane: scapy in a child process, on a short leash.

Packets come from the captures through a bounded queue. The child gets one packet at a time, at most
``PACKET_BYTES_MAX``, and ``DEADLINE_SECONDS`` for it; a child that is late or dies is killed and started
anew. What is not dissected is counted by reason. scapy is GPL-2.0-only and optional: see dissect_worker.py.
"""

import os
import queue
import select
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from struct import Struct
from threading import Event as StopEvent
from typing import Final

import msgspec

from crypto.words import Words
from sensors.event import Observation
from sensors.network.observation import Reporter
from sensors.network.settings import NetworkSettings
from sensors.source import Emit

PACKET_BYTES_MAX: Final = 4 * 1024
ANSWER_BYTES_MAX: Final = 64 * 1024
DEADLINE_SECONDS: Final = 0.25
WITH_FIELDS: Final = 0x8000  # bit of the link type in a request
TRAFFIC: Final = 0x7FFF  # a link type that asks for the frames of the self-test
START_SECONDS: Final = 30.0  # importing scapy on a slow, busy machine
QUEUE_PACKETS_MAX: Final = 1_024
REPORT_SECONDS: Final = 30.0
_RESTART_SECONDS: Final = 5.0  # between two starts of a child that cannot start
_SLICE_SECONDS: Final = 0.2  # of waiting, between two looks at whether the sensor stops
_PROJECT: Final = Path(__file__).resolve().parents[2]
_request: Final = Struct("!HH")
_size: Final = Struct("!I")


def installed() -> bool:
    """Whether scapy, which is optional, is there for the worker."""
    return find_spec("scapy") is not None


class Answer(msgspec.Struct, frozen=True):
    """What the worker says about one packet."""

    ready: bool = False
    summary: str = ""
    layers: list[str] = []
    fields: list[list[tuple[str, str]]] = []  # by layer, where they were asked for
    error: str = ""
    frames: list[tuple[str, str]] = []  # of the self-test: dataset, hex


_decoder: Final = msgspec.json.Decoder(Answer)


class WorkerLost(Exception):
    """The worker was late or is gone; ``reason`` is deadline, died or start."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Worker:
    """One child process. ``ask`` starts it when needed and kills it when it is late."""

    def __init__(
        self, command: Sequence[str] | None = None, *, deadline_seconds: float = DEADLINE_SECONDS
    ) -> None:
        self._deadline_seconds = deadline_seconds
        self.is_over: Callable[[], bool] = lambda: False  # asked while waiting: give up at once
        self._command = list(command or (sys.executable, "-m", "sensors.network.dissect_worker"))
        self._child: subprocess.Popen[bytes] | None = None

    def ask(self, link_type: int, data: bytes, *, with_fields: bool = False) -> Answer:
        """The worker's answer. Raises WorkerLost; the next call then starts a new child."""
        if self._child is None:
            self._start()
        child = self._child
        if child is None or child.stdin is None:
            raise WorkerLost("start")
        try:
            kind = link_type | WITH_FIELDS if with_fields else link_type
            child.stdin.write(_request.pack(kind, len(data)) + data)
            child.stdin.flush()
            return self._answer(self._deadline_seconds)
        except OSError:
            self.stop()
            raise WorkerLost("died") from None

    def stop(self) -> None:
        """End the child, if there is one."""
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    pass  # what was buffered for a dead child is of no use
        child.wait()

    def _start(self) -> None:
        environment = {
            "PYTHONPATH": str(_PROJECT),
            "PATH": os.environ.get("PATH", ""),
            "HOME": "/nonexistent",
        }
        self._child = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        try:
            if not self._answer(START_SECONDS).ready:
                raise WorkerLost("start")
        except WorkerLost:
            self.stop()
            raise WorkerLost("start") from None

    def _answer(self, seconds: float) -> Answer:
        until = time.monotonic() + seconds
        (size,) = _size.unpack(self._exactly(_size.size, until))
        if size > ANSWER_BYTES_MAX:
            self.stop()
            raise WorkerLost("died")
        raw = self._exactly(size, until)
        try:
            return _decoder.decode(raw)
        except msgspec.DecodeError:
            self.stop()
            raise WorkerLost("died") from None

    def _exactly(self, size: int, until: float) -> bytes:
        if self._child is None or self._child.stdout is None:
            raise WorkerLost("died")
        descriptor = self._child.stdout.fileno()
        found = b""
        while len(found) < size:
            left = until - time.monotonic()
            if left <= 0 or self.is_over():
                self.stop()
                raise WorkerLost("deadline")
            if not select.select([descriptor], [], [], min(left, _SLICE_SECONDS))[0]:
                continue
            part = os.read(descriptor, size - len(found))
            if not part:
                self.stop()
                raise WorkerLost("died")
            found += part
        return found


class DissectSource:
    """The source ``dissect``; captures hand it packets through ``offer``."""

    name = "dissect"

    def __init__(self, settings: NetworkSettings, *, worker: Worker | None = None) -> None:
        self._per_second = max(1, settings.dissect_per_second_max)
        self._worker = worker or Worker()
        self._queue: queue.Queue[tuple[bytes, int, float]] = queue.Queue(QUEUE_PACKETS_MAX)
        self._running = False
        self.dropped: Counter[str] = Counter()  # by reason: queue, size, rate, deadline, died, start, error

    def missing(self) -> Words | None:
        """Whether scapy is there."""
        if not installed():
            return Words(
                "未安装 scapy(可选):安装 liuhe[dissect] 后提供控制面报文解析",
                "scapy is not installed (optional): liuhe[dissect] adds control-plane dissection",
            )
        return None

    def offer(self, data: bytes, link_type: int, seen: float) -> None:
        """Queue a packet if there is room; never blocks."""
        if not self._running:
            return
        if len(data) > PACKET_BYTES_MAX:
            self.dropped["size"] += 1
            return
        try:
            self._queue.put_nowait((data, link_type, seen))
        except queue.Full:
            self.dropped["queue"] += 1

    def run(self, emit: Emit, stop: StopEvent) -> None:
        """Dissect until ``stop``."""
        reporter = Reporter(socket.gethostname(), "")
        self._worker.is_over = stop.is_set
        self._running = True
        due = time.monotonic() + REPORT_SECONDS
        tokens, filled = float(self._per_second), time.monotonic()
        try:
            while not stop.is_set():
                now = time.monotonic()
                tokens = min(tokens + (now - filled) * self._per_second, float(self._per_second))
                filled = now
                if now >= due:
                    due = now + REPORT_SECONDS
                    emit(self._losses(reporter))
                try:
                    data, link_type, seen = self._queue.get(timeout=0.2)
                except queue.Empty:
                    continue
                if tokens < 1:
                    self.dropped["rate"] += 1
                    continue
                tokens -= 1
                answer = self._ask(data, link_type, stop)
                if answer is not None:
                    emit([reporter.dissect(answer.summary, answer.layers, seen)])
        finally:
            self._running = False
            self._worker.stop()
            emit(self._losses(reporter))

    def _ask(self, data: bytes, link_type: int, stop: StopEvent) -> Answer | None:
        try:
            answer = self._worker.ask(link_type, data)
        except WorkerLost as lost:
            self.dropped[lost.reason] += 1
            if lost.reason == "start":
                stop.wait(_RESTART_SECONDS)
            return None
        if answer.error:
            self.dropped["error"] += 1
            return None
        return answer

    def _losses(self, reporter: Reporter) -> list[Observation]:
        """net.capture with dissect_dropped_<reason>, only where something was dropped."""
        counts = {f"dissect_dropped_{reason}": count for reason, count in sorted(self.dropped.items())}
        self.dropped.clear()
        return [reporter.capture(counts, time.time())] if counts else []
