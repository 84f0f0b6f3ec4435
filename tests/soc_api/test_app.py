"""Tests of soc_api.app: nothing is open that need not be, and the description is complete."""

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soc_api.app import API, create_app, openapi_document
from soc_api.body_limit import BODY_BYTES_MAX
from soc_api.permissions import PERMISSIONS, ROLES, allows
from soc_api.routes.guard import GuardedRoute, router

OPEN = {
    ("POST", "/session"),
    ("POST", "/session/challenge"),
    ("POST", "/session/kiosk"),
    ("GET", "/setup"),
    ("POST", "/setup"),
    ("GET", "/health"),
    ("POST", "/witness/add-checkpoint"),
}
EXAMPLES = {
    "{username}": "nobody",
    "{session}": "0" * 16,
    "{group}": "0" * 32,
    "{check}": "PLT-01",
    "{report}": "r1",
    "{index}": "0",
    "{transfer}": f"out-{0:032x}",
    "{sensor}": "host-1",
    "{token}": "0" * 16,
}


def operations() -> list[tuple[str, str, str]]:
    """(method, path below the API with its parameters filled in, permission) of the whole description."""
    found = []
    for path, methods in openapi_document()["paths"].items():
        filled = path.removeprefix(API)
        for name, value in EXAMPLES.items():
            filled = filled.replace(name, value)
        found += [(method.upper(), filled, said["x-permission"]) for method, said in methods.items()]
    return found


GUARDED = [one for one in operations() if (one[0], one[1]) not in OPEN]


def test_every_route_is_guarded_and_described(world: Any) -> None:
    seen = set()
    for context in iter_route_contexts(world.app.routes):
        route = context.original_route
        if getattr(route, "path", "") == "/{path:path}":
            continue
        assert isinstance(route, GuardedRoute), context.path
        seen |= {(method, context.path) for method in context.methods or ()}
    described = {
        (method.upper(), path) for path, methods in openapi_document()["paths"].items() for method in methods
    }
    assert seen == described
    assert {(method, path) for method, path, needed in operations() if needed == "none"} == OPEN
    assert {needed for _, _, needed in GUARDED} == set(PERMISSIONS)


def test_a_route_without_a_permission_cannot_be_built() -> None:
    with pytest.raises(RuntimeError, match="needs"):
        router("x").get("/forgotten")(lambda: None)


