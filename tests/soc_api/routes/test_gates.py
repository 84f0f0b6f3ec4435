"""Gates over HTTP: a look, a question on record, two people, the switch."""

from typing import Any

import pytest

from compliance.registry import GradedSystem
from compliance.registry_store import RegistryStore


@pytest.fixture(name="officer")
def _officer(world: Any) -> Any:
    system = GradedSystem(id="local", unit="320000-local", name="本机", level=3, grade="S3A3G3")
    RegistryStore(world.engine).register(system, unit_name="省数据局", now=world.now)
    return world.signed_in("compliance_officer")


def test_a_gate_is_looked_at_and_asked(world: Any, officer: Any) -> None:
    page = officer("GET", "/gates").json()
    assert [(one["gate"], one["allowed"]) for one in page["gates"]] == [
        ("transfer", True),
        ("go-live", False),
    ]
    assert page["fail_closed"] == {"transfer": [], "go-live": ["APP-05"]}
    assert officer("GET", "/gates/decisions").json()["rows"] == []
    asked = officer("POST", "/gates/go-live/ask", json={"about": "门户 2.1"}).json()
    assert (asked["allowed"], asked["ruling"], asked["decider"]) == (
        False,
        "checks",
        "user:compliance-officer",
    )
    assert {one["state"] for one in asked["grounds"]} == {"unknown"}
    rows = officer("GET", "/gates/decisions").json()["rows"]
    assert [(row["id"], row["about"], row["leaf"]) for row in rows] == [(1, "门户 2.1", None)]
    assert world.signed_in("analyst")("POST", "/gates/go-live/ask", json={"about": "x"}).status_code == 403


def test_an_override_takes_two_roles(world: Any, officer: Any) -> None:
    order = {"gate": "go-live", "checks": ["PLT-01"], "reason": "应急上线", "hours": 24}
    asked = officer("POST", "/gates/overrides", json=order)
    assert asked.status_code == 201
    number = asked.json()["id"]
    path = f"/gates/overrides/{number}/decide"
    assert officer("POST", path, json={"approve": True}).status_code == 403
    admin = world.signed_in("security_admin")
    assert admin("POST", path, json={"approve": True}).json()["state"] == "approved"
    grounds = officer("POST", "/gates/go-live/ask", json={"about": "v1"}).json()["grounds"]
    assert next(one for one in grounds if one["check"] == "PLT-01")["state"] == "overridden"
    assert admin("POST", f"/gates/overrides/{number}/end").json()["state"] == "ended"
    assert admin("POST", f"/gates/overrides/{number}/end").status_code == 409
    assert officer("POST", "/gates/overrides", json={**order, "hours": 73}).status_code == 422
    assert officer("POST", "/gates/overrides", json={**order, "checks": ["APP-05"]}).status_code == 409


def test_the_release_switch(world: Any, officer: Any) -> None:
    admin = world.signed_in("security_admin")
    assert officer("POST", "/gates/release", json={"reason": "防汛抢险", "hours": 4}).status_code == 403
    assert admin("POST", "/gates/release", json={"reason": "防汛抢险", "hours": 4}).json()["released"]
    assert officer("GET", "/gates").json()["released"]
    assert officer("POST", "/gates/go-live/ask", json={"about": "v1"}).json()["ruling"] == "release"
    assert not admin("POST", "/gates/release", json={"reason": "抢险结束", "hours": 0}).json()["released"]
    assert not officer("GET", "/gates").json()["released"]
