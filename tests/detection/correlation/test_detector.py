"""Rules and correlations as one detector: who is silent, what is remembered, what a bad event costs."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from correlation_scenes import START, event, parameters

from crypto.words import Words
from detection.alert import Alert
from detection.correlation.detector import SNAPSHOT_EVENTS, RuleDetector
from detection.detector import FeedFailed
from detection.exceptions import Withheld
from detection.pipeline import Pipeline, Remembering, Replaying
from detection.sigma.load import load_all
from sensors.event import Event

TEXT = """title: Failed login
id: 00000000-0000-4000-8000-000000000001
name: failed
logsource: {product: ''}
detection: {selection: {outcome: failure}, condition: selection}
---
title: Login
id: 00000000-0000-4000-8000-000000000002
name: succeeded
logsource: {product: ''}
detection: {selection: {outcome: success}, condition: selection}
level: informational
---
title: Many failed logins
id: 00000000-0000-4000-8000-000000000003
name: many
level: high
liuhe:
    {title_zh: 多次失败, entity: user, reason: {zh: '{user.name}:{count}', en: '{user.name} {count} times'}}
correlation:
    type: event_count
    rules: [failed]
    group-by: [user.name, host.name]
    timespan: 1m
    condition: {gte: 3}
---
title: Guessed
id: 00000000-0000-4000-8000-000000000004
level: critical
liuhe: {title_zh: 猜中口令}
correlation:
    type: temporal_ordered
    rules: [many, succeeded]
    group-by: [user.name]
    timespan: 5m
    generate: true
"""


@pytest.fixture
def detector(tmp_path: Path) -> RuleDetector:
    path = tmp_path / "rules.yml"
    path.write_text(
        TEXT.replace("logsource: {product: ''}", "logsource: {category: authentication}"), encoding="utf-8"
    )
    loaded = load_all([path])
    assert [str(error) for error in loaded.errors] == []
    return RuleDetector(loaded.rules, loaded.correlations, parameters=parameters(), unknown_to_all=True)


def login(second: int, outcome: str, user: str = "z") -> Event:
    return event(second, number=second, outcome=outcome, **{"user.name": user, "host.name": "h"})


def story() -> list[Event]:
    failures = [login(second, "failure") for second in (1, 2, 3)]
    return [*failures, login(10, "success"), event(200, number=200, outcome="none")]


def titles(alerts: Sequence[Alert]) -> list[str]:
    return [alert.title.en for alert in alerts]


def test_watched_rules_are_silent_unless_generated(detector: RuleDetector) -> None:
    alerts = detector.feed(story())
    # "failed" is watched by a correlation that says nothing, the others by one that says generate
    assert titles(alerts) == ["Login", "Many failed logins", "Guessed"]
    many, guessed = alerts[1:]
    assert (many.entity, many.reason.en) == ("user:z@h", "z 3 times")
    assert many.severity == "high"
    assert guessed.entity == "user:z"
    assert guessed.title.zh == "猜中口令"
    assert [one.fields["outcome"] for one in guessed.events] == ["failure", "success"]
    assert "Many failed logins, Login" in guessed.reason.en
    assert detector.counters.keys
    assert detector.finish() == []


def test_batches_of_one_say_the_same(detector: RuleDetector) -> None:
    again = RuleDetector(detector.engine.rules, detector._correlations, unknown_to_all=True)
    single = [alert for one in story() for alert in again.feed([one])]
    assert {alert.id: alert for alert in single} == {alert.id: alert for alert in detector.feed(story())}


def test_a_bad_event_costs_that_event_only(detector: RuleDetector, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = story()[1]
    matching_each = detector.engine.matching_each

    def failing(events: Sequence[Event]) -> object:
        if any(one.id == bad.id for one in events):
            raise ZeroDivisionError
        return matching_each(events)

    monkeypatch.setattr(detector.engine, "matching_each", failing)
    with pytest.raises(FeedFailed) as failed:
        detector.feed(story())
    assert failed.value.index == 1
    alerts = detector.feed([login(4, "failure"), *story()[2:]])
    assert "Many failed logins" in titles(alerts)


class Sink:
    """Remembers alerts and states."""

    def __init__(self) -> None:
        self.alerts: dict[str, Alert] = {}
        self.states: dict[str, bytes] = {}
        self.snapshots = 0

    def commit(
        self,
        raised: Sequence[Alert],
        events: Sequence[Event],
        position: int | None,
        now: datetime,
        *,
        states: Mapping[str, bytes] | None = None,
        withheld: Sequence[Withheld] = (),
    ) -> None:
        self.alerts.update({alert.id: alert for alert in raised})
        self.states.update(states or {})
        self.snapshots += bool(states)

    def position(self) -> int:
        return 0

    def detector_state(self, name: str) -> bytes | None:
        return self.states.get(name)


def test_the_pipeline_keeps_and_recalls_the_state(detector: RuleDetector) -> None:
    sink = Sink()
    pipeline = Pipeline([detector], sink)
    pipeline.run_batch(story()[:2], 1, START)
    assert sink.snapshots == 1
    pipeline.run_batch([event(5, number=5, outcome="none")], 2, START)
    assert sink.snapshots == 1  # nothing changed
    again = RuleDetector(detector.engine.rules, detector._correlations, unknown_to_all=True)
    second = Pipeline([again], sink)
    second.recall()
    assert second.replay_since() == START + timedelta(seconds=2 - 61)
    second.warm(story()[:2])
    second.run_batch(story()[2:], 3, START)
    assert sorted(titles(list(sink.alerts.values()))) == ["Guessed", "Login", "Many failed logins"]
    assert isinstance(again, Remembering)
    assert isinstance(again, Replaying)


def test_snapshots_are_as_rare_as_they_may_be(detector: RuleDetector) -> None:
    assert detector.replay_since() is None
    assert detector.snapshot() is None
    detector.feed([login(1, "failure")])
    assert detector.snapshot()
    detector.feed([login(2, "failure")])
    assert detector.snapshot() is None
    detector.feed([login(70, "failure")])
    assert detector.snapshot()
    detector.feed([login(71, "failure", f"u{number}") for number in range(40)])
    detector.feed([login(72, "failure")] * SNAPSHOT_EVENTS)
    assert detector.snapshot()
    detector.recall(b"foreign")
    assert detector.counters.keys == 41


def test_rules_change_while_it_runs_and_the_state_stays(detector: RuleDetector) -> None:
    many, guessed = detector._correlations
    detector.feed(story()[:2])
    (failed,) = [rule for rule in detector.engine.rules if rule.name == "failed"]
    retitled = msgspec.structs.replace(failed, title=Words("失败", "Failure"))
    detector.amend([retitled])
    told = detector.feed(story()[2:3])
    assert titles(told) == ["Many failed logins"]
    assert told[0].reason.en == "z 3 times"

    # the outer correlation goes: its parts are silent no more, the success is never waited for
    detector.amend(correlations=[msgspec.structs.replace(many, generate=True)])
    assert titles(detector.feed(story()[3:])) == ["Login"]
    changed = msgspec.structs.replace(many, span_seconds=600)
    detector.amend(correlations=[changed, guessed])
    assert detector.counters.keys == 0  # it means something else now, and starts anew
    detector.amend(removed=[failed.id])
    assert detector.feed([login(300 + second, "failure") for second in range(4)]) == []
