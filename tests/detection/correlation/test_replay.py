"""Correlations over the real log and stores: killed after any frame, the queue is the same in the end."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random  # noqa: TID251 -- seeded

import pytest
from guessing_rules import GUESSING

from detection.correlation.detector import RuleDetector
from detection.pipeline import Pipeline, follow, restore
from detection.sigma.load import Loaded, load_all
from detection.store.alert_store import AlertStore
from detection.store.event_store import EventStore
from detection.store.state import open_state
from sensors.event import LogSource, Observation, encode, stamp
from sensors.segment_log import SegmentLog
from sensors.wire import StoredHeader, encode_batch, lane_sequence, make_batch, store_frame

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
FRAMES = 60


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    path = tmp_path_factory.mktemp("rules") / "rules.yml"
    path.write_text(GUESSING, encoding="utf-8")
    found = load_all([path])
    assert [str(error) for error in found.errors] == []
    return found


def receive(folder: Path, upto: int, after: int = 0) -> None:
    """Frames behind ``after``: every one some logins, out of order by up to 50 s."""
    log = SegmentLog.open(folder / "log", name="center", writer=True)
    for number in range(after + 1, upto + 1):
        lot = Random(number)
        seen = Observation(
            time=START + timedelta(seconds=number * 15 - lot.uniform(0, 50)),
            logsource=LogSource(product="linux", category="authentication", service="sshd"),
            fields={
                "event.dataset": "auth",
                "event.outcome": lot.choice(["failure", "failure", "success"]),
                "user.name": lot.choice(["li", "zhang"]),
                "host.name": "web-01",
            },
        )
        line = encode(
            stamp(seen, unit="nanjing", sensor="web-01", epoch=1, sequence=lane_sequence("bulk", number))
        )
        header = StoredHeader(
            sensor="web-01", unit="nanjing", epoch=1, lane="bulk", first=number, last=number, received=START
        )
        log.append([store_frame(header, encode_batch(make_batch("web-01", 1, "bulk", number, [line])))])
    log.close()


def live(folder: Path, loaded: Loaded, upto: int) -> set[tuple[str, str, datetime, bytes]]:
    """One life of the pipeline up to a frame; the alerts in the queue then."""
    engine = open_state(f"sqlite:///{folder / 'state.sqlite'}", create=True)
    store = AlertStore(engine)
    pipeline = Pipeline([RuleDetector(loaded.rules, loaded.correlations)], store)
    events = EventStore(folder, engine)
    stop = threading.Event()

    def clock() -> datetime:
        if store.position() >= upto:
            stop.set()
        return START + timedelta(days=1)

    restore(events, pipeline, clock())
    stop.clear()
    if store.position() < upto:
        follow(events, pipeline, stop, clock)
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT id, group_id, time, body FROM alerts").all()
    engine.dispose()
    return {tuple(row) for row in rows}


def test_a_kill_after_any_frame_changes_nothing(tmp_path: Path, loaded: Loaded) -> None:
    receive(tmp_path / "whole", FRAMES)
    whole = live(tmp_path / "whole", loaded, FRAMES)
    assert len(whole) > 10
    for lives in ((7, 20, 33, 46), tuple(range(2, FRAMES, 4))):
        folder = tmp_path / str(len(lives))
        before = 0
        for upto in (*lives, FRAMES):
            receive(folder, upto, before)
            found = live(folder, loaded, upto)
            before = upto
        assert found == whole
