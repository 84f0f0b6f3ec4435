"""Tests of the session routes: cookie, tokens, throttling, logout."""

from datetime import timedelta
from typing import Any

import httpx

from soc_api.identity import IDLE_MAX, LOCKED_FOR
from soc_api.throttle import ATTEMPTS_MAX


def test_login_gives_a_cookie_scripts_cannot_read(world: Any) -> None:
    world.account("shift_lead")
    client = world.client()
    answer = client.login("shift-lead", world.password)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/" in cookie
    assert "secure" not in cookie  # plain HTTP is served on loopback only
    body = answer.json()
    assert body["role"] == "shift_lead"
    assert body["center"] == "测试中心"
    assert "alerts.act" in body["permissions"]
    assert "audit.read" not in body["permissions"]
    assert client("GET", "/session").json() == body


def test_over_tls_the_cookie_is_secure(world: Any) -> None:
    world.account("analyst")
    client = world.client()
    client.http.base_url = httpx.URL("https://center")
    assert "secure" in client.login("analyst", world.password).headers["set-cookie"].lower()


def test_the_answer_to_an_unknown_name_is_that_to_a_wrong_password(world: Any) -> None:
    world.account("analyst")
    client = world.client()
    known, unknown = (client.login(name, "wrong") for name in ("analyst", "nobody"))
    assert known.status_code == unknown.status_code == 401
    assert known.content == unknown.content
    assert dict(known.headers.items()) == dict(unknown.headers.items())


def test_a_locked_name_says_so_and_opens_again(world: Any) -> None:
    world.account("analyst")
    client = world.client()
    for _ in range(5):
        client.login("analyst", "wrong")
    answer = client.login("analyst", world.password)
    assert (answer.status_code, answer.json()["code"]) == (429, "login-locked")
    assert answer.headers["retry-after"]
    world.now += LOCKED_FOR
    assert client.login("analyst", world.password).status_code == 200


def test_an_address_that_tries_too_often_waits(world: Any) -> None:
    client = world.client()
    codes = [client.login(f"name{number}", "wrong").status_code for number in range(ATTEMPTS_MAX + 1)]
    assert codes == [401] * ATTEMPTS_MAX + [429]
    world.now += timedelta(seconds=61)
    assert client.login("name", "wrong").status_code == 401


def test_logout_ends_the_session_at_the_center(world: Any) -> None:
    client = world.signed_in("analyst")
    cookie = client.http.cookies["liuhe_session"]
    assert client("DELETE", "/session").status_code == 204
    assert "liuhe_session" not in client.http.cookies
    answer = client("GET", "/session", headers={"Cookie": f"liuhe_session={cookie}"})
    assert answer.status_code == 401
    assert world.audited()[-1][:2] == ("user:analyst", "session.logout")


def test_only_what_a_person_does_keeps_a_session(world: Any) -> None:
    client = world.signed_in("analyst")
    for headers, expected in (({}, [200] * 3), ({"X-Background": "1"}, [200, 401])):
        for status in expected:
            world.now += IDLE_MAX - timedelta(seconds=30)
            assert client("GET", "/alerts", headers=headers).status_code == status


def test_a_weak_password_is_refused_by_name_of_its_field(world: Any) -> None:
    client = world.signed_in("analyst")
    answer = client("POST", "/session/password", json={"old": world.password, "new": "aaaaaaaaaaaa"})
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (
        422,
        "password-weak",
        "new",
    )
    answer = client("POST", "/session/password", json={"old": "wrong", "new": "Other-horse-88"})
    assert answer.status_code == 401
    assert world.audited()[-1] == ("user:analyst", "session.password", "session", "failed")
