"""Correlation documents: every form of Sigma 2.1 and 2.2 is read, all else is refused with its line."""

from pathlib import Path

import pytest

from crypto.words import Words
from detection.correlation.rule import Alternative, Correlation, Limit
from detection.sigma.correlations import silent_rules
from detection.sigma.load import Loaded, load_all, load_rules

SPECIFICATION = Path(__file__).resolve().parents[4] / "shared" / "data" / "sigma" / "specification"
RULE = """title: Rule {name}
id: 00000000-0000-4000-8000-00000000000{number}
name: {name}
logsource: {{product: linux}}
detection:
    selection: {{Image: '{name}'}}
    condition: selection
"""
HEAD = """title: Many
id: 5b9c7a3e-8f10-4d7b-9a55-0f7f3f5c9c11
level: high
tags: [attack.t1110]
liuhe: {title_zh: 多次失败, entity: user, clauses: [8.1.4.1], reason: {zh: '{count} 次', en: '{count} times'}}
correlation:
"""


def load(tmp_path: Path, section: str, *, rules: int = 3, head: str = HEAD) -> Loaded:
    for number, name in enumerate("abcdefgh"[:rules]):
        (tmp_path / f"{name}.yml").write_text(RULE.format(name=name, number=number), encoding="utf-8")
    indented = "".join(f"    {line}\n" for line in section.splitlines())
    (tmp_path / "correlation.yml").write_text(head + indented, encoding="utf-8")
    return load_all([tmp_path])


def one(tmp_path: Path, section: str) -> Correlation:
    loaded = load(tmp_path, section)
    assert [str(error) for error in loaded.errors] == []
    (found,) = loaded.correlations
    return found


def ids(*numbers: int) -> tuple[str, ...]:
    return tuple(f"00000000-0000-4000-8000-00000000000{number}" for number in numbers)


def test_a_correlation_carries_what_alerts_need(tmp_path: Path) -> None:
    found = one(
        tmp_path,
        "type: event_count\nrules: [a, 00000000-0000-4000-8000-000000000001]\n"
        "group-by: [user.name, host.name]\ntimespan: 10m\ncondition: {gte: 5}",
    )
    assert found.title == Words("多次失败", "Many")
    assert (found.level, found.attack, found.clauses, found.entity) == (
        "high",
        ("T1110",),
        ("8.1.4.1",),
        "user",
    )
    assert found.reason == Words("{count} 次", "{count} times")
    assert found.rules == ids(0, 1)
    assert found.labels == ("a", ids(1)[0])
    assert (found.kind, found.span_seconds, found.group_by) == (
        "event_count",
        600,
        ("user.name", "host.name"),
    )
    assert found.limits == (Limit("gte", 5),)
    assert found.rising
    assert found.line == 6


@pytest.mark.parametrize(
    ("section", "limits", "fields", "rising"),
    [
        (
            "type: event_count\nrules: a\ntimespan: 1h\ncondition: {gt: 2, lte: 9}",
            (("gt", 2), ("lte", 9)),
            (),
            False,
        ),
        (
            "type: value_count\nrules: a\ntimespan: 2d\ncondition: {gte: 3, field: u}",
            (("gte", 3),),
            ("u",),
            True,
        ),
        (
            "type: value_count\nrules: a\ntimespan: 1w\ncondition: {gte: 3, field: [u, v]}",
            (("gte", 3),),
            ("u", "v"),
            True,
        ),
        (
            "type: value_sum\nrules: a\ntimespan: 1h\ncondition: {gt: 0.5, field: n}",
            (("gt", 0.5),),
            ("n",),
            False,
        ),
        (
            "type: value_avg\nrules: a\ntimespan: 1h\ncondition: {neq: 4, field: n}",
            (("neq", 4),),
            ("n",),
            False,
        ),
        (
            "type: value_median\nrules: a\ntimespan: 90s\ncondition: {eq: 4, field: n}",
            (("eq", 4),),
            ("n",),
            False,
        ),
        ("type: temporal\nrules: [a, b]\ntimespan: 5m", (("gte", 2),), (), True),
        ("type: temporal\nrules: [a, b, c]\ntimespan: 5m\ncondition: {gte: 2}", (("gte", 2),), (), True),
    ],
)
def test_bounds_and_fields(
    tmp_path: Path, section: str, limits: tuple[tuple[str, float], ...], fields: tuple[str, ...], rising: bool
) -> None:
    found = one(tmp_path, section)
    assert [(limit.comparison, limit.value) for limit in found.limits] == list(limits)
    assert found.fields == fields
    assert found.rising is rising


