"""The pulse: heartbeats and looks in one batch, pauses and restarts by the sensor's own limits."""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crypto.words import LiuheError, Words
from sensors.event import Observation
from sensors.heartbeat import Heartbeat, read_status
from sensors.lifecycle import Clock, Life, OwnFiles
from sensors.limits import GRACE_SECONDS, Limits, LimitSettings
from sensors.notify import Notifier
from sensors.source import Source
from sensors.source_group import SourceGroup
from sensors.spool import Spool
from sensors.vitals import Vitals

START = datetime(2026, 11, 22, tzinfo=UTC)


class Linked:
    """An uplink that is up."""

    connected = True
    state = Words("已连接", "connected")


class Bench:
    """Vitals over real parts, with a wall clock and a sink in hand."""

    def __init__(self, folder: Path, limits: LimitSettings) -> None:
        quota = {"alerts": 1 << 20, "flows": 1 << 20, "bulk": 1 << 20}
        self.spool = Spool(folder / "spool", sensor="web", unit="u", quota_bytes=quota)
        self.folder = folder / "run"
        self.sources = SourceGroup(self._sources, lambda seen: None)
        self.restarts = 0
        self.wall, self.steady = 1_000.0, 0.0
        self.told: list[Observation] = []
        self.full = False
        self.own = folder / "own.py"
        self.own.write_text("1")
        self.vitals = Vitals(
            self.folder,
            self,
            Heartbeat(self.spool, Linked(), lambda: self.sources.threads, kind="host", version="1.0"),
            self.sources,
            life=Life(self.folder, "1.0", boot="b"),
            clock=Clock(lambda: self.wall, lambda: self.steady),
            own_files=OwnFiles(self.folder, [self.own], "1.0"),
            limits=Limits(limits, "host", self.folder, START.timestamp() - GRACE_SECONDS),
            notifier=Notifier({}),
            restart=self._restart,
        )

    def _sources(self) -> Sequence[Source]:
        return []

    def _restart(self) -> None:
        self.restarts += 1

    def put(self, seen: list[Observation]) -> None:
        if self.full:
            raise LiuheError("disk-full", Words("满", "full"), Words("清", "clean"))
        self.told += seen

    def beat(self, seconds: float = 0) -> list[object]:
        before = len(self.told)
        self.vitals.beat(START + timedelta(seconds=seconds))
        return [one.fields.get("event.action", "heartbeat") for one in self.told[before:]]


@pytest.fixture
def bench(tmp_path: Path) -> "Callable[[LimitSettings], Bench]":
    (tmp_path / "run").mkdir()
    return lambda limits: Bench(tmp_path, limits)


def test_every_beat_is_a_heartbeat_and_a_set_clock_is_told_with_it(bench: Callable[..., Bench]) -> None:
    one = bench(LimitSettings(enforce=False))
    assert one.beat() == ["heartbeat"]
    status = read_status(one.folder)
    assert status is not None
    assert (status.connected, status.paused, status.version) == (True, False, "1.0")
    one.wall += 500
    assert one.beat(10) == ["heartbeat", "clock-set"]
    one.spool.close()


def test_memory_over_the_limit_asks_for_a_restart_and_pauses_meanwhile(bench: Callable[..., Bench]) -> None:
    one = bench(LimitSettings(rss_bytes_max=1))
    one.sources.start()
    assert [one.beat(10 * at) for at in range(2)] == [["heartbeat"]] * 2
    assert one.beat(20) == ["heartbeat", "limit-exceeded"]
    assert one.restarts == 1
    assert one.sources.paused
    assert one.beat(30) == ["heartbeat"]
    assert one.beat(81)[0] == "heartbeat"
    assert not one.sources.paused
    one.spool.close()


def test_a_full_disk_does_not_end_the_pulse(bench: Callable[..., Bench]) -> None:
    one = bench(LimitSettings(enforce=False))
    one.full = True
    assert one.beat() == []
    one.full = False
    assert one.beat(10) == ["heartbeat"]
    one.spool.close()


def test_it_runs_until_it_is_told_to_end(bench: Callable[..., Bench]) -> None:
    one = bench(LimitSettings(enforce=False))
    ending = threading.Event()
    thread = threading.Thread(target=one.vitals.run, args=(ending,))
    thread.start()
    ending.set()
    thread.join(30)
    assert not thread.is_alive()
    assert one.told
    one.spool.close()