def test_every_operation_has_words_a_model_and_its_errors() -> None:
    document = openapi_document()
    tags = {tag["name"] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for said in methods.values():
            assert said["summary"], path
            assert said["description"], path
            assert set(said["tags"]) <= tags
            assert {"401", "403", "422", "503"} <= set(said["responses"]), path
            success = next(answer for code, answer in said["responses"].items() if code.startswith("2"))
            content = success.get("content", {"none": {"schema": {"type": "empty"}}})
            assert all(one.get("schema") for one in content.values()), path
            refusal = said["responses"]["422"]["content"]["application/json"]["schema"]
            assert refusal == {"$ref": "#/components/schemas/Problem"}


@pytest.mark.parametrize("cookie", ["", "liuhe_session=" + "A" * 43, "liuhe_session=", "liuhe_session=\xe9"])
def test_without_a_session_everything_is_refused(world: Any, cookie: str) -> None:
    client = world.client()
    for method, path, _ in GUARDED:
        answer = client(method, path, headers={"Cookie": cookie.encode("latin-1")}, content=b"not json")
        assert (answer.status_code, answer.json()["code"]) == (401, "session-required"), path


@pytest.mark.parametrize("role", ROLES)
def test_each_role_is_refused_what_its_table_lacks(world: Any, role: str) -> None:
    client = world.signed_in(role)
    for method, path, needed in GUARDED:
        if allows(role, needed):  # type: ignore[arg-type]
            continue
        answer = client(method, path, content=b"not json")
        assert (answer.status_code, answer.json()["code"]) == (403, "permission-missing"), path
        assert ("access.denied", f"{method} {API}{path}") in [line[1:3] for line in world.audited()]


@pytest.mark.parametrize("role", ROLES)
def test_each_role_is_let_in_where_its_table_says(world: Any, role: str) -> None:
    client = world.signed_in(role)
    for method, path, needed in GUARDED:
        if not allows(role, needed) or path in ("/stream", "/session"):  # type: ignore[arg-type]
            continue
        assert client(method, path).status_code not in (401, 403, 405, 500, 503), path


def test_changes_need_the_csrf_token_and_come_from_the_console(world: Any) -> None:
    client = world.signed_in("shift_lead")
    for method, path, _ in (one for one in GUARDED if one[0] != "GET"):
        for token in ("", "0" * 64, "é"):
            answer = client(method, path, headers={"X-CSRF-Token": token.encode()})
            assert (answer.status_code, answer.json()["code"]) == (403, "csrf"), path
        answer = client(method, path, headers={"Sec-Fetch-Site": "cross-site"})
        assert (answer.status_code, answer.json()["code"]) == (403, "cross-site"), path


def test_a_one_time_password_opens_the_session_routes_only(world: Any) -> None:
    one_time = world.identity.create_account("lead", "值班长", "shift_lead", "320000-local", world.now)
    client = world.client()
    assert client.login("lead", one_time).json()["must_change_password"] is True
    for method, path, needed in GUARDED:
        if needed != "session.own":
            assert client(method, path).json()["code"] == "second-factor-required", path
    refused = client("POST", "/session/password", json={"old": one_time, "new": world.password})
    assert refused.json()["code"] == "second-factor-required"
    client.bind()
    for method, path, needed in GUARDED:
        if needed != "session.own":
            assert client(method, path).json()["code"] == "password-change-required", path
    answer = client("POST", "/session/password", json={"old": one_time, "new": world.password})
    assert answer.json()["must_change_password"] is False
    assert client("GET", "/alerts").status_code == 200


@given(body=st.binary(max_size=300), path=st.sampled_from([one for one in GUARDED if one[0] == "POST"]))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_body_breaks_a_route(world: Any, body: bytes, path: tuple[str, str, str]) -> None:
    if not hasattr(world, "lead"):
        world.lead = world.signed_in("shift_lead")
    client = world.lead
    answer = client("POST", path[1], content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code < 500
    if answer.status_code >= 400:
        assert set(answer.json()) == {"code", "message", "fix", "field"}


def test_large_bodies_are_refused(world: Any) -> None:
    body = json.dumps({"username": "x" * BODY_BYTES_MAX, "password": "y"}).encode()
    answer = world.client()("POST", "/session", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


def test_unexpected_errors_tell_nothing(
    world: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client = world.signed_in("shift_lead")
    monkeypatch.setattr(world.compliance, "check_page", lambda now, system: 1 / 0)
    answer = client("GET", "/checks")
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal"
    assert "Error" not in answer.text
    assert "frame-ancestors" in answer.headers["content-security-policy"]
    assert "ZeroDivisionError" in caplog.text


def test_other_methods_are_problems_too(world: Any) -> None:
    answer = world.client()("PUT", "/health")
    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")


def test_the_description_is_the_same_with_a_center(world: Any) -> None:
    assert create_app(world.center).openapi() == openapi_document()
    assert world.signed_in("analyst")("GET", "/openapi.json").json() == openapi_document()
    assert not any(isinstance(route, APIRoute) and "docs" in route.path for route in world.app.routes)


def test_the_documentation_lists_every_route_with_its_permission() -> None:
    path = Path(__file__).parents[2] / "docs" / "reference" / "api.md"
    if not path.exists():
        pytest.skip("no documentation in this checkout")
    rows = [
        line.split("|") for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("| `")
    ]
    documented = {(row[1].strip(" `"), row[2].strip(" `")) for row in rows if row[1].strip(" `")[0].isupper()}
    described = {
        (f"{method.upper()} {path.removeprefix(API)}", said["x-permission"].replace("none", "任何人"))
        for path, methods in openapi_document()["paths"].items()
        for method, said in methods.items()
    }
    assert documented == described
