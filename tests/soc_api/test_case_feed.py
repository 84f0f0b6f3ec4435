"""Tests of soc_api.case_feed: what programs are told of incidents, notices and orders, and what not."""

import json
from datetime import timedelta
from typing import Any

import pytest
from filled_center import an_order

from compliance.incident_desk import NewIncident
from compliance.notice_acts import Draft
from compliance.registry import GradedSystem, Unit
from compliance.registry_store import RegistryStore
from crypto.words import BadInput
from soc_api.case_feed import CaseFeed, CaseQuery

OWN, BELOW = "320000-local", "320000-a"


@pytest.fixture(name="feed")
def _feed(world: Any) -> CaseFeed:
    system = GradedSystem(id="local", unit=OWN, name="本机", level=3, grade="S3A3G3")
    RegistryStore(world.engine).register(system, unit_name="省数据局", now=world.now)
    world.registry.registry.put_unit(Unit(code=BELOW, name="下属单位", parent=OWN), world.now, "user:a")
    return CaseFeed(world.casework.acts, lambda _system: OWN)


def incident(world: Any, **given: Any) -> Any:
    order = NewIncident(title="张三的终端", unit=OWN, category="attack", **given)
    return world.casework.incidents.open(order, "user:li", world.now)


def seen(feed: CaseFeed, place: int = 0) -> list[tuple[str, str, str, str]]:
    found, _ = feed.after(place)
    return [(one.event, one.data["act"], one.data["step"], one.data["state"]) for one in found]


def test_an_incident_is_opened_changes_and_is_overdue(world: Any, feed: CaseFeed) -> None:
    made = incident(world, grade=2, discovered=world.now)
    world.casework.incidents.note(made.number, "电话核实", None, "user:li", world.now)
    world.casework.incidents.step(made.number, "accept", "", "user:li", world.now)
    world.casework.work(world.now + timedelta(hours=3))  # 50 %: a matter of its owner
    world.casework.work(world.now + timedelta(hours=5))
    assert seen(feed) == [
        ("incidents", "opened", "opened", "open"),
        ("incidents", "changed", "accept", "handling"),
        ("incidents", "overdue", "reminded", "handling"),
    ]
    (first, *_), place = feed.after(0)
    assert (first.about, first.data["grade"], first.units) == (made.number, 2, frozenset({OWN}))
    assert "张三" not in json.dumps(first.data, default=str)
    assert "user:" not in json.dumps(first.data, default=str)
    assert feed.after(place) == ([], place)
    assert feed.last() == place


def test_a_notice_is_told_of_once_it_is_out_to_the_issuer_and_each_receiver(
    world: Any, feed: CaseFeed
) -> None:
    desk = world.casework.notices
    draft = Draft(kind="rectification", title="限期整改", text="请于十日内整改完毕。", receivers=(BELOW,))
    made = desk.draft(draft, OWN, "user:a", world.now)
    for step, actor in (("submit", "user:a"), ("approve", "user:b")):
        desk.step(made.id, step, "", actor, world.now)
    assert seen(feed) == []
    desk.step(made.id, "issue", "", "user:c", world.now)
    desk.receipt(made.id, BELOW, "sign", "", "user:d", world.now)
    desk.work(world.now + timedelta(days=60))
    found, _ = feed.after(0)
    everybody = [one for one in found if one.within(None)]
    assert [(one.data["act"], one.data["receiver"]) for one in everybody] == [
        ("opened", None),
        ("changed", BELOW),
        ("overdue", BELOW),
    ]
    own = [one for one in found if one.within(frozenset({BELOW}))]
    assert [(one.data["act"], one.data["receiver_state"]) for one in own] == [
        ("opened", "issued"),
        ("changed", "received"),
        ("overdue", "received"),
    ]
    assert not any(one.within(frozenset({"320100"})) for one in found)


def test_an_order_is_told_of(world: Any, feed: CaseFeed) -> None:
    number, later = an_order(world, "web-01"), world.now + timedelta(days=8)
    world.enforcement.orders.answer(number, "已关闭 telnet", (), "user:li", world.now)
    world.enforcement.orders.work(later)
    world.enforcement.orders.work(later)
    assert [(act, step) for _, act, step, _ in seen(feed)] == [
        ("opened", "issued"),
        ("changed", "answered"),
        ("overdue", "reminded"),
    ]


@pytest.mark.parametrize(
    ("query", "finds"),
    [
        ("", True),
        ("act:opened", True),
        ("分级 <= 2 and unit:3200*", True),
        ("grade:4", False),
        ("act:(overdue changed)", False),
        ("attack", True),
    ],
)
def test_a_query_finds_what_it_says(world: Any, feed: CaseFeed, query: str, finds: bool) -> None:
    incident(world, grade=2)
    ((told,), _) = feed.after(0)
    assert CaseQuery(query, ["incidents"]).finds(told) is finds


@pytest.mark.parametrize(("query", "code"), [("severity:high", "case-query"), ("act:(", "query-syntax")])
def test_a_query_for_fields_that_are_not_there_is_refused(query: str, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        CaseQuery(query, ["orders", "incidents"])
    assert caught.value.code == code
