"""The cost of each rule, measured on what just came."""

from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from sensors.event import Event, LogSource, Observation, stamp
from soc_api.rule_costs import MEMORY_EVENTS, SAMPLE_EVENTS, RuleCosts
from soc_api.rule_set import shipped_rules

RULES = shipped_rules(Path(__file__).with_name("console_rules")).rules
LISTENER = RULES[0]
START = LogSource(product="linux", category="process_creation")


def events(number: int, source: LogSource = START) -> list[Event]:
    seen = Observation(
        time=datetime(2026, 11, 22, tzinfo=UTC), logsource=source, fields={}, native={"Image": "/usr/bin/nc"}
    )
    return [stamp(seen, unit="u", sensor="s", epoch=1, sequence=n) for n in range(1, number + 1)]


def test_only_rules_that_are_asked_cost_something() -> None:
    ticks = count(0, 1_000)
    costs = RuleCosts(lambda: next(ticks))
    costs.measure(RULES)
    assert costs.costs == {}
    costs.saw(events(10))
    costs.measure(RULES)
    assert list(costs.costs) == [LISTENER.id]
    assert (costs.costs[LISTENER.id].nanoseconds, costs.costs[LISTENER.id].events) == (100.0, 10)
    costs.measure(RULES)  # nothing new came
    assert costs.costs[LISTENER.id].events == 10
    costs.keep([])
    assert costs.costs == {}


def test_the_sample_is_bounded_and_the_mean_follows_the_stream() -> None:
    ticks = count(0, 1_000)
    costs = RuleCosts(lambda: next(ticks))
    costs.saw(events(100_000))
    costs.measure(RULES)
    assert costs.costs[LISTENER.id].events <= SAMPLE_EVENTS
    for _ in range(2 * MEMORY_EVENTS // SAMPLE_EVENTS):
        costs.saw(events(SAMPLE_EVENTS))
        costs.measure(RULES)
    assert costs.costs[LISTENER.id].events <= MEMORY_EVENTS + SAMPLE_EVENTS


def test_a_round_ends_with_its_budget_and_the_next_goes_on() -> None:
    ticks = count(0, 20_000_000)
    costs = RuleCosts(lambda: next(ticks))
    costs.saw(events(3))
    twins = [LISTENER, RULES[0]]
    costs.measure(twins)
    first = costs.costs[LISTENER.id].events
    costs.measure(twins)
    assert (first, costs.costs[LISTENER.id].events) == (3, 6)
