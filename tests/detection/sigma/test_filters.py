"""Filters: joined to the rules they name and no others, unknown names told."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from detection.evaluate import explain, matches
from detection.sigma.filters import filtered
from detection.sigma.load import load_all
from sensors.event import Event, LogSource, Observation, stamp

RULE = """title: Rule {name}
id: 00000000-0000-4000-8000-00000000000{number}
name: {name}
logsource: {{product: linux, category: {category}}}
detection:
    selection: {{Image|endswith: '/sh'}}
    condition: selection
---
"""
FILTER = """title: Known users
logsource: {{product: linux, category: process_creation}}
filter:
    rules: {rules}
    selection:
        User|startswith: 'adm_'
    condition: {condition}
"""
RULES = (
    RULE.format(name="a", number=0, category="process_creation")
    + RULE.format(name="b", number=1, category="process_creation")
    + RULE.format(name="c", number=2, category="file_event")
)


def write(folder: Path, text: str) -> Path:
    path = folder / "rules.yml"
    path.write_text(text, encoding="utf-8")
    return path


def event(user: str) -> Event:
    seen = Observation(
        time=datetime(2026, 1, 1, tzinfo=UTC),
        logsource=LogSource(product="linux", category="process_creation"),
        fields={},
        native={"Image": "/bin/sh", "User": user},
    )
    return stamp(seen, unit="u", sensor="s", epoch=0, sequence=1)


@pytest.mark.parametrize(
    ("rules", "silenced"),
    [
        ("[a]", ["a"]),
        ("b", ["b"]),
        ("[a, 00000000-0000-4000-8000-000000000001]", ["a", "b"]),
        ("any", ["a", "b"]),
        ("[]", ["a", "b"]),
        ("[a, c]", ["a"]),  # c has another log source
    ],
)
def test_a_filter_joins_the_rules_it_names(tmp_path: Path, rules: str, silenced: list[str]) -> None:
    text = RULES + FILTER.format(rules=rules, condition="not selection")
    plain = {rule.name: rule for rule in load_all([write(tmp_path, RULES)]).rules}
    loaded = load_all([write(tmp_path, text)])
    assert loaded.errors == ()
    quiet = [rule.name for rule in loaded.rules if not matches(rule.condition, event("adm_li"))]
    assert quiet == silenced
    assert all(matches(rule.condition, event("zhang")) for rule in loaded.rules)
    for rule in loaded.rules:
        assert (rule.condition != plain[rule.name].condition) is (rule.name in silenced)


def test_a_joined_rule_says_so_in_its_digest_and_explanation(tmp_path: Path) -> None:
    plain = load_all([write(tmp_path, RULES)])
    known = FILTER.format(rules="any", condition="selection")
    joined = load_all([write(tmp_path, RULES + known)])
    assert plain.rules[0].digest != joined.rules[0].digest
    assert {match.field for match in explain(joined.rules[0].condition, event("adm_li"))} == {"Image", "User"}


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("rules: [a]", "rules: [nosuch]", "rule-reference", 27),
        ("    rules: [a]\n", "", "rule-malformed", 27),
        ("condition: selection", "condition: nosuch", "rule-malformed", 31),
        ("    condition: selection\n", "", "rule-malformed", 27),
        ("User|startswith", "User|nosuch", "rule-malformed", 30),
        ("logsource: {product: linux, category: process_creation}\nfilter", "filter", "rule-malformed", 25),
    ],
)
def test_a_filter_that_cannot_be_used_is_told(
    tmp_path: Path, old: str, new: str, code: str, line: int
) -> None:
    text = RULES + FILTER.format(rules="[a]", condition="selection").replace(old, new)
    loaded = load_all([write(tmp_path, text)])
    (error,) = loaded.errors
    assert (error.code, error.line) == (code, line)
    assert len(loaded.rules) == 3


def test_nothing_to_join_changes_nothing(tmp_path: Path) -> None:
    rules = load_all([write(tmp_path, RULES)]).rules
    assert filtered(rules, []) == (list(rules), [])
