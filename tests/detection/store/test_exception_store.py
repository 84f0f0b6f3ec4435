"""Exceptions kept, changed, counted; what they hold back is durable with the batch."""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
import pytest
from sqlalchemy import Engine

from crypto.words import Refused, Words
from detection.alert import Alert
from detection.exceptions import Exemption, Withheld
from detection.store.alert_store import AlertStore
from detection.store.exception_store import EXAMPLES_MAX, ExceptionStore


def exemption(start: datetime, **changed: object) -> Exemption:
    one = Exemption(
        kind="exception",
        title="备份",
        rules=("rule-1",),
        unit="nanjing",
        units=("nanjing", "xuanwu"),
        condition="process.name:nc",
        reason="已核实",
        owner="zhang",
        asked=start,
        asked_by="user:zhang",
        begins=start,
        expires=start + timedelta(days=30),
        state="active",
        grave=(Words("重要", "grave"),),
        expected={"alerts": 3},
    )
    return msgspec.structs.replace(one, **changed)


def test_an_exception_comes_back_as_it_was_asked(engine: Engine, start: datetime) -> None:
    store = ExceptionStore(engine)
    kept = store.ask(exemption(start), start)
    assert kept == msgspec.structs.replace(exemption(start), id=kept.id)
    assert store.get(kept.id) == kept
    assert (store.page(units=["nanjing"]), store.page(units=["suzhou"])) == ([kept], [])
    assert (store.page(units=None, rule="rule-1"), store.page(units=None, rule="rule")) == ([kept], [])
    with pytest.raises(Refused, match="exception-not-found"):
        store.get(kept.id + 1)


def test_only_what_is_active_and_not_over_is_in_force(engine: Engine, start: datetime) -> None:
    store = ExceptionStore(engine, lambda: frozenset({"db-01"}))
    assert store.in_force(start).protected == frozenset()
    kept = store.ask(exemption(start), start)
    store.ask(exemption(start, state="waiting"), start)
    force = store.in_force(start)
    assert list(force.exemptions) == [kept]
    assert (set(force.protected), force.revision) == ({"db-01"}, store.revision())
    assert store.in_force(start + timedelta(days=40)).exemptions == ()


def test_each_change_is_logged_with_what_it_became(engine: Engine, start: datetime) -> None:
    store = ExceptionStore(engine)
    kept = store.ask(exemption(start), start)

    def end(one: Exemption) -> Exemption:
        return msgspec.structs.replace(one, state="ended", note="误配")

    before = store.revision()
    assert store.change(kept.id, "ended", "user:li", "误配", start, end).state == "ended"
    assert store.revision() > before
    assert [(one.action, one.actor, one.note) for one in store.history(kept.id)] == [
        ("asked", "user:zhang", "已核实"),
        ("ended", "user:li", "误配"),
    ]
    assert [one.number for one in store.since(1)] == [2]
    assert msgspec.json.decode(store.since(1)[0].body)["state"] == "ended"


def test_a_refused_change_leaves_nothing(engine: Engine, start: datetime) -> None:
    store = ExceptionStore(engine)
    kept = store.ask(exemption(start), start)

    def refuse(one: Exemption) -> Exemption:
        raise Refused("exception-state", Words("不", "no"), Words("", ""))

    with pytest.raises(Refused):
        store.change(kept.id, "ended", "user:li", "x", start, refuse)
    assert [one.action for one in store.history(kept.id)] == ["asked"]


def test_what_is_held_back_is_counted_by_the_hour_and_the_last_kept_whole(
    engine: Engine, start: datetime, make_alert: Callable[..., Alert]
) -> None:
    store, alerts = ExceptionStore(engine), AlertStore(engine)
    kept = store.ask(exemption(start), start)
    held = [make_alert(3_000 * n) for n in range(1, 4)]
    first = [Withheld(exception=kept.id, alert=one) for one in held]
    alerts.commit([], [], 1, start, withheld=first)
    alerts.commit([], [], 2, start, withheld=[Withheld(exception=kept.id, alert=make_alert(3_001))])
    seen = store.held([kept.id], start)[kept.id]
    assert (seen.total, seen.recent, seen.last) == (4, 4, start + timedelta(hours=2))
    assert list(store.held_per_hour(kept.id, start).values()) == [2, 1, 1]
    assert store.held([kept.id], start + timedelta(hours=2))[kept.id].recent == 1
    assert (store.held_since(start), store.held_since(start, ["suzhou"])) == (4, 0)
    assert [one.id for one in store.examples(kept.id)] == [
        one.id for one in (held[2], held[1], make_alert(3_001), held[0])
    ]
    assert alerts.page(state="all").total == 0


def test_examples_are_bounded(engine: Engine, start: datetime, make_alert: Callable[..., Alert]) -> None:
    store = ExceptionStore(engine)
    kept = store.ask(exemption(start), start)
    for part in range(2):
        held = [make_alert(n + part * 80) for n in range(80)]
        withheld = [Withheld(exception=kept.id, alert=one) for one in held]
        AlertStore(engine).commit([], [], None, start, withheld=withheld)
    found = store.examples(kept.id)
    assert (len(found), found[0].id) == (EXAMPLES_MAX, make_alert(159).id)
    assert store.held([kept.id], start)[kept.id].total == 160
