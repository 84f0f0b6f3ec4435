"""The fast matcher gives the verdicts of a plain reading: any conditions, any events, any batches."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detection.condition import Always, And, Atom, Condition, Keyword, Not, Or
from detection.evaluate import explain, matches
from detection.facts import ABSENT, Facts
from detection.matcher.matcher import Matcher
from detection.matcher.quick import HOT, quick
from sensors.event import Event, LogSource

Holds = Callable[[Condition, Any], bool]
FIELDS = ("a", "b", "c.d")
TEXTS = st.one_of(
    st.sampled_from(
        [
            "",
            "x",
            "xy",
            "XY",
            "yx",
            "a\\b.exe",
            "\\b.EXE",
            "ß",
            "SS",
            "1",
            "1.0",
            "01",
            "true",
            "é\0x",
            "*",
            "?",
            ABSENT,
        ]
    ),
    st.text(alphabet="xyXY*?\\.ıſK\0", max_size=6),
)
NETWORKS = st.sampled_from(["10.0.0.0/8", "10.1.2.3/32", "fd00::/8", "0.0.0.0/0"])
ADDRESSES = st.sampled_from(["10.1.2.3", "fd00::1", "::ffff:10.1.2.3", "fe80::1%eth0", "10.1.2", "11.0.0.1"])
REGEXES = st.sampled_from(["x+y", "^x", "y$", "(?i)XY", "(?s)x.y", "[0-9]", "", "^$"])
TIMES = st.sampled_from(
    [
        "2026-11-22T04:05:06Z",
        "2026-11-22T23:59:00+08:00",
        "2021-01-01 00:00:00",
        "1700000000",
        "1700000000000",
    ]
)
PARTS = [("minute", 5), ("hour", 15), ("hour", 4), ("day", 22), ("week", 53), ("month", 11), ("year", 2023)]
SCALARS = st.one_of(
    TEXTS,
    ADDRESSES,
    TIMES,
    st.none(),
    st.booleans(),
    st.integers(-2, 12),
    st.sampled_from([0.5, 1.0, -0.0, 1e-7, 1e22, 10**50, 1e300]),
)
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=3))


def values_of(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(inner, min_size=1, max_size=3, unique=True).map(tuple)


NAMES = st.sampled_from(FIELDS)
SHAPES = ["equals", "contains", "startswith", "endswith", "wildcard"]
COMPARED = st.one_of(st.integers(-2, 12), st.sampled_from([0.5, "3"]))
LEAVES: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Always, st.booleans()),
    st.builds(Atom, NAMES, st.sampled_from(SHAPES), values_of(TEXTS), st.booleans()),
    st.builds(Atom, NAMES, st.just("regex"), values_of(REGEXES)),
    st.builds(Atom, NAMES, st.just("cidr"), values_of(NETWORKS)),
    st.builds(Atom, NAMES, st.sampled_from(["gt", "gte", "lt", "lte"]), values_of(COMPARED)),
    st.builds(Atom, NAMES, st.just("exists"), st.tuples(st.booleans())),
    st.builds(Atom, NAMES, st.just("null")),
    st.sampled_from(PARTS).flatmap(
        lambda part: st.builds(Atom, NAMES, st.just(part[0]), st.just((part[1],)))
    ),
    st.builds(
        Atom,
        NAMES,
        st.sampled_from(["field_equals", "field_contains", "field_startswith", "field_endswith"]),
        values_of(NAMES),
        st.booleans(),
    ),
    st.builds(
        Keyword,
        st.sampled_from(["contains", "wildcard"]),
        values_of(TEXTS.filter(lambda text: text.strip("*") != "")),
        st.booleans(),
    ),
    st.builds(Keyword, st.just("regex"), values_of(REGEXES)),
)
CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=8,
)
TABLES = st.dictionaries(NAMES, VALUES, max_size=3)


def event(native: Mapping[str, Any], ecs: Mapping[str, Any], number: int = 0) -> Event:
    return Event(
        id=f"{number:040x}",
        time=datetime(2026, 1, 1, tzinfo=UTC),
        unit="u",
        sensor="s",
        logsource=LogSource(),
        fields=dict(ecs),
        native=dict(native),
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(CONDITIONS, min_size=1, max_size=6), st.lists(st.tuples(TABLES, TABLES), max_size=8))
def test_verdicts_are_those_of_the_plain_reading(
    holds: Holds, conditions: list[Condition], tables: list[tuple[dict[str, Any], dict[str, Any]]]
) -> None:
    events = [event(native, ecs) for native, ecs in tables] * 2
    wanted = [tuple(i for i, one in enumerate(conditions) if holds(one, each)) for each in events]
    assert Matcher(conditions).match(events) == wanted
    assert Matcher(conditions, indexed=False).match(events) == wanted
    assert Matcher(conditions, remembers=False).match(events) == wanted
    made = [quick(one) for one in conditions]
    assert [tuple(i for i, one in enumerate(made) if one(Facts(each))) for each in events] == wanted
    single = Matcher(conditions)
    assert [answer for one in events for answer in single.match([one])] == wanted
    for each, answer in zip(events, wanted, strict=True):
        for index, condition in enumerate(conditions):
            assert bool(explain(condition, each)) is matches(condition, each) is (index in answer)


@settings(max_examples=60, deadline=None)
@given(LEAVES, st.lists(VALUES, min_size=1, max_size=4))
def test_every_operator_alone(holds: Holds, leaf: Condition, values: list[Any]) -> None:
    events = [event({"a": value}, {"b": values[0]}) for value in values]
    events += [event({}, {"a": value, "c.d": values[0]}) for value in values] + [event({}, {})]
    wanted = [(0,) if holds(leaf, each) else () for each in events]
    assert Matcher([leaf]).match(events) == wanted
    made = quick(leaf)
    assert [(0,) if made(Facts(each)) else () for each in events] == wanted


@pytest.mark.parametrize("size", [1, 7, 2_048])
def test_the_cut_into_batches_changes_nothing(holds: Holds, size: int) -> None:
    conditions: list[Condition] = [
        Atom("Image", "endswith", ("\\cmd.exe", "\\sh.exe")),
        And((Atom("Image", "endswith", ("\\cmd.exe",)), Atom("CommandLine", "contains", ("/c ",)))),
        Not(Atom("User", "equals", ("root",))),
        Keyword("contains", ("secret",)),
        Atom("port", "gte", (1_000,)),
    ]
    events = [
        event(
            {"Image": f"C:\\{name}.exe", "CommandLine": f"{name} {flag} {n % 50}"},
            {"port": n % 3 * 700, "User": "root" if n % 5 else "SECRETary"},
        )
        for n in range(600)
        for name, flag in (("cmd", "/C"), ("sh", "-c"), ("notepad", ""))
    ]
    matcher = Matcher(conditions)
    found = [
        answer
        for start in range(0, len(events), size)
        for answer in matcher.match(events[start : start + size])
    ]
    wanted = [tuple(i for i, one in enumerate(conditions) if holds(one, each)) for each in events]
    assert found == wanted


def test_one_is_not_true_and_a_repeated_event_is_not_asked_as_another() -> None:
    matcher = Matcher([Atom("a", "equals", ("true",)), Atom("a", "equals", ("1",))])
    events = [event({"a": value}, {}) for value in (1, True, 1.0, "1", "true", [True], [1], False, 0)]
    wanted = [(1,), (0,), (1,), (1,), (0,), (0,), (1,), (), ()]
    assert matcher.match(events) == wanted
    assert [matcher.match([one])[0] for one in events] == wanted


def test_equal_values_under_other_names_are_other_events() -> None:
    matcher = Matcher([Atom("a", "equals", ("x",)), Atom("b", "equals", ("x",))])
    assert matcher.match([event({"a": "x"}, {}), event({"b": "x"}, {}), event({"a": "x"}, {})]) == [
        (0,),
        (1,),
        (0,),
    ]


def test_what_is_asked_needs_no_event() -> None:
    record = SimpleNamespace(native={"a": "xyz"}, fields={})
    assert Matcher([Atom("a", "contains", ("Y",)), Keyword("contains", ("Z",))]).match([record]) == [(0, 1)]


def test_a_test_used_often_gives_the_same_verdicts(holds: Holds) -> None:
    condition = And(
        (
            Or(
                (
                    Atom("a", "contains", tuple(f"needle{n}" for n in range(20))),
                    Atom("a", "equals", ("x", "y")),
                )
            ),
            Not(Atom("b", "endswith", (".exe", ".dll"))),
        )
    )
    events = [
        event(
            {"a": f"Needle{n}" if n % 3 else ["x", n]},
            {"b": ["q.exe", "r"] if n % 7 == 0 else f"{n}.DLL"[n % 5 :]},
        )
        for n in range(3 * HOT)
    ]
    matcher = Matcher([condition], remembers=False)
    for each in events:
        assert matcher.match([each]) == [(0,) if holds(condition, each) else ()]


def test_a_condition_too_deep_for_an_expression_takes_the_plain_test(holds: Holds) -> None:
    condition: Condition = Atom("a", "equals", ("x",))
    for _ in range(70):
        condition = Not(Or((condition, Atom("b", "equals", ("y",)))))
    for each in (event({"a": "x"}, {}), event({"b": "y"}, {}), event({}, {})):
        assert quick(condition)(Facts(each)) is holds(condition, each)
