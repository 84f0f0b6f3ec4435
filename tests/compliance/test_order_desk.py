"""What people may do to an order, and what the desk refuses."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from compliance.attestation_store import Attachment, AttestationStore
from compliance.check_store import CheckStore, Kept
from compliance.checklist import load_checklist
from compliance.evaluation import Evaluation, Fact, Finding, FindingState
from compliance.order_desk import OrderDesk
from compliance.order_rules import load_order_rules
from compliance.order_store import OrderStore
from compliance.registry import Contact
from crypto.words import BadInput, Refused, Words
from rules import ROOT

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
NUMBER = "2026-000001"
CHECKS = load_checklist(ROOT / "checklist")


class Orders:
    """A desk over the stores of a world."""

    def __init__(self, world: Any) -> None:
        self.checks = CheckStore(world.engine)
        self.store = OrderStore(world.engine)
        self.files = AttestationStore(world.engine)
        rules = load_order_rules(ROOT / "gates" / "orders.yaml")
        self.desk = OrderDesk(self.store, self.checks, self.files, CHECKS, rules, world.registry.systems)

    def say(self, state: FindingState, at: datetime = NOW, leaf: int = 1) -> None:
        fact = Fact(object="web-01", name="f", time=at, fields={})
        finding = Finding(
            object="web-01",
            fact="f",
            state=state,
            why=Words("", ""),
            evidence=fact,
            stale_at=at + timedelta(9),
        )
        evaluation = Evaluation(
            check="PLT-10",
            system="local",
            verdict="符合" if state == "satisfied" else "不符合",
            reason=Words("", ""),
            evaluated=at,
            stale_at=at + timedelta(9),
            findings=(finding,),
        )
        self.checks.keep([Kept(evaluation=evaluation, leaf=leaf)])


@pytest.fixture(name="orders")
def _orders(world: Any) -> Orders:
    made = Orders(world)
    made.say("unsatisfied")
    assert made.desk.work(NOW) == 1
    assert made.desk.work(NOW) == 0
    return made


def test_the_owner_answers_with_files_and_another_person_decides(orders: Orders) -> None:
    with pytest.raises(BadInput, match="order-malformed"):
        orders.desk.answer(NUMBER, "已处理", ["0" * 64], "user:li", NOW)
    file = Attachment(sm3="0" * 64, name="a.pdf", bytes=1, time=NOW, actor="user:li", leaf=7)
    orders.files.add_attachment(file)
    orders.desk.answer(NUMBER, "已处理", ["0" * 64], "user:li", NOW)
    with pytest.raises(Refused, match="order-retest"):
        orders.desk.retest(NUMBER, passed=False, note="不行", actor="user:li", now=NOW)
    with pytest.raises(Refused, match="order-still-failing"):
        orders.desk.retest(NUMBER, passed=True, note="可以", actor="user:wang", now=NOW)
    orders.say("unknown", NOW + timedelta(hours=1))
    closed = orders.desk.retest(NUMBER, passed=True, note="现场核实", actor="user:wang", now=NOW)
    assert closed.state == "closed"
    events = orders.store.events(closed)
    assert [event.action for event in events] == ["issued", "answered", "retest-passed"]
    assert events[1].attachments == ("0" * 64,)
    with pytest.raises(Refused, match="order-state"):
        orders.desk.cancel(NUMBER, "误报", "user:wang", NOW)


def test_only_an_answered_order_is_tested_again_by_a_person(orders: Orders) -> None:
    with pytest.raises(Refused, match="order-retest"):
        orders.desk.retest(NUMBER, passed=True, note="可以", actor="user:wang", now=NOW)


def test_more_time_has_a_limit(orders: Orders) -> None:
    deadline = orders.store.get(NUMBER).deadline
    for wrong in (deadline, deadline + timedelta(days=91)):
        with pytest.raises(BadInput, match="order-malformed"):
            orders.desk.extend(NUMBER, wrong, "采购", "user:zhao", NOW)
    after = orders.desk.extend(NUMBER, deadline + timedelta(days=30), "采购", "user:zhao", NOW)
    assert after.deadline == deadline + timedelta(days=30)
    with pytest.raises(BadInput):
        orders.desk.assign(NUMBER, "", "改派", "user:zhao", NOW)
    with pytest.raises(BadInput):
        orders.desk.cancel(NUMBER, " ", "user:zhao", NOW)


def test_a_new_order_goes_to_the_person_the_registry_names(world: Any) -> None:
    made = Orders(world)
    people = [Contact(unit="320000-local", duty="security-officer", name="王敏")]
    rules = load_order_rules(ROOT / "gates" / "orders.yaml")
    systems = world.registry.systems
    desk = OrderDesk(made.store, made.checks, made.files, CHECKS, rules, systems, lambda unit: people)
    made.say("unsatisfied")
    assert desk.work(NOW) == 1
    assert made.store.get(NUMBER).owner == "王敏"


def test_a_withdrawn_order_opens_again_on_other_grounds_only(orders: Orders) -> None:
    orders.desk.cancel(NUMBER, "误报", "user:zhao", NOW)
    assert orders.desk.work(NOW) == 0
    orders.say("unsatisfied", leaf=2)
    assert orders.desk.work(NOW) == 1
    assert [one.number for one in orders.store.page(state="open")] == ["2026-000002"]
    assert [one.number for one in orders.store.page(systems=["local"], check="PLT-10", before=2)] == [NUMBER]
    assert len(orders.store.between(NOW, NOW + timedelta(1))) == 2
    assert orders.store.page(systems=[]) == []
    with pytest.raises(Refused, match="order-not-found"):
        orders.store.get("2026-000009")
