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


def test_open_pages_learn_of_every_change_and_the_audit_log_keeps_its_digests(world: Any) -> None:
    system, security = world.signed_in("system_admin"), world.signed_in("security_admin")
    told: list[tuple[int, int]] = []

    def moved() -> tuple[bool, bool]:
        """Whether pages of accounts, and of tokens, learnt of something since the last time."""
        now = world.center.revisions()
        told.append((now["accounts"], now["tokens"]))
        return told[-1][0] > told[-2][0], told[-1][1] > told[-2][1]

    told.append((0, 0))
    assert moved() == (True, False)  # two people came in
    system("GET", "/accounts")
    assert moved() == (False, False)
    made = {"username": "wang.wu", "display_name": "王五", "person": "工号 7"}
    assert system("POST", "/accounts", json=made).status_code == 200
    assert moved() == (True, False)
    grant = {"role": "analyst", "unit": "320000-local"}
    assert security("POST", "/accounts/wang.wu/grant", json=grant).status_code == 200
    assert moved() == (True, False)
    world.signed_in("analyst", "li.si")("POST", "/tokens", json={"name": "n", "permissions": ["alerts.read"]})
    assert moved() == (True, True)
    security("POST", "/accounts/li.si/disable", json={"reason": "离职交接"})
    assert moved() == (True, True)
    rows = world.signed_in("audit_admin")("GET", "/audit").json()["rows"]
    lines = {row["action"]: row for row in rows}
    assert (lines["account.create"]["before"] == "", len(lines["token.make"]["after"])) == (True, 64)
    for action in ("account.grant", "account.disable"):
        states = {lines[action]["before"], lines[action]["after"], ""}
        assert len(states) == 3, action
    # what the grant found is what the creation left
    created = [row["after"] for row in rows if row["object"] == "wang.wu"]
    assert lines["account.grant"]["before"] in created
