"""Rules switched on and off while events run: no event and no count of a correlation is lost."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crypto.words import LiuheError, Words
from detection.pipeline import Pipeline
from detection.store.alert_store import AlertStore
from detection.store.state import Engine, open_state
from sensors.event import Event, LogSource, Observation, stamp
from soc_api.migrate import upgrade
from soc_api.rule_report import Report
from soc_api.rule_set import shipped_rules
from soc_api.rule_store import RuleStore
from soc_api.running_rules import RunningRules

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
RULES = shipped_rules(Path(__file__).with_name("console_rules"))
LISTENER, MANY = RULES.rules[0].id, RULES.correlations[0].id
SOLE = RULES.__class__(rules=RULES.rules, errors=())  # without the correlation the rule speaks itself
START = LogSource(product="linux", category="process_creation")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}")
    upgrade(made)
    yield made
    made.dispose()


def event(sequence: int, source: LogSource = START, seconds: float | None = None) -> Event:
    seen = Observation(
        time=NOW + timedelta(seconds=sequence if seconds is None else seconds),
        logsource=source,
        fields={"host.name": "web-01"},
        native={"Image": "/usr/bin/nc", "CommandLine": "nc -l 4444"},
    )
    return stamp(seen, unit="u", sensor="s", epoch=1, sequence=sequence)


def test_a_rule_switched_off_is_silent_from_the_next_batch_and_comes_back(engine: Engine) -> None:
    book = RuleStore(engine)
    running = RunningRules(SOLE, book, NOW)
    pipeline = Pipeline([running], AlertStore(engine))
    assert [one.rule for one in pipeline.run_batch([event(1)], 1, NOW)] == [LISTENER]
    revision = book.decide(LISTENER, False, actor="user:an", reason="误报", now=NOW)
    assert running.applied == 0
    later = NOW + timedelta(seconds=2)
    pipeline.run_batch((), None, later)
    assert running.applied == revision
    assert pipeline.run_batch([event(2)], 2, later) == []
    report = book.report()
    assert report is not None
    assert report.report.applied == revision
    book.decide(LISTENER, True, actor="user:an", reason="恢复", now=later)
    pipeline.run_batch((), None, later + timedelta(seconds=2))
    assert [one.rule for one in pipeline.run_batch([event(3)], 3, later)] == [LISTENER]
    assert pipeline.position() == 3


def test_a_correlation_keeps_what_it_counted_while_rules_are_switched(engine: Engine) -> None:
    book = RuleStore(engine)
    running = RunningRules(RULES, book, NOW)
    assert running.feed([event(1), event(2)]) == []
    book.decide(RULES.rules[1].id, False, actor="user:an", reason="不用", now=NOW)
    running.tick(NOW + timedelta(seconds=2))
    assert running.applied == 1
    assert [one.rule for one in running.feed([event(3)])] == [MANY]


def test_what_a_switched_off_correlation_watches_does_not_begin_to_speak(engine: Engine) -> None:
    book = RuleStore(engine)
    running = RunningRules(RULES, book, NOW)
    book.decide(MANY, False, actor="user:an", reason="太吵", now=NOW)
    running.tick(NOW + timedelta(seconds=2))
    assert running.feed([event(n) for n in range(1, 9)]) == []
    again = RunningRules(RULES, book, NOW)
    assert again.applied == 1
    assert again.feed([event(n) for n in range(1, 9)]) == []
    book.decide(MANY, True, actor="user:an", reason="恢复", now=NOW)
    running.tick(NOW + timedelta(seconds=4))
    found = running.feed([event(n) for n in range(9, 12)])
    assert [one.rule for one in found] == [MANY]


def test_state_survives_a_restart_with_a_rule_switched_off(engine: Engine) -> None:
    book = RuleStore(engine)
    book.decide(RULES.rules[1].id, False, actor="user:an", reason="不用", now=NOW)
    store = AlertStore(engine)
    first = Pipeline([RunningRules(RULES, book, NOW)], store)
    first.run_batch([event(1), event(2)], 1, NOW)
    running = RunningRules(RULES, book, NOW)
    second = Pipeline([running], store)
    second.recall()
    since = running.replay_since()
    assert since is None or since <= NOW + timedelta(seconds=2)
    assert [one.rule for one in second.run_batch([event(3)], 2, NOW)] == [MANY]


def test_unrouted_events_and_the_switch_for_them_are_told(engine: Engine) -> None:
    book = RuleStore(engine)
    running = RunningRules(RULES, book, NOW)
    strange, unsaid = LogSource(product="cisco", service="aaa"), LogSource()
    running.feed([event(1, strange), event(2, strange), event(3, unsaid), event(4)])
    running.tick(NOW + timedelta(seconds=11))
    reported = book.report()
    assert reported is not None
    report = reported.report
    assert [(one.product, one.service, one.events) for one in report.unrouted] == [
        ("cisco", "aaa", 2),
        ("", "", 1),
    ]
    assert (report.unrouted_events, report.events, report.unknown_to_all) == (3, 4, False)
    assert (report.rules, report.correlations) == (2, 1)
    open_to_all = RunningRules(SOLE, book, NOW, unknown_to_all=True)
    assert [one.rule for one in open_to_all.feed([event(5, unsaid)])] == [LISTENER]
    assert open_to_all.report().unrouted_events == 0
    assert open_to_all.report().unknown_to_all


def test_a_report_that_cannot_be_written_stops_nothing(engine: Engine) -> None:
    class Full(RuleStore):
        def keep_report(self, report: Report, now: datetime, *, tell: bool = True) -> None:
            raise LiuheError("state-write", Words("满", "full"), Words("", ""))

    running = RunningRules(RULES, Full(engine), NOW)
    assert running.tick(NOW + timedelta(seconds=30)) == []


def test_open_pages_fetch_what_was_decided_at_once_and_the_rest_now_and_then(engine: Engine) -> None:
    book = RuleStore(engine)
    running = RunningRules(RULES, book, NOW)
    revisions = []
    for seconds in (11, 22, 33, 44, 55):
        running.feed([event(seconds)])
        running.tick(NOW + timedelta(seconds=seconds))
        revisions.append(book.revision())
    assert revisions == [1, 1, 1, 2, 2]
    kept = book.report()
    assert kept is not None
    assert kept.report.events == 5
    book.decide(LISTENER, False, actor="user:an", reason="误报", now=NOW)
    running.tick(NOW + timedelta(seconds=57))
    assert book.revision() == 4


def test_costs_are_measured_on_the_stream(engine: Engine) -> None:
    running = RunningRules(RULES, RuleStore(engine), NOW)
    running.feed([event(n) for n in range(1, 40)])
    running.tick(NOW + timedelta(seconds=2))
    cost = running.report().costs[LISTENER]
    assert cost.events == 39
    assert 0 < cost.nanoseconds < 10_000_000
