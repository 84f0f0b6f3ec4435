"""Routing: the matchers of log sources that are asked the same rules are one."""

from datetime import UTC, datetime

import pytest

from crypto.words import Words
from detection.condition import Atom
from detection.sigma import routing as module
from detection.sigma.routing import Routing
from detection.sigma.rule import Rule
from sensors.event import Event, LogSource


def rule(name: str, **source: str) -> Rule:
    return Rule(
        id=name,
        path="r.yml",
        line=1,
        title=Words(name, name),
        description=Words("", ""),
        level="high",
        logsource=LogSource(**source),
        condition=Atom("a", "equals", ("x",)),
        entity="host",
    )


def event(value: str, **source: str) -> Event:
    time = datetime(2026, 1, 1, tzinfo=UTC)
    return Event(
        id="0" * 40, time=time, unit="u", sensor="s", logsource=LogSource(**source), fields={"a": value}
    )


def test_each_event_is_asked_the_rules_of_its_source() -> None:
    rules = [rule("all-linux", product="linux"), rule("sshd", product="linux", service="sshd"), rule("any")]
    events = [
        event("x", product="linux", service="sshd"),
        event("x", product="linux", service="cron"),
        event("y", product="linux"),
        event("x", product="windows"),
    ]
    routing = Routing(rules)
    found = [[one.id for one in each] for each in routing.match(events)]
    assert found == [["all-linux", "sshd", "any"], ["all-linux", "any"], [], ["any"]]
    assert not routing.unrouted
    plain = Routing(rules, indexed=False, remembers=False)
    assert [[one.id for one in each] for each in plain.match(events)] == found


def test_sources_with_the_same_rules_share_a_matcher() -> None:
    routing = Routing([rule("one", product="linux")])
    cron = routing.route(LogSource(product="linux", service="cron"))
    assert cron is routing.route(LogSource(product="linux", category="process_creation"))
    assert cron is not routing.route(LogSource(product="windows"))


def test_what_matchers_remember_is_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED_CHARS_MAX", 2_000)
    monkeypatch.setattr(module, "_CHECK_EVENTS", 10)
    routing = Routing([rule("one", product="linux"), rule("two", product="windows")])
    for number in range(0, 500, 5):
        events = [
            event(f"{n:050d}" if n % 7 else "x", product=product)
            for n in range(number, number + 5)
            for product in ("linux", "windows")
        ]
        found = routing.match(events)
        assert [bool(one) for one in found] == [one.fields["a"] == "x" for one in events]
        assert sum(matcher.chars for _, matcher in routing._matchers.values()) <= 2_000 + 20 * 100
