"""One source's failure is told and tried again; it never ends the sensor."""

import threading
import time
from collections.abc import Sequence

import pytest

from crypto.words import Words
from sensors import source_thread
from sensors.event import LogSource, Observation
from sensors.source import Emit
from sensors.source_thread import SourceThread


class Fake:
    """Fails as often as told, then emits until stopped."""

    name = "fake"

    def __init__(self, failures: int = 0, missing: Words | None = None) -> None:
        self.failures, self.lacking = failures, missing

    def missing(self) -> Words | None:
        return self.lacking

    def run(self, emit: Emit, stop: threading.Event) -> None:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("broken pipe of some kind")
        from datetime import UTC, datetime

        emit([Observation(time=datetime.now(UTC), logsource=LogSource(), fields={})])
        stop.wait()


def wait_for(thread: SourceThread, state: str) -> None:
    end = time.monotonic() + 5
    while thread.state != state:
        assert time.monotonic() < end, thread.state
        time.sleep(0.005)


def test_a_crashed_source_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_thread, "RETRY_SECONDS_MIN", 0.05)
    seen: list[Observation] = []

    def emit(more: Sequence[Observation]) -> None:
        seen.extend(more)

    stop = threading.Event()
    thread = SourceThread(Fake(failures=2), emit, stop)
    thread.start()
    wait_for(thread, "failed")
    assert "broken pipe" in thread.detail.en
    wait_for(thread, "running")
    assert len(seen) <= 1
    stop.set()
    thread.join(2)
    assert (thread.state, len(seen)) == ("stopped", 1)


def test_a_missing_capability_is_named(caplog: pytest.LogCaptureFixture) -> None:
    stop = threading.Event()
    thread = SourceThread(Fake(missing=Words("缺 CAP_NET_RAW", "CAP_NET_RAW is missing")), print, stop)
    thread.start()
    wait_for(thread, "missing")
    assert thread.detail.en == "CAP_NET_RAW is missing"
    stop.set()
    thread.join(2)
    assert len(caplog.records) == 1


def test_a_source_that_goes_on_with_less_says_so() -> None:
    class Polling(Fake):
        reduced = Words("改为轮询", "polling")

    stop = threading.Event()
    thread = SourceThread(Polling(), lambda _: None, stop)
    thread.start()
    wait_for(thread, "running")
    assert thread.detail == Polling.reduced
    stop.set()
    thread.join(5)
    assert thread.detail == Words("", "")
