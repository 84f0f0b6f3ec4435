"""What the platform itself must hold about people (P-01 to P-04, P-06 to P-08, P-27), through the API."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from crypto.otp import STEP_SECONDS, code_at
from detection.store.state import writing
from soc_api.accounts import ADMINISTRATORS
from soc_api.admin_plane import AdminPlane
from soc_api.identity import IDLE_MAX, ONE_TIME_MAX, SESSION_MAX
from soc_api.permissions import ROLES, TABLE

PEOPLE = {"system_admin": "S-1", "security_admin": "S-2", "audit_admin": "S-3"}


def answer_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize("role", ROLES)
def test_p01_no_role_gets_in_with_a_password_alone(world: Any, role: str) -> None:
    name = world.account(role)
    client = world.client()
    shown = world.code(name)
    wrong = str((int(shown) + 1) % 1_000_000).zfill(6)
    for code in ("", wrong, "000000" if shown != "000000" else "111111"):
        assert answer_of(client.login(name, world.password, code)) == (401, "login-refused")
    assert client.login(name, world.password, shown).json()["factor"] == "otp"


def test_p01_a_code_opens_one_session(world: Any) -> None:
    name = world.account("analyst")
    shown = world.code(name)
    assert world.client().login(name, world.password, shown).status_code == 200
    assert answer_of(world.client().login(name, world.password, shown)) == (401, "login-refused")
    world.now += timedelta(seconds=STEP_SECONDS)
    following = code_at(world.devices[name], world.now)
    assert world.client().login(name, world.password, following).status_code == 200


def test_p01_a_one_time_password_binds_and_changes_and_nothing_else(world: Any) -> None:
    one_time = world.identity.create_account("zhang", "张三", "analyst", "320000-local", world.now)
    client = world.client()
    assert client.login("zhang", one_time, "").json()["factor"] == ""
    assert answer_of(client("GET", "/alerts")) == (403, "second-factor-required")
    order = {"old": one_time, "new": world.password}
    assert answer_of(client("POST", "/session/password", json=order)) == (403, "second-factor-required")
    assert client.bind().json()["factor"] == "otp"
    assert answer_of(client("POST", "/session/factor", json={})) == (409, "second-factor-bound")
    assert answer_of(client("GET", "/alerts")) == (403, "password-change-required")
    assert client("POST", "/session/password", json=order).status_code == 200
    assert client("GET", "/alerts").status_code == 200


def test_p01_an_account_without_a_device_waits_for_the_administrators(world: Any) -> None:
    name = world.account("analyst")
    with writing(world.engine) as connection:
        connection.execute(text("DELETE FROM second_factors"))
    assert answer_of(world.client().login(name, world.password, "123456")) == (401, "second-factor-unbound")


def test_p01_secrets_of_devices_are_sealed(world: Any) -> None:
    name = world.account("analyst")
    secret = world.devices[name]
    dump = b"".join(path.read_bytes() for path in world.folder.glob("state.sqlite*"))
    assert secret not in dump
    assert secret.hex().encode() not in dump


def test_p02_names_and_persons_are_given_out_once(world: Any) -> None:
    keeper = world.signed_in("system_admin")
    order = {"username": "li.na", "display_name": "李娜", "person": "A-7"}
    assert keeper("POST", "/accounts", json=order).status_code == 200
    assert answer_of(keeper("POST", "/accounts", json=order)) == (409, "account-exists")
    again = order | {"username": "li.na2"}
    assert answer_of(keeper("POST", "/accounts", json=again)) == (409, "person-taken")
    for change in ("DELETE FROM accounts", "UPDATE accounts SET username = 'x' WHERE username = 'li.na'"):
        with pytest.raises(DatabaseError), world.engine.begin() as connection:
            connection.execute(text(change))


@pytest.mark.parametrize(
    "weak", ["Password-123", "P@ssw0rd2026!", "Qwertyuiop-1", "Abcdefgh1234", "Aa1!Aa1!Aa1!"]
)
def test_p02_common_words_are_no_passwords(world: Any, weak: str) -> None:
    client = world.signed_in("analyst")
    answer = client("POST", "/session/password", json={"old": world.password, "new": weak})
    assert answer_of(answer) == (422, "password-weak")


def test_p02_a_password_of_90_days_must_be_changed_first(world: Any) -> None:
    name = world.account("analyst")
    world.now += timedelta(days=89)
    client = world.client()
    assert client.login(name, world.password).json()["must_change_password"] is False
    world.now += timedelta(days=1)
    client = world.client()
    assert client.login(name, world.password).json()["must_change_password"] is True
    assert answer_of(client("GET", "/alerts")) == (403, "password-change-required")
    order = {"old": world.password, "new": "Another-horse-11"}
    assert client("POST", "/session/password", json=order).json()["must_change_password"] is False
    assert client("GET", "/alerts").status_code == 200


def test_p16_administrators_act_from_their_own_addresses_and_port(world: Any) -> None:
    security, analyst = world.signed_in("security_admin"), world.signed_in("analyst")
    world.place(AdminPlane(["10.1.0.0/24", "2001:db8::1"]))
    assert answer_of(security("GET", "/accounts")) == (403, "admin-plane")
    assert analyst("GET", "/alerts").status_code == 200
    assert answer_of(world.client().login("security-admin", world.password)) == (403, "admin-plane")
    assert world.audited()[-1][:2] == ("user:security-admin", "session.logout")
    world.place(AdminPlane(["192.0.2.0/24"], 8601))
    assert answer_of(security("GET", "/accounts")) == (403, "admin-plane")
    security.http.base_url = "http://center:8601"
    assert security("GET", "/accounts").status_code == 200
    world.place(AdminPlane(["192.0.2.0/24"]))
    assert world.signed_in("audit_admin")("GET", "/audit").status_code == 200


def test_p03_the_security_administrator_unlocks_a_name(world: Any) -> None:
    name, security = world.account("analyst"), world.signed_in("security_admin")
    for _ in range(5):
        world.client().login(name, "wrong")
    assert answer_of(world.client().login(name, world.password)) == (429, "login-locked")
    rows = {row["username"]: row for row in security("GET", "/accounts").json()["rows"]}
    assert rows[name]["state"] == "locked"
    assert world.signed_in("system_admin")("POST", f"/accounts/{name}/unlock").status_code == 403
    assert security("POST", f"/accounts/{name}/unlock").json()["state"] == "active"
    assert world.client().login(name, world.password).status_code == 200


def test_p04_sessions_idle_end_and_are_ended_by_the_security_administrator(world: Any) -> None:
    analyst, security = world.signed_in("analyst"), world.signed_in("security_admin")
    rows = security("GET", "/sessions").json()["rows"]
    auditor = world.signed_in("audit_admin")
    for mine in (row for row in rows if row["username"] == "analyst"):
        assert auditor("DELETE", f"/sessions/{mine['id']}").status_code == 403
        assert security("DELETE", f"/sessions/{mine['id']}").status_code == 204
    assert analyst("GET", "/alerts").status_code == 401
    assert ("user:security-admin", "session.end", f"analyst/{mine['id']}", "ok") in world.audited()
    assert security("DELETE", f"/sessions/{mine['id']}").status_code == 404
    world.now += IDLE_MAX + timedelta(seconds=1)
    assert security("GET", "/sessions").status_code == 401
    assert timedelta(hours=8) >= SESSION_MAX


def test_p06_an_account_takes_two_administrators(world: Any) -> None:
    keeper, security = world.signed_in("system_admin"), world.signed_in("security_admin")
    order = {"username": "li.na", "display_name": "李娜", "person": "A-7"}
    assert security("POST", "/accounts", json=order).status_code == 403
    one_time = keeper("POST", "/accounts", json=order).json()["one_time"]
    assert answer_of(world.client().login("li.na", one_time)) == (401, "account-waits")
    role = {"role": "analyst", "unit": "320000-local"}
    assert keeper("POST", "/accounts/li.na/grant", json=role).status_code == 403
    assert answer_of(security("POST", "/accounts/li.na/release")) == (409, "account-ungranted")
    assert security("POST", "/accounts/li.na/grant", json=role).json()["state"] == "one-time"
    assert world.client().login("li.na", one_time).json()["role"] == "analyst"
    seen = world.signed_in("audit_admin")("GET", "/audit").json()["rows"]
    assert {("account.create", "li.na"), ("account.grant", "li.na/analyst/320000-local")} <= {
        (row["action"], row["object"]) for row in seen
    }


def test_p06_a_password_issued_again_takes_two_administrators(world: Any) -> None:
    keeper, security = world.signed_in("system_admin"), world.signed_in("security_admin")
    analyst = world.signed_in("analyst")
    again = keeper("POST", "/accounts/analyst/issue", json={"unbind": True}).json()["one_time"]
    assert analyst("GET", "/alerts").status_code == 401
    assert answer_of(world.client().login("analyst", again, "")) == (401, "account-waits")
    assert security("POST", "/accounts/analyst/release").status_code == 200
    assert world.client().login("analyst", again, "").json()["factor"] == ""


def test_p06_nobody_acts_on_the_own_account_and_the_last_administrator_stays(world: Any) -> None:
    keeper, security = world.signed_in("system_admin"), world.signed_in("security_admin")
    assert answer_of(keeper("POST", "/accounts/system-admin/issue", json={})) == (409, "account-self")
    own = "/accounts/security-admin"
    for act, body in (("grant", {"role": "analyst", "unit": "x"}), ("disable", {"reason": "休假"})):
        assert answer_of(security("POST", f"{own}/{act}", json=body)) == (409, "account-self")
    last = security("POST", "/accounts/system-admin/disable", json={"reason": "离岗"})
    assert answer_of(last) == (409, "administrator-last")
    world.account("system_admin", "second")
    assert security("POST", "/accounts/second/disable", json={"reason": "离岗"}).json()["state"] == "disabled"
    assert security("POST", "/accounts/second/enable").json()["state"] == "active"


@pytest.mark.parametrize("role", ADMINISTRATORS)
def test_p06_administrators_roles_exclude_all_others(world: Any, role: str) -> None:
    security = world.signed_in("security_admin", "granter")
    world.account(role, "keeper")
    world.account("analyst", "worker")
    to_worker = {"role": "analyst", "unit": "320000-local"}
    assert answer_of(security("POST", "/accounts/keeper/grant", json=to_worker)) == (409, "roles-exclusive")
    to_keeper = {"role": role, "unit": "320000-local"}
    assert answer_of(security("POST", "/accounts/worker/grant", json=to_keeper)) == (409, "roles-exclusive")
    for name, other in (("keeper", "analyst"), ("worker", role), ("worker", "god")):
        with pytest.raises(DatabaseError), world.engine.begin() as connection:
            connection.execute(
                text("UPDATE accounts SET role = :role WHERE username = :name"), {"role": other, "name": name}
            )
    security("POST", "/accounts/worker/grant", json={"role": "shift_lead", "unit": "320000-local"})


def test_p06_no_role_holds_what_two_administrators_hold_apart() -> None:
    apart = {"accounts.create", "accounts.grant", "audit.read"}
    assert all(len(apart & TABLE[role]) <= 1 for role in ROLES)
    assert {role for role in ROLES if apart & TABLE[role]} == set(ADMINISTRATORS)


def test_p08_set_up_ends_with_the_three_administrators(world: Any) -> None:
    world.people.setup.begin(world.now)
    token = world.people.setup.token(world.now, "local:root")
    client = world.client()
    people = [
        {"role": role, "username": role.replace("_", "."), "display_name": "某人", "person": person}
        for role, person in PEOPLE.items()
    ]
    order = {"token": token, "administrators": people}
    same = [one | {"person": "S-1"} for one in people]
    assert answer_of(client("POST", "/setup", json=order | {"administrators": same})) == (422, "setup-people")
    assert answer_of(client("POST", "/setup", json=order | {"token": "setup_x"})) == (401, "setup-token")
    assert client("GET", "/setup").json() == {"open": True, "banner": ""}
    made = client("POST", "/setup", json=order).json()["accounts"]
    assert [one["username"] for one in made] == ["system.admin", "security.admin", "audit.admin"]
    assert client("GET", "/setup").json() == {"open": False, "banner": ""}
    assert answer_of(client("POST", "/setup", json=order)) == (401, "setup-token")
    assert world.client().login("audit.admin", made[2]["one_time"]).json()["role"] == "audit_admin"
    assert token not in str(world.audited())


def test_p08_set_up_and_its_token_expire(world: Any) -> None:
    world.people.setup.begin(world.now)
    token = world.people.setup.token(world.now, "local:root")
    world.now += ONE_TIME_MAX
    people = [
        {"role": role, "username": role.replace("_", "."), "display_name": "某人", "person": person}
        for role, person in PEOPLE.items()
    ]
    answer = world.client()("POST", "/setup", json={"token": token, "administrators": people})
    assert answer_of(answer) == (401, "setup-token")
    assert world.client()("GET", "/setup").json() == {"open": False, "banner": ""}


def test_p27_nothing_secret_reaches_the_audit_log(world: Any) -> None:
    keeper = world.signed_in("system_admin")
    order = {"username": "li.na", "display_name": "李娜", "person": "A-7"}
    one_time = keeper("POST", "/accounts", json=order).json()["one_time"]
    told = world.signed_in("analyst")(
        "POST", "/tokens", json={"name": "siem", "permissions": ["alerts.read"]}
    ).json()["text"]
    said = str(world.audited())
    secrets = (one_time, told, world.password, world.code("analyst"), world.devices["analyst"].hex())
    assert not [one for one in secrets if one in said]