def test_percentiles_aliases_and_generate(tmp_path: Path) -> None:
    found = one(
        tmp_path,
        "type: value_percentile\nrules: [a, b]\ntimespan: 1h\ngroup-by: address\ngenerate: true\n"
        "condition: {field: n, percentile: 95, gt: 10}\n"
        "aliases: {address: {a: source.ip, b: destination.ip}}",
    )
    assert found.percentile == 95
    assert found.generate
    assert found.aliases == {"address": dict(zip(ids(0, 1), ("source.ip", "destination.ip"), strict=True))}


@pytest.mark.parametrize(
    ("section", "alternatives", "rising"),
    [
        ("type: temporal_ordered\nrules: [b, a]\ntimespan: 5m", [((0, 1), ())], True),
        (
            "type: temporal_ordered\nrules: [a, b, c]\ntimespan: 5m\ncondition: {gt: 1}",
            [((0, 1), ()), ((0, 2), ()), ((1, 2), ())],
            True,
        ),
        ("type: temporal\ntimespan: 5m\ncondition: a and b", [((0, 1), ())], True),
        (
            "type: temporal_extended\nrules: [c, a, b]\ntimespan: 5m\ncondition: (a or b) and not c",
            [((1,), (0,)), ((2,), (0,))],
            False,
        ),
        (
            "type: temporal_ordered_extended\ntimespan: 5m\ncondition: (a or b) and c",
            [((0, 2), ()), ((1, 2), ())],
            True,
        ),
    ],
)
def test_temporal_forms(
    tmp_path: Path, section: str, alternatives: list[tuple[tuple[int, ...], tuple[int, ...]]], rising: bool
) -> None:
    found = one(tmp_path, section)
    assert list(found.alternatives) == [Alternative(*ways) for ways in alternatives]
    assert found.limits == ()
    assert found.rising is rising


def test_chains_come_inner_first_in_one_file_or_several(tmp_path: Path) -> None:
    text = (
        "title: Outer\nid: 11111111-0000-4000-8000-000000000000\ncorrelation:\n    type: temporal_ordered\n"
        "    rules: [inner, b]\n    timespan: 1h\n---\ntitle: Inner\nname: inner\ncorrelation:\n"
        "    type: event_count\n    rules: [a]\n    timespan: 1m\n    condition: {gte: 3}\n---\n"
    )
    for number, name in enumerate("ab"):
        text += RULE.format(name=name, number=number) + "---\n"
    path = tmp_path / "chain.yml"
    path.write_text(text, encoding="utf-8")
    loaded = load_all([path])
    assert loaded.errors == ()
    inner, outer = loaded.correlations
    assert (inner.title.en, outer.title.en) == ("Inner", "Outer")
    assert len(inner.id) == 32  # Sigma asks no id of a correlation
    assert outer.rules == (inner.id, ids(1)[0])
    assert silent_rules(loaded.correlations) == {inner.id, *ids(0, 1)}
    assert load_rules([path])[1] == []


def test_a_rule_stays_loud_where_one_correlation_says_generate(tmp_path: Path) -> None:
    quiet = one(tmp_path, "type: temporal\nrules: [a, b]\ntimespan: 5m")
    loud = one(tmp_path, "type: temporal\nrules: [b, c]\ntimespan: 5m\ngenerate: true")
    assert silent_rules([quiet, loud]) == set(ids(0))


