"""Orders over HTTP, and a check explained."""

from datetime import timedelta
from typing import Any

import pytest

from compliance.check_store import CheckStore, Kept
from compliance.evaluation import Evaluation, Fact, Finding, FindingState
from compliance.registry import GradedSystem
from compliance.registry_store import RegistryStore
from crypto.words import Words


def evaluated(world: Any, state: FindingState, leaf: int) -> None:
    """PLT-06 on web-01 as an evaluation left it."""
    fact = Fact(
        object="web-01", name="listeners.inventory", time=world.now, fields={"p": ["tcp/23"]}, event="e1"
    )
    over = world.now + timedelta(days=1)
    finding = Finding(
        object="web-01",
        fact="listeners.inventory",
        state=state,
        why=Words("端口 23", "port 23"),
        evidence=fact,
        stale_at=over,
    )
    evaluation = Evaluation(
        check="PLT-06",
        system="local",
        verdict="符合" if state == "satisfied" else "不符合",
        reason=Words("web-01 端口 23", "web-01 port 23"),
        evaluated=world.now,
        stale_at=over,
        findings=(finding,),
    )
    CheckStore(world.engine).keep([Kept(evaluation=evaluation, leaf=leaf)])
    world.enforcement.orders.work(world.now)


@pytest.fixture(name="officer")
def _officer(world: Any) -> Any:
    system = GradedSystem(id="local", unit="320000-local", name="本机", level=3, grade="S3A3G3")
    RegistryStore(world.engine).register(system, unit_name="省数据局", now=world.now)
    evaluated(world, "unsatisfied", 1)
    return world.signed_in("compliance_officer")


def test_an_order_is_answered_tested_again_and_closed(world: Any, officer: Any) -> None:
    page = officer("GET", "/orders?state=open").json()
    assert [(row["number"], row["check"], row["object"]) for row in page["rows"]] == [
        ("2026-000001", "PLT-06", "web-01")
    ]
    path = "/orders/2026-000001"
    answered = officer("POST", f"{path}/answer", json={"note": "已关闭 telnet"}).json()
    assert answered["order"]["state"] == "answered"
    admin = world.signed_in("security_admin")
    early = admin("POST", f"{path}/retest", json={"passed": True, "note": "已看"})
    assert (early.status_code, early.json()["code"]) == (409, "order-still-failing")
    assert officer("POST", f"{path}/retest", json={"passed": True, "note": "已看"}).status_code == 403
    world.now += timedelta(minutes=5)
    evaluated(world, "satisfied", 2)
    detail = officer("GET", path).json()
    assert detail["order"]["state"] == "closed"
    assert [event["action"] for event in detail["events"]] == ["issued", "answered", "retest-passed"]
    assert officer("POST", f"{path}/answer", json={"note": "再次"}).status_code == 409
    assert officer("GET", "/orders").json()["statistics"]["closed_in_time"] == 1
    assert officer("GET", "/orders/2026-000009").status_code == 404


def test_an_order_is_given_to_another_extended_and_withdrawn(world: Any, officer: Any) -> None:
    admin, path = world.signed_in("security_admin"), "/orders/2026-000001/change"
    assert (
        admin("POST", path, json={"owner": "user:wang", "note": "改派"}).json()["order"]["owner"]
        == "user:wang"
    )
    later = (world.now + timedelta(days=20)).isoformat()
    assert admin("POST", path, json={"deadline": later, "note": "采购周期"}).status_code == 200
    assert admin("POST", path, json={"note": "无"}).status_code == 422
    assert admin("POST", path, json={"cancel": True, "note": "误报"}).json()["order"]["state"] == "cancelled"
    world.enforcement.orders.work(world.now)
    assert officer("GET", "/orders?state=open").json()["rows"] == []


def test_a_person_may_find_that_it_is_not_done(world: Any, officer: Any) -> None:
    path = "/orders/2026-000001"
    officer("POST", f"{path}/answer", json={"note": "已处理"})
    admin = world.signed_in("security_admin")
    failed = admin("POST", f"{path}/retest", json={"passed": False, "note": "端口仍开"}).json()["order"]
    assert (failed["state"], failed["retests_failed"]) == ("issued", 1)


def test_a_check_is_explained(officer: Any) -> None:
    told = officer("GET", "/checks/PLT-06/explanation").json()
    assert (told["verdict"], told["leaf"], told["days"]) == ("不符合", 1, 7)
    (reasons,) = told["objects"]
    assert (reasons["object"], reasons["verdict"]) == ("web-01", "不符合")
    assert reasons["reasons"][0]["event"] == "e1"
    assert "high_risk_ports" in reasons["reasons"][0]["wanted"]
    assert "高危端口" in told["changes"][0]["zh"]
    assert [(one["gate"], one["closes"]) for one in told["gates"]] == [("go-live", True)]
    assert [order["number"] for order in told["orders"]] == ["2026-000001"]
    assert officer("GET", "/checks/DAT-12/explanation").json()["form"]["attachments"] == 1
    assert officer("GET", "/checks/X-1/explanation").status_code == 404
