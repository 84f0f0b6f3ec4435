"""Routing by log source, and what a rule says of every alert."""

import pytest

from crypto.words import Words
from detection.condition import Always
from detection.sigma.rule import Rule, routes
from sensors.event import LogSource

SYSMON = LogSource(product="windows", category="registry_set", service="sysmon")


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        (LogSource(), True),
        (LogSource(product="windows"), True),
        (LogSource(product="windows", category="registry_event"), True),
        (LogSource(product="linux", category="registry_event"), False),
        (LogSource(category="registry_add"), False),
        (LogSource(service="security"), False),
    ],
)
def test_routes(wanted: LogSource, taken: bool) -> None:
    assert routes(wanted, SYSMON) is taken


def test_the_claim_carries_rule_level_techniques_and_clauses() -> None:
    rule = Rule(
        id="r",
        path="r.yml",
        line=1,
        title=Words("题", "Title"),
        description=Words("", ""),
        level="low",
        logsource=SYSMON,
        condition=Always(True),
        entity="host",
        attack=("T1112",),
        clauses=("8.1.4.3",),
    )
    said = rule.claim()
    assert (said.rule, said.detector, said.severity) == ("r", "sigma", "low")
    assert (said.attack, said.clauses) == (("T1112",), ("8.1.4.3",))
