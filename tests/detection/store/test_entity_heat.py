"""The risk of an entity is the sum of its groups that count, after every commit and every act."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select
from sqlalchemy.dialects import postgresql

from detection.alert import Alert
from detection.risk import points_of, summed
from detection.store.act import Act
from detection.store.act_store import AlertActs
from detection.store.alert_store import AlertStore
from detection.store.entity_heat import HARMLESS, groups_with_heat
from detection.store.group_query import GroupFilter
from detection.store.tables import alert_groups, entity_heats

MakeAlert = Callable[..., Alert]
HOST = "host:web-01"


def heats(engine: Engine) -> dict[str, float]:
    with engine.connect() as connection:
        return {row.entity_key: row.heat for row in connection.execute(select(entity_heats))}


def worked_out(engine: Engine) -> dict[str, float]:
    """The same from the groups alone."""
    found: dict[str, list[float]] = {}
    with engine.connect() as connection:
        for row in connection.execute(select(alert_groups)):
            counted = found.setdefault(row.entity_key, [])
            if row.classification not in HARMLESS:
                counted.append(row.heat)
    return {key: summed(some) for key, some in found.items()}


def test_an_alert_that_comes_twice_counts_once(
    engine: Engine, make_alert: MakeAlert, start: datetime
) -> None:
    store = AlertStore(engine)
    raised = [make_alert(1), make_alert(2), make_alert(3, rule="rule-2", severity="medium")]
    store.commit(raised[:2], [], 1, start)
    store.commit(raised, [], 2, start)
    first = heats(engine)
    assert first == worked_out(engine)
    for _ in range(3):  # as after a kill: the same events lead to the same alerts
        store.commit(raised, [], 2, start + timedelta(hours=1))
    assert heats(engine) == first
    page = store.queue(GroupFilter(folded=True), start)
    assert {points_of(row.entity_heat, start) for row in page.rows} == {37}  # 25 twice as one group, and 10
    assert len(page.rows) == 2


def test_what_is_closed_as_harmless_counts_no_more(
    engine: Engine, make_alert: MakeAlert, start: datetime
) -> None:
    store, acts = AlertStore(engine), AlertActs(engine)
    store.commit([make_alert(1), make_alert(2, rule="rule-2", severity="medium")], [], 1, start)

    def risk() -> int:
        return points_of(heats(engine)[HOST], start)

    high = next(row.id for row in store.page().rows if row.severity == "high")
    assert risk() == 35
    store.acknowledge(high, "user:li", start)
    assert risk() == 35
    closing = Act(action="close", classification="false_positive", reason="巡检脚本")
    _, number = acts.single(closing, high, "user:li", start)
    assert risk() == 10
    acts.undo(number, "user:li", start)
    assert risk() == 35
    for classification in ("benign_positive", "test"):
        store.close(high, "user:li", classification, "drill", start)
        assert risk() == 10
        store.reopen(high, "user:li", start)
        assert risk() == 35
    store.close(high, "user:li", "true_positive", "attacked", start)
    assert risk() == 35  # what was true fades, it does not end
    assert heats(engine) == worked_out(engine)


def test_many_at_once_merged_asleep_and_split(engine: Engine, make_alert: MakeAlert, start: datetime) -> None:
    store, acts = AlertStore(engine), AlertActs(engine)
    raised = [make_alert(n, rule=f"rule-{n % 7}", entity=f"host:{n % 30}") for n in range(210)]
    store.commit(raised, [], 1, start)
    first = heats(engine)
    rows = store.queue(GroupFilter(folded=True, q="host:3"), start).rows
    assert len(rows) == 7
    acts.begin(Act(action="merge", into=rows[0].id), [row.id for row in rows[1:]], "user:li", start)
    acts.begin(Act(action="snooze", until=start + timedelta(hours=1)), [rows[0].id], "user:li", start)
    assert heats(engine) == first == worked_out(engine)
    closing = Act(action="close", classification="test", reason="drill")
    record = acts.begin(closing, GroupFilter(folded=True), "user:li", start)
    while acts.work(start):
        pass
    assert acts.record(record.id).done == 203
    assert {key for key, heat in heats(engine).items() if heat} == {"host:3"}  # asleep, not closed
    acts.begin(closing, [rows[0].id], "user:li", start)  # and those merged into it
    assert set(heats(engine).values()) == {0.0}
    acts.undo(record.id, "user:li", start)
    while acts.work(start):
        pass
    assert heats(engine) == worked_out(engine)


def test_units_are_kept_apart(engine: Engine, make_alert: MakeAlert, start: datetime) -> None:
    import msgspec

    here = make_alert(1)
    there = msgspec.structs.replace(make_alert(2), unit="elsewhere", group="f" * 32)
    AlertStore(engine).commit([here, there], [], 1, start)
    rows = AlertStore(engine).page().rows
    assert {row.unit: points_of(row.entity_heat, start) for row in rows} == {here.unit: 25, "elsewhere": 25}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.integers(0, 60), max_size=12), max_size=6), st.integers(0, 3))
def test_any_batches_lead_to_the_same(
    engine: Engine, make_alert: MakeAlert, start: datetime, batches: list[list[int]], closing: int
) -> None:
    store = AlertStore(engine)
    for place, batch in enumerate(batches):
        raised = [make_alert(n, rule=f"rule-{n % 3}", entity=f"host:{n % 4}") for n in batch]
        store.commit(raised, [], None, start)
        for row in store.page(state="new").rows[: closing if place % 2 else 0]:
            store.close(row.id, "user:li", "false_positive", "known", start)
    assert heats(engine) == pytest.approx(worked_out(engine), rel=1e-12)


def test_the_statement_is_one_for_both_databases() -> None:
    said = str(groups_with_heat().compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
    assert "entity_heats.entity_key = alert_groups.entity_key" in said
    assert said.count("FROM alert_groups") == 1
