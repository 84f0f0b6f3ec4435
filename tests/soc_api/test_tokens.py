"""Tests of soc_api.tokens through the API: a token lends part of its maker's rights and ends with them."""

from datetime import timedelta
from typing import Any

import pytest

from soc_api.permissions import ROLES, TABLE, permissions_of
from soc_api.tokens import LENDABLE, PER_ACCOUNT_MAX, REQUESTS_PER_MINUTE_MAX

ORDER = {"name": "siem", "permissions": ["alerts.read", "alerts.act"], "days": 30}


def made(client: Any, **changed: Any) -> str:
    answer = client("POST", "/tokens", json=ORDER | changed)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["text"])


def asked(world: Any, text: str, method: str = "GET", path: str = "/alerts", **named: Any) -> Any:
    return world.client()(method, path, headers={"Authorization": f"Bearer {text}"}, **named)


def test_a_token_reads_and_acts_without_cookie_or_csrf(world: Any) -> None:
    text = made(world.signed_in("analyst"))
    group = world.raise_alert().group
    assert asked(world, text).json()["total"] == 1
    done = asked(world, text, "POST", f"/alerts/{group}/acknowledge", json={})
    assert done.status_code in (200, 422), done.text
    lines = world.audit.since(0)
    assert any(" token:" in line.entry.source and line.entry.actor == "user:analyst" for line in lines)


def test_a_token_has_its_permissions_and_no_more(world: Any) -> None:
    text = made(world.signed_in("shift_lead"))
    for path in ("/checks", "/tokens", "/session", "/sensors"):
        answer = asked(world, text, path=path)
        assert (answer.status_code, answer.json()["code"]) == (403, "permission-missing"), path
    for wrong in ("", "lh_x", text[:-1] + ("A" if text[-1] != "A" else "B"), "Basic x"):
        assert asked(world, wrong).status_code == 401
    answer = world.client()("GET", "/alerts", headers={"Authorization": text})
    assert answer.status_code == 401


@pytest.mark.parametrize("role", ROLES)
def test_administrators_acts_and_approvals_cannot_be_lent(world: Any, role: str) -> None:
    client, may = world.signed_in(role), "tokens.make" in TABLE[role]  # type: ignore[index]
    held = permissions_of(role)  # type: ignore[arg-type]
    for permission in (one for one in held if one not in LENDABLE):
        answer = client("POST", "/tokens", json=ORDER | {"permissions": ["alerts.read", permission]})
        assert answer.status_code == (422 if may else 403)
    lent = [one for one in held if one in LENDABLE]
    answer = client("POST", "/tokens", json=ORDER | {"permissions": lent or ["alerts.read"]})
    assert answer.status_code == (200 if may else 403)
    assert not [
        one for one in LENDABLE if one.endswith((".decide", ".approve", ".review", ".grant", ".manage"))
    ]


def test_a_token_ends_by_time_by_revoking_and_with_its_maker(world: Any) -> None:
    analyst, security = world.signed_in("analyst"), world.signed_in("security_admin")
    first, second, third = (made(analyst) for _ in range(3))
    rows = analyst("GET", "/tokens").json()["rows"]
    ids = {text.split("_")[1] for text in (first, second, third)}
    assert {row["id"] for row in rows} == ids
    assert analyst("DELETE", f"/tokens/{first.split('_')[1]}").status_code == 204
    assert asked(world, first).status_code == 401
    assert analyst("DELETE", f"/tokens/{first.split('_')[1]}").status_code == 404
    other = world.signed_in("shift_lead")
    assert other("GET", "/tokens").json()["rows"] == []
    assert other("DELETE", f"/tokens/{second.split('_')[1]}").status_code == 404
    assert security("DELETE", f"/tokens/{second.split('_')[1]}").status_code == 204
    assert asked(world, second).status_code == 401
    assert asked(world, third).status_code == 200
    security("POST", "/accounts/analyst/disable", json={"reason": "离岗"})
    security("POST", "/accounts/analyst/enable")
    assert asked(world, third).status_code == 401
    assert len(security("GET", "/tokens").json()["rows"]) == 3
    fourth = made(other)
    world.now += timedelta(days=30)
    assert asked(world, fourth).status_code == 401


def test_a_token_of_another_address_or_unit_is_refused(world: Any) -> None:
    world.registry.plant(world.now)
    client = world.signed_in("analyst", unit="320100")
    here, elsewhere = made(client, source="192.0.2.7"), made(client, source="198.51.100.1")
    assert asked(world, here).status_code == 200
    assert asked(world, elsewhere).status_code == 401
    answer = client("POST", "/tokens", json=ORDER | {"unit": "320200"})
    assert (answer.status_code, answer.json()["code"]) == (403, "unit-scope")


def test_tokens_are_bounded_in_time_number_and_speed(world: Any) -> None:
    client = world.signed_in("analyst")
    assert client("POST", "/tokens", json=ORDER | {"days": 366}).status_code == 422
    text = made(client)
    for _ in range(PER_ACCOUNT_MAX - 1):
        made(client)
    answer = client("POST", "/tokens", json=ORDER)
    assert (answer.status_code, answer.json()["code"]) == (409, "token-many")
    tokens = world.people.tokens
    for _ in range(REQUESTS_PER_MINUTE_MAX):
        assert tokens.visit(text, "192.0.2.7", world.now) is not None
    answer = asked(world, text)
    assert (answer.status_code, answer.json()["code"]) == (429, "token-throttled")
    assert answer.headers["retry-after"]


def test_a_kiosk_reads_numbers_names_nobody_and_stays_where_it_is(world: Any) -> None:
    security = world.signed_in("security_admin")
    text = security("POST", "/kiosks", json={"name": "大厅"}).json()["text"]
    screen = world.client()
    wrong = screen("POST", "/session/kiosk", json={"token": text + "x"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "token-refused")
    opened = screen("POST", "/session/kiosk", json={"token": text})
    cookie = opened.headers["set-cookie"].lower()
    assert opened.status_code == 204
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    session = screen("GET", "/session").json()
    assert session["role"] == "wall_display"
    assert "security-admin" not in str(session)
    assert screen("GET", "/overview").status_code == 200
    assert screen("GET", "/alerts").status_code == 403
    assert screen("POST", "/session/password", json={"old": "x", "new": "x" * 12}).status_code == 401
    bound = security("GET", "/tokens").json()["rows"][0]
    assert bound["source"] == "192.0.2.7"
    assert world.people.tokens.visit(text, "198.51.100.1", world.now) is None
    security("DELETE", f"/tokens/{bound['id']}")
    assert screen("GET", "/overview").status_code == 401


def test_an_api_token_opens_no_wall_display(world: Any) -> None:
    text = made(world.signed_in("analyst"))
    assert world.client()("POST", "/session/kiosk", json={"token": text}).status_code == 401


def test_the_database_holds_no_tokens(world: Any) -> None:
    text = made(world.signed_in("analyst"))
    dump = b"".join(path.read_bytes() for path in world.folder.glob("state.sqlite*"))
    assert text.rsplit("_", 1)[1].encode() not in dump
