"""The pipeline over the real log, event store and alert store, killed and started again."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from detection.anomaly.open import open_anomaly
from detection.detector import Detector
from detection.health import HealthDetector, health_parameters
from detection.pipeline import Pipeline, follow, restore
from detection.special.detectors import special_detectors
from detection.store.alert_store import AlertStore
from detection.store.event_store import EventStore
from detection.store.state import open_state
from sensors.event import LogSource, Observation, encode, stamp
from sensors.segment_log import SegmentLog
from sensors.wire import StoredHeader, encode_batch, lane_sequence, make_batch, store_frame

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
FAILURES = 7


def _receive(log: SegmentLog, number: int) -> None:
    seen = Observation(
        time=START + timedelta(seconds=number),
        logsource=LogSource(product="linux", category="authentication", service="sshd"),
        fields={
            "event.dataset": "auth",
            "event.category": "authentication",
            "event.outcome": "failure",
            "user.name": "zhang",
            "host.name": "web-01",
        },
    )
    sequence = lane_sequence("bulk", number)
    line = encode(stamp(seen, unit="nanjing", sensor="web-01", epoch=1, sequence=sequence))
    header = StoredHeader(
        sensor="web-01", unit="nanjing", epoch=1, lane="bulk", first=number, last=number, received=START
    )
    log.append([store_frame(header, encode_batch(make_batch("web-01", 1, "bulk", number, [line])))])


def _run(folder: Path, upto: int) -> AlertStore:
    """One life of the pipeline process: restore, follow until ``upto``, gone."""
    engine = open_state(f"sqlite:///{folder / 'state.sqlite'}", create=True)
    store = AlertStore(engine)
    events = EventStore(folder, engine)
    anomaly, refused = open_anomaly(folder / "models", folder / "models.pem", START)
    assert refused == []
    health = health_parameters()
    detectors: list[Detector] = [*special_detectors(), anomaly, HealthDetector(health)]
    pipeline = Pipeline(detectors, store, failed=health.detector)
    stop = threading.Event()

    def clock() -> datetime:
        if store.position() >= upto:
            stop.set()
        return START + timedelta(seconds=30)

    restore(events, pipeline, clock())
    stop.clear()
    if store.position() < upto:
        follow(events, pipeline, stop, clock)
    engine.dispose()
    return store


def test_failures_spread_over_two_lives_make_one_alert(tmp_path: Path) -> None:
    log = SegmentLog.open(tmp_path / "log", name="center", writer=True)
    for number in range(1, 4):
        _receive(log, number)
    assert _run(tmp_path, 3).page().total == 0
    for number in range(4, FAILURES + 1):
        _receive(log, number)
    store = _run(tmp_path, FAILURES)
    (group,) = store.page().rows
    assert (group.rule, group.entity, group.count) == ("special.brute-force", "user:zhang@web-01", 1)
    assert _run(tmp_path, FAILURES).page().total == 1
    log.close()
