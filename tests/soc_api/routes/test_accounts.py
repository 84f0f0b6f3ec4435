"""Tests of the account routes: an administrator reaches the own part of the tree, and says so."""

from typing import Any

import pytest

CITY, OTHER = "320100", "320200"


@pytest.fixture
def planted(world: Any) -> Any:
    world.registry.plant(world.now)
    world.account("analyst", "in-city", unit=CITY)
    world.account("analyst", "elsewhere", unit=OTHER)
    return world


def test_an_administrator_of_a_city_sees_and_grants_its_own_people(planted: Any) -> None:
    city = planted.signed_in("security_admin", "granter-city", unit=CITY)
    names = {row["username"] for row in city("GET", "/accounts").json()["rows"]}
    assert names == {"in-city", "granter-city"}
    assert {row["unit"] for row in city("GET", "/sessions").json()["rows"]} == {CITY}
    answer = city("POST", "/accounts/elsewhere/unlock")
    assert (answer.status_code, answer.json()["code"]) == (403, "unit-scope")
    order = {"role": "shift_lead", "unit": OTHER}
    assert city("POST", "/accounts/in-city/grant", json=order).status_code == 403
    order["unit"] = CITY
    assert city("POST", "/accounts/in-city/grant", json=order).json()["role"] == "shift_lead"
    assert ("user:granter-city", "access.denied", f"unit:{OTHER}", "refused: unit-scope") in planted.audited()


def test_a_new_role_ends_what_the_old_one_opened(planted: Any) -> None:
    analyst = planted.signed_in("analyst", "mover")
    order = {"name": "siem", "permissions": ["alerts.read"]}
    text = analyst("POST", "/tokens", json=order).json()["text"]
    security = planted.signed_in("security_admin")
    order = {"role": "compliance_officer", "unit": "320000-local"}
    security("POST", "/accounts/mover/grant", json=order)
    assert analyst("GET", "/session").status_code == 401
    answer = planted.client()("GET", "/alerts", headers={"Authorization": f"Bearer {text}"})
    assert answer.status_code == 401


def test_malformed_accounts_and_unknown_ones(planted: Any) -> None:
    keeper, security = planted.signed_in("system_admin"), planted.signed_in("security_admin")
    for body in (
        {"username": "Li Na", "display_name": "李娜", "person": "1"},
        {"username": "li.na", "display_name": "", "person": "1"},
        {"username": "li.na", "display_name": "李娜", "person": ""},
        {"username": "li.na", "display_name": "李娜", "person": "1", "role": "analyst"},
    ):
        assert keeper("POST", "/accounts", json=body).status_code == 422
    assert keeper("POST", "/accounts/nobody/issue", json={}).status_code == 404
    assert security("POST", "/accounts/nobody/release").status_code == 404


def test_a_device_may_be_kept_when_a_password_is_issued_again(planted: Any) -> None:
    keeper, security = planted.signed_in("system_admin"), planted.signed_in("security_admin")
    planted.account("shift_lead", "forgetful")
    issued = keeper("POST", "/accounts/forgetful/issue", json={"unbind": False}).json()
    security("POST", "/accounts/forgetful/release")
    client = planted.client()
    assert client.login("forgetful", issued["one_time"], "").status_code == 401
    body = client.login("forgetful", issued["one_time"]).json()
    assert (body["factor"], body["must_change_password"]) == ("otp", True)
