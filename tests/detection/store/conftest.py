"""A state database of its own for each test, and builders of plausible events and alerts."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from crypto.words import Words
from detection.alert import Alert, Claim, Match, Severity, claim
from detection.store.event_store import EventStore
from detection.store.state import open_state
from sensors.event import Event, LogSource, Observation, Value, encode, stamp
from sensors.segment_log import SegmentLog
from sensors.wire import StoredHeader, encode_batch, lane_sequence, make_batch, store_frame

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


@pytest.fixture
def start() -> datetime:
    return START


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}", create=True)
    yield engine
    engine.dispose()


@pytest.fixture
def make_event() -> Callable[..., Event]:
    def build(
        sequence: int,
        *,
        seconds: float | None = None,
        sensor: str = "host-web-01",
        logsource: LogSource | None = None,
        native: dict[str, Value] | None = None,
        **fields: Value,
    ) -> Event:
        named: dict[str, Value] = {"host.name": "web-01", "event.dataset": "process.start"}
        named |= {name.replace("__", "."): value for name, value in fields.items()}
        seen = Observation(
            time=START + timedelta(seconds=sequence if seconds is None else seconds),
            logsource=logsource or LogSource(product="linux", category="process_creation"),
            fields=named,
            native=native or {},
        )
        return stamp(seen, unit="nanjing", sensor=sensor, epoch=1, sequence=sequence)

    return build


@pytest.fixture
def make_alert(make_event: Callable[..., Event]) -> Callable[..., Alert]:
    def build(
        sequence: int, *, rule: str = "rule-1", entity: str = "host:web-01", severity: Severity = "high"
    ) -> Alert:
        event = make_event(sequence, process__name="nc")
        said = Claim(
            rule=rule,
            detector="sigma",
            title=Words("反弹 Shell", "Reverse shell"),
            severity=severity,
            attack=("T1059",),
            clauses=("8.1.4.3",),
        )
        reason = Words(f"第 {sequence} 次执行 nc", f"nc started, number {sequence}")
        match = Match(event=event.id, field="process.name", value="nc", selection="selection")
        return claim(said, entity=entity, reason=reason, events=(event,), matched=(match,))

    return build


class Center:
    """A data folder with its log, as the ingest part writes it: frames of one event batch each."""

    def __init__(self, folder: Path, segment_bytes_max: int = 1_000) -> None:
        self.folder = folder
        self.segment_bytes_max = segment_bytes_max
        self.sent = 0
        self.events: list[Event] = []
        self.log = self._open()

    def _open(self) -> SegmentLog:
        return SegmentLog.open(
            self.folder / "log", name="center", segment_bytes_max=self.segment_bytes_max, writer=True
        )

    def receive(self, count: int, *, seconds: float | None = None, **fields: Value) -> int:
        """One batch of ``count`` events, each a second later; returns the frame's sequence."""
        first = self.sent + 1
        events = [self._event(first + n, seconds, fields) for n in range(count)]
        self.sent += count
        self.events += events
        return self.frame([encode(event) for event in events], first)

    def frame(self, lines: list[bytes], first: int) -> int:
        """One frame of these lines, whatever they are."""
        last = first + len(lines) - 1
        header = StoredHeader(
            sensor="host-web-01", unit="nanjing", epoch=1, lane="bulk", first=first, last=last, received=START
        )
        message = encode_batch(make_batch("host-web-01", 1, "bulk", first, lines))
        return self.log.append([store_frame(header, message)])[-1]

    @staticmethod
    def _event(number: int, seconds: float | None, fields: dict[str, Value]) -> Event:
        named: dict[str, Value] = {"host.name": "web-01", "event.dataset": "process.start", "n": number}
        named |= {name.replace("__", "."): value for name, value in fields.items()}
        seen = Observation(
            time=START + timedelta(seconds=number if seconds is None else seconds),
            logsource=LogSource(product="linux", category="process_creation"),
            fields=named,
            native={"Image": f"/usr/bin/tool{number % 7}"},
        )
        sequence = lane_sequence("bulk", number)
        return stamp(seen, unit="nanjing", sensor="host-web-01", epoch=1, sequence=sequence)

    def store(self, engine: Engine) -> EventStore:
        return EventStore(self.folder, engine)


@pytest.fixture
def center(tmp_path: Path) -> Iterator[Center]:
    center = Center(tmp_path)
    yield center
    center.log.close()
