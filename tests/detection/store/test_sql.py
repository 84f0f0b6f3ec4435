"""SQL and the matcher agree: on every random condition over every random event."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from detection.condition import Always, Atom, Condition, Keyword, Operator, all_of, any_of, negated
from detection.evaluate import matches
from detection.store.event_file import table_of
from detection.store.sql import compiled_sql, like_pattern
from sensors.event import Event, LogSource, Observation, Value, stamp

NAMES = ["process.name", "user.name", "source.ip", "Image", "n", "odd 'name\"$."]
TEXTS = ["", "a", "A", "ß", "SS", "İ", "nc", "/bin/NC", "张三", "50%", "a_b", "\\", "x*y", "a\x00b", "\n"]
texts = st.one_of(
    st.sampled_from(
        [
            *TEXTS,
            "true",
            "10",
            "1e3",
            "-0.5",
            "10.0.0.8",
            "10.0.0.08",
            "10.0.0.256",
            "192.168.200.7",
            "10.0.0.9%z",
            "::ffff:10.0.0.9",
            "fe80::1%eth0",
        ]
    ),
    st.text(alphabet="aAbBß%_*?\\/.", max_size=4),
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    texts,
    st.integers(-(2**70), 2**70),
    st.sampled_from([0, 1, 10, 1.0, 1e3, 0.5, -0.0, 1e300, 2**53 + 1]),
)
values = st.one_of(scalars, st.lists(scalars, max_size=3))
bodies = st.dictionaries(st.sampled_from(NAMES), values, max_size=4)
EXACT: list[Operator] = ["equals", "contains", "startswith", "endswith", "wildcard"]


@st.composite
def atoms(draw: st.DrawFn) -> Condition:
    field = draw(st.sampled_from(NAMES))
    operator = draw(
        st.sampled_from(
            [*EXACT, *EXACT, "exists", "null", "gt", "gte", "lt", "lte", "cidr", "regex", "field_equals"]
        )
    )
    if operator == "exists":
        return Atom(field, operator, draw(st.sampled_from([(), (True,), (False,)])))
    if operator == "null":
        return Atom(field, operator)
    if operator in ("gt", "gte", "lt", "lte"):
        limits = st.one_of(
            st.integers(-(2**70), 2**70), st.sampled_from([0, 0.5, 10, "10", "x", 2**53, 10**400])
        )
        return Atom(field, operator, tuple(draw(st.lists(limits, min_size=1, max_size=2))))
    if operator == "cidr":
        some = st.sampled_from(
            ["10.0.0.0/8", "10.0.0.0/29", "10.0.0.9", "0.0.0.0/0", "192.168.128.0/18", "fe80::/10"]
        )
        return Atom(field, operator, tuple(draw(st.lists(some, min_size=1, max_size=2))))
    if operator == "regex":
        return Atom(field, operator, ("^[aA]",))
    if operator == "field_equals":
        return Atom(field, operator, (draw(st.sampled_from(NAMES)),))
    wanted = tuple(draw(st.lists(texts, min_size=1, max_size=3)))
    return Atom(field, operator, wanted, cased=draw(st.booleans()))


@st.composite
def keywords(draw: st.DrawFn) -> Condition:
    operator = draw(st.sampled_from(["contains", "wildcard"]))
    return Keyword(operator, (draw(texts),), cased=draw(st.booleans()))


conditions = st.recursive(
    st.one_of(atoms(), atoms(), keywords(), st.builds(Always, st.booleans())),
    lambda inner: st.one_of(
        st.builds(all_of, st.lists(inner, min_size=1, max_size=3)),
        st.builds(any_of, st.lists(inner, min_size=1, max_size=3)),
        st.builds(negated, inner),
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as connection:
        yield connection


def event(number: int, fields: dict[str, Value], native: dict[str, Value]) -> Event:
    seen = Observation(
        time=datetime(2026, 11, 22, tzinfo=UTC), logsource=LogSource(), fields=fields, native=native
    )
    return stamp(seen, unit="u", sensor="s", epoch=1, sequence=number)


def selected(
    database: duckdb.DuckDBPyConnection, condition: Condition, events: list[Event]
) -> tuple[set[str], set[str], bool]:
    table = table_of(events)
    database.register("events", table)
    sql = compiled_sql(condition)
    rows = database.execute(f"SELECT id FROM events WHERE {sql.text}", sql.parameters).fetchall()
    text, parameters = sql.sure
    sure = database.execute(f"SELECT id FROM events WHERE {text}", parameters).fetchall()
    database.unregister("events")
    return {row[0] for row in rows}, {row[0] for row in sure}, sql.exact


@settings(max_examples=60, deadline=None)
@given(
    condition=conditions,
    bodies=st.lists(st.tuples(bodies, bodies), min_size=1, max_size=12),
)
def test_sql_answers_as_the_matcher(
    database: duckdb.DuckDBPyConnection,
    condition: Condition,
    bodies: list[tuple[dict[str, Value], dict[str, Value]]],
) -> None:
    events = [event(number, *body) for number, body in enumerate(bodies)]
    wanted = {one.id for one in events if matches(condition, one)}
    found, sure, exact = selected(database, condition, events)
    assert sure <= wanted <= found
    if exact:
        assert wanted == found


@settings(max_examples=60, deadline=None)
@example(atom=Atom("a", "wildcard", ("\\0",)), found=["0", "\\0"])
@given(
    atom=st.builds(
        Atom,
        st.just("a"),
        st.sampled_from(EXACT),
        st.lists(st.text(max_size=6), min_size=1, max_size=3).map(tuple),
    ),
    found=st.lists(st.text(max_size=8), min_size=1, max_size=6),
)
def test_text_operators_agree_on_any_text(
    database: duckdb.DuckDBPyConnection, atom: Atom, found: list[str]
) -> None:
    events = [event(number, {"a": text}, {}) for number, text in enumerate(found)]
    ids, _, exact = selected(database, atom, events)
    assert exact
    assert ids == {one.id for one in events if matches(atom, one)}


def test_what_is_exact_and_what_is_left_to_the_matcher() -> None:
    assert compiled_sql(Atom("a", "equals", ("x",))).exact
    assert not compiled_sql(Atom("a", "equals", ("x",), cased=True)).exact
    assert not compiled_sql(Atom("a", "gt", (1,))).exact
    inexact = compiled_sql(negated(Atom("a", "regex", ("x",))))
    assert (inexact.text, inexact.exact) == ("NOT (FALSE)", False)
    assert not compiled_sql(Atom("a", "contains", tuple(str(n) for n in range(65)))).exact


def test_like_patterns() -> None:
    assert like_pattern(r"50%_\**?\\") == r"50\%\_*%_\\"
    assert like_pattern("end\\") == "end\\\\"
    assert like_pattern(r"C:\Win_\*") == r"C:\\Win\_*"


def test_values_never_become_sql(tmp_path: Path) -> None:
    sql = compiled_sql(Atom("x'; DROP TABLE t; --", "contains", ("') OR 1=1 --",)))
    assert "DROP" not in sql.text
    assert "1=1" not in sql.text
