"""Sigma on the stream: routing, entities, reasons, ids, and independence of the batch."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from crypto.words import Words
from detection.condition import Atom
from detection.detector import FeedFailed
from detection.sigma.detector import AMENDED_MAX, SigmaDetector, entity_of
from detection.sigma.routing import ROUTES_MAX
from detection.sigma.rule import Rule, routes
from sensors.event import Event, LogSource, Observation, stamp

PROCESS = LogSource(product="linux", category="process_creation")


def rule(number: int = 1, source: LogSource = PROCESS, **more: Any) -> Rule:
    return Rule(
        id=f"rule-{number}",
        path="r.yml",
        line=1,
        title=Words("规则", "Rule"),
        description=Words("", ""),
        level="high",
        logsource=source,
        condition=Atom("CommandLine", "contains", ("evil",), False, "selection"),
        **{"entity": "host", **more},
    )


def event(sequence: int, source: LogSource = PROCESS, /, line: str = "evil", **fields: Any) -> Event:
    seen = Observation(
        time=datetime(2026, 1, 1, tzinfo=UTC),
        logsource=source,
        fields={"host.name": "web-01", **fields},
        native={"CommandLine": line},
    )
    return stamp(seen, unit="u", sensor="s", epoch=0, sequence=sequence)


@pytest.mark.parametrize(
    ("wanted", "given", "taken"),
    [
        (LogSource(product="linux"), PROCESS, True),
        (LogSource(category="process_creation"), PROCESS, True),
        (LogSource(product="linux", service="sshd"), PROCESS, False),
        (LogSource(product="windows", category="process_creation"), PROCESS, False),
        (PROCESS, LogSource(product="linux"), False),
        (LogSource(category="registry_event"), LogSource(category="registry_set"), True),
        (LogSource(category="registry_set"), LogSource(category="registry_event"), False),
    ],
)
def test_each_key_a_rule_gives_must_be_the_events(wanted: LogSource, given: LogSource, taken: bool) -> None:
    assert routes(wanted, given) is taken
    assert bool(SigmaDetector([rule(1, wanted)]).feed([event(1, given)])) is taken


def test_an_alert_tells_rule_entity_reason_and_what_matched() -> None:
    reason = Words("{host.name} 执行 {CommandLine}", "{host.name} ran {CommandLine}")
    known = rule(attack=("T1059",), clauses=("8.1.4.3",), reason=reason)
    (alert,) = SigmaDetector([known]).feed([event(1, line="an EVIL line")])
    assert alert.rule == "rule-1"
    assert alert.entity == "host:web-01"
    assert alert.reason == Words("web-01 执行 an EVIL line", "web-01 ran an EVIL line")
    assert alert.severity == "high"
    assert (alert.attack, alert.clauses) == (("T1059",), ("8.1.4.3",))
    assert [(m.field, m.value, m.selection) for m in alert.matched] == [
        ("CommandLine", "an EVIL line", "selection")
    ]


def test_a_rule_without_a_sentence_gets_one() -> None:
    (alert,) = SigmaDetector([rule()]).feed([event(1)])
    assert "web-01" in alert.reason.zh
    assert "evil" in alert.reason.en


@pytest.mark.parametrize(
    ("kind", "fields", "entity"),
    [
        ("host", {}, "host:web-01"),
        ("user", {"user.name": "zhang"}, "user:zhang@web-01"),
        ("user", {}, "host:web-01"),
        ("source", {"source.ip": "10.0.0.8"}, "source:10.0.0.8"),
        ("source", {"source.ip": None}, "host:web-01"),
        ("host", {"host.name": ""}, "host:s"),
    ],
)
def test_entities(kind: Any, fields: dict[str, Any], entity: str) -> None:
    assert entity_of(kind, event(1, **fields)) == entity


def test_the_cut_into_batches_changes_nothing() -> None:
    events = [event(n, line="evil" if n % 3 else "good") for n in range(50)]
    whole = SigmaDetector([rule(1), rule(2)]).feed(events)
    single = SigmaDetector([rule(1), rule(2)])
    assert [alert for one in events for alert in single.feed([one])] == whole


def test_invented_log_sources_do_not_fill_the_memory() -> None:
    detector = SigmaDetector([rule()])
    for number in range(ROUTES_MAX + 10):
        detector.matching(event(number, LogSource(service=str(number))))
    assert len(detector._routing._routes) <= ROUTES_MAX
    assert detector.matching(event(1))


def test_events_without_a_source_are_tried_on_every_rule_only_if_asked() -> None:
    unknown = event(1, LogSource())
    assert not SigmaDetector([rule()]).matching(unknown)
    assert SigmaDetector([rule()], unknown_to_all=True).matching(unknown)


def test_events_of_no_rule_are_counted_within_a_bound() -> None:
    detector = SigmaDetector([rule()])
    detector.feed([event(n, LogSource(service="cron")) for n in range(3)])
    assert detector.unrouted == {LogSource(service="cron"): 3}
    for number in range(ROUTES_MAX + 5):
        detector.matching(event(number, LogSource(service=str(number))))
    assert len(detector.unrouted) <= ROUTES_MAX + 1
    assert detector.unrouted.total() == ROUTES_MAX + 8


def test_an_event_that_cannot_be_matched_costs_itself_alone() -> None:
    detector = SigmaDetector([rule()])
    broken = event(2, line="evil", **{"host.name": "x"})
    broken.native["CommandLine"] = {"not": "a value"}  # type: ignore[assignment]
    with pytest.raises(FeedFailed) as failure:
        detector.feed([event(1), broken, event(3)])
    assert failure.value.index == 1
    assert len(failure.value.alerts) == 1


def test_rules_are_changed_added_and_removed_one_by_one() -> None:
    detector = SigmaDetector([rule(1), rule(2), rule(3)])
    assert [one.id for one in detector.matching(event(1))] == ["rule-1", "rule-2", "rule-3"]
    other = replace(rule(2), condition=Atom("CommandLine", "contains", ("good",), False, "selection"))
    detector.amend([other, rule(4)], ["rule-3"])
    assert [one.id for one in detector.matching(event(1))] == ["rule-1", "rule-4"]
    assert [one.id for one in detector.matching(event(1, line="evil good"))] == ["rule-1", "rule-2", "rule-4"]
    assert [one.id for one in detector.rules] == ["rule-1", "rule-2", "rule-4"]
    detector.amend([rule(2)])
    assert [one.id for one in detector.matching(event(1))] == ["rule-1", "rule-2", "rule-4"]
    detector.amend([], ["rule-2", "rule-4"])
    assert [one.id for one in detector.matching(event(1))] == ["rule-1"]
    detector.amend([rule(3)])
    assert [one.id for one in detector.matching(event(1))] == ["rule-1", "rule-3"]


def test_many_amendments_are_settled_without_losing_one() -> None:
    detector = SigmaDetector([rule(1)])
    for number in range(2, AMENDED_MAX + 10):
        detector.amend([rule(number)])
    assert len(detector.matching(event(1))) == len(detector.rules) == AMENDED_MAX + 9
    assert len(detector._amended.rules) < AMENDED_MAX


def test_what_was_unrouted_is_told_through_every_amendment() -> None:
    detector = SigmaDetector([rule(1)])
    cron = LogSource(service="cron")
    detector.feed([event(1, cron), event(2, LogSource(service="at"))])
    detector.amend([replace(rule(2), logsource=cron)])
    assert detector.unrouted == {LogSource(service="at"): 1}  # a rule asks for the other by now
    for number in range(3, AMENDED_MAX + 10):
        detector.amend([rule(number)])
    assert detector.unrouted[LogSource(service="at")] == 1


def test_a_source_whose_rules_are_all_gone_is_unrouted() -> None:
    detector = SigmaDetector([rule(1)])
    detector.feed([event(1)])
    detector.amend([], ["rule-1"])
    detector.feed([event(2), event(3)])
    assert detector.unrouted.total() == 2
    detector.amend([rule(1)])
    detector.feed([event(4)])
    assert detector.unrouted.total() == 2
