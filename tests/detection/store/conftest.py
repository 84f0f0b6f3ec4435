"""A state database of its own for each test, and builders of plausible events and alerts."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from crypto.words import Words
from detection.alert import Alert, Claim, Match, Severity, claim
from detection.store.state import open_state
from sensors.event import Event, LogSource, Observation, Value, stamp

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
