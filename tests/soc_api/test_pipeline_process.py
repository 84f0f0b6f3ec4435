"""The pipeline process: what fails ends it, what can be tried again is."""

import os
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from crypto.words import LiuheError, Words
from detection.store.event_store import EventStore
from detection.store.state import open_state
from soc_api import pipeline_process
from soc_api.folders import Folders
from soc_api.migrate import upgrade
from soc_api.rule_store import RuleStore
from soc_api.running_rules import RunningRules
from soc_api.settings import Settings, load_settings

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, action in before.items():
        signal.signal(number, action)


class Kept:
    """An event store that notes what it is asked; ``clock`` goes on a minute with every look."""

    def __init__(self, stop: threading.Event, looks: int) -> None:
        self.stop, self.looks = stop, looks
        self.time = NOW
        self.sealed: list[bool] = []
        self.expired: list[timedelta] = []
        self.wrong: Exception | None = None

    def clock(self) -> datetime:
        return self.time

    def seal(self, now: datetime, *, force: bool = False) -> None:
        self.time += timedelta(minutes=1)
        self.looks -= 1
        if not self.looks:
            self.stop.set()
        if self.wrong:
            raise self.wrong
        self.sealed.append(force)

    def expire(self, before: datetime, now: datetime, *, days_min: int) -> None:
        self.expired.append(now - before)


def kept(monkeypatch: pytest.MonkeyPatch, looks: int, wrong: Exception | None = None) -> Kept:
    stop = threading.Event()
    store = Kept(stop, looks)
    store.wrong = wrong
    monkeypatch.setattr(pipeline_process, "SEAL_SECONDS", 0.0)
    monkeypatch.setattr(pipeline_process, "_now", store.clock)
    pipeline_process._keep(cast("EventStore", store), Settings(), stop)
    return store


def test_everything_is_sealed_every_ten_minutes_and_old_events_go_once_an_hour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = kept(monkeypatch, 125)
    assert [number for number, force in enumerate(store.sealed) if force][:3] == [10, 20, 30]
    assert store.expired == [timedelta(days=190)] * 2


@pytest.mark.parametrize(
    "wrong",
    [
        OSError(28, "No space left on device"),
        LiuheError("log-write-failed", Words("满", "full"), Words("", "")),
    ],
)
def test_a_full_disk_is_said_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wrong: Exception
) -> None:
    monkeypatch.setenv("LIUHE_LANG", "en")
    store = kept(monkeypatch, 3, wrong)
    assert (store.sealed, store.expired) == ([], [])
    assert "sealing failed" in capsys.readouterr().err


def test_every_shipped_detector_is_there(tmp_path: Path) -> None:
    engine = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}")
    upgrade(engine)
    detectors = pipeline_process._detectors(Folders(tmp_path), Settings(), engine)
    names = {type(detector).__name__ for detector in detectors}
    assert {"RunningRules", "HealthDetector"} <= names
    rule = next(one for one in detectors if isinstance(one, RunningRules)).detector.engine.rules[0]
    assert [past.kind for past in RuleStore(engine).history(rule.id)] == ["loaded"]
    engine.dispose()
    assert len(names) >= 4


def test_it_works_until_it_is_told_to_stop(center: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def told(_events: object, _pipeline: object, stop: threading.Event, _now: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(20)

    monkeypatch.setattr(pipeline_process, "follow", told)
    pipeline_process.run_pipeline(Folders(center), load_settings(center))
    assert (center / "log").is_dir()


def test_a_job_that_fails_ends_the_process(center: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("the detector broke")

    monkeypatch.setattr(pipeline_process, "follow", broken)
    with pytest.raises(RuntimeError, match="the detector broke"):
        pipeline_process.run_pipeline(Folders(center), load_settings(center))
    # What it held is given back: the next start is not refused.
    with pytest.raises(RuntimeError, match="the detector broke"):
        pipeline_process.run_pipeline(Folders(center), load_settings(center))