@pytest.mark.parametrize(
    ("section", "code", "line"),
    [
        ("type: nosuch\nrules: a\ntimespan: 1h\ncondition: {gte: 1}", "rule-malformed", 7),
        ("type: event_count_extended\nrules: a\ntimespan: 1h\ncondition: {gte: 1}", "rule-malformed", 7),
        ("type: temporal_extended\nrules: a\ntimespan: 1h", "rule-malformed", 6),
        ("type: event_count\nrules: a\ntimespan: 1h", "rule-malformed", 6),
        ("type: event_count\nrules: a\ntimespan: 1h\ncondition: a", "rule-malformed", 10),
        ("type: event_count\nrules: []\ntimespan: 1h\ncondition: {gte: 1}", "rule-malformed", 8),
        ("type: event_count\nrules: [a, a]\ntimespan: 1h\ncondition: {gte: 1}", "rule-malformed", 8),
        ("type: event_count\nrules: a\ntimespan: 0h\ncondition: {gte: 1}", "rule-malformed", 6),
        ("type: event_count\nrules: a\ntimespan: 10y\ncondition: {gte: 1}", "rule-malformed", 9),
        ("type: event_count\nrules: a\ntimespan: 1h\ncondition: {gte: yes}", "rule-malformed", 10),
        ("type: event_count\nrules: a\ntimespan: 1h\ncondition: {gte: 1, field: x}", "rule-malformed", 10),
        (
            "type: event_count\nrules: a\ntimespan: 1h\ncondition: {gte: 1, percentile: 3}",
            "rule-malformed",
            10,
        ),
        ("type: event_count\nrules: a\ntimespan: 1h\ncondition: {gte: 1, nosuch: x}", "rule-malformed", 6),
        ("type: value_count\nrules: a\ntimespan: 1h\ncondition: {gte: 1}", "rule-malformed", 6),
        ("type: value_sum\nrules: a\ntimespan: 1h\ncondition: {gte: 1, field: [a, b]}", "rule-malformed", 10),
        (
            "type: value_percentile\nrules: a\ntimespan: 1h\ncondition: {gte: 1, field: a, percentile: 101}",
            "rule-malformed",
            10,
        ),
        ("type: temporal_ordered\nrules: [a, b]\ntimespan: 1h\ncondition: {lt: 2}", "rule-malformed", 10),
        ("type: temporal_ordered\nrules: [a, b]\ntimespan: 1h\ncondition: {gte: 3}", "rule-malformed", 10),
        ("type: temporal\nrules: [a, b]\ntimespan: 1h\ncondition: a and c", "rule-malformed", 10),
        ("type: temporal\nrules: [a, b]\ntimespan: 1h\ncondition: a and (b", "rule-malformed", 10),
        ("type: temporal\ntimespan: 1h\ncondition: not a", "rule-malformed", 9),
        ("type: event_count\nrules: nosuch\ntimespan: 1h\ncondition: {gte: 1}", "rule-reference", 6),
        (
            "type: temporal\nrules: [a, 00000000-0000-4000-8000-000000000000]\ntimespan: 1h",
            "rule-reference",
            6,
        ),
        (
            "type: temporal\nrules: [a, 5b9c7a3e-8f10-4d7b-9a55-0f7f3f5c9c11]\ntimespan: 1h",
            "rule-reference",
            6,
        ),
        ("type: temporal\nrules: [a, b]\ntimespan: 1h\ntimeframe: 1h", "rule-malformed", 6),
        ("type: temporal\nrules: [a, b]\ntimespan: 1h\ngroup-by: [x, x]", "rule-malformed", 10),
        ("type: temporal\nrules: [a, b]\ntimespan: 1h\naliases: {x: {nosuch: y}}", "rule-reference", 6),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_line(
    tmp_path: Path, section: str, code: str, line: int
) -> None:
    loaded = load(tmp_path, section)
    assert loaded.correlations == ()
    assert len(loaded.rules) == 3  # the others go on
    (error,) = loaded.errors
    assert (error.code, error.line) == (code, line)
    assert error.path.endswith("correlation.yml")
    assert error.fix.zh


def test_a_name_held_by_two_rules_is_ambiguous(tmp_path: Path) -> None:
    (tmp_path / "z.yml").write_text(RULE.format(name="a", number=9), encoding="utf-8")
    (error,) = load(tmp_path, "type: temporal\nrules: [a, b]\ntimespan: 1h").errors
    assert "several" in error.what.en


def test_the_examples_of_the_specification_load(tmp_path: Path) -> None:
    examples = sorted((SPECIFICATION / "examples" / "correlation").glob("*.yml"))
    if not examples:
        pytest.skip("the specification's examples are not at hand (../shared/data/sigma)")
    names = ["recon_cmd_a", "recon_cmd_b", "recon_cmd_c", "rule_a_id", "process_creation", "website_access"]
    text = "---\n".join(RULE.format(name=name, number=number) for number, name in enumerate(names))
    login = RULE.format(name="login", number=8).replace(ids(8)[0], "5638f7c0-ac70-491d-8465-2a65075e0d86")
    (tmp_path / "rules.yml").write_text(text + "---\n" + login, encoding="utf-8")
    for path in examples:
        loaded = load_all([tmp_path, path])
        assert [str(error) for error in loaded.errors] == []
        assert len(loaded.correlations) == 1, path
