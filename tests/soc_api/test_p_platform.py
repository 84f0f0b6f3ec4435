"""Requirements of the platform about scope, audit and exports, each test named after its requirement."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from filled_center import MARK, NEIGHBOUR, OWN, ROLES, Ids, as_text, body_for, fill, people
from sqlalchemy import text

from detection.store.state import writing
from soc_api.app import API, openapi_document
from soc_api.audit_watch import AuditWatch
from soc_api.permissions import allows

RULE: Final = "11111111-1111-4111-8111-111111111111"
DOCUMENT: Final = openapi_document()
# Names that several units may have, and what is the same for all: their answers may not carry MARK.
SHARED: Final = {
    "/attack/{technique}",
    "/entities/{kind}/{name}",
    "/entities/{kind}/{name}/timeline",
    "/entities/{kind}/{name}/neighbours",
    "/rules/{rule}",
    "/rules/{rule}/test",
    "/rules/{rule}/playbook",
    "/checks/{check}",
    "/checks/{check}/explanation",
    "/gates/{gate}/ask",
    "/registry/export/{sheet}",
}
# They end a session or never end themselves.
LEFT_OUT: Final = {
    ("DELETE", "/session"),
    ("GET", "/stream"),
    ("POST", "/session"),
    ("POST", "/session/challenge"),
}
PARAMETER: Final = re.compile(r"\{(\w+)\}")


def operations() -> Iterator[tuple[str, str, Any]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, said in methods.items():
            one = method.upper(), path.removeprefix(API)
            if one not in LEFT_OUT:
                yield *one, said


def aimed(path: str, said: Any, ids: Ids) -> str:
    """The path with real ids, and real ids in its query."""
    head = path.split("/")[1]

    def given(name: str) -> str | None:
        return ids.get(f"{head}/{name}", ids.get(name))

    filled = PARAMETER.sub(lambda found: given(found[1]) or "1", path)
    query = [
        f"{one['name']}={given(one['name'])}"
        for one in said.get("parameters", [])
        if one["in"] == "query"
        and one["name"] in ("system", "unit", "host", "group", "rule", "incident", "kind")
        and given(one["name"]) is not None
    ]
    needed = [
        f"{one['name']}=x"
        for one in said.get("parameters", [])
        if one["in"] == "query" and one.get("required") and f"{one['name']}={given(one['name'])}" not in query
    ]
    return filled + ("?" + "&".join([*query, *needed]) if query or needed else "")


@pytest.fixture(name="filled")
def _filled(world: Any) -> tuple[dict[str, Any], Ids]:
    own = people(world, OWN)
    return own, fill(world, own)


def seen(own: dict[str, Any], ids: Ids) -> dict[str, str]:
    """Everything the center's own people read, as text."""
    quiet = ("/audit", "/openapi.json", "/session", "/health", "/evidence", "/hunt", "/overview", "/reports")
    found = {}
    for method, path, said in operations():
        if method != "GET" or path.startswith(quiet):
            continue
        role = next((role for role in ROLES if allows(role, said["x-permission"])), None)
        if role is not None:
            found[path] = own[role]("GET", aimed(path, said, ids)).text
    return found


def told(answer: str) -> set[str]:
    """The objects an answer tells of that carry MARK, without those inside them."""
    found: set[str] = set()
    waiting: list[Any] = [json.loads(answer)] if answer.startswith(("{", "[")) else []
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            plain = {name: value for name, value in one.items() if not isinstance(value, dict | list)}
            if MARK in str(plain):
                found.add(json.dumps(plain, sort_keys=True))
            one = list(one.values())
        waiting += [value for value in one if isinstance(value, dict | list)]
    return found


@pytest.mark.slow
def test_p09_a_neighbour_gets_at_nothing_by_any_route(world: Any, filled: Any) -> None:
    own, ids = filled
    before = seen(own, ids)
    assert sum(MARK in text for text in before.values()) > 20, "the center is not filled"
    leaks, odd = [], []
    for role, client in people(world, NEIGHBOUR, "-city").items():
        for method, path, said in operations():
            if not allows(role, said["x-permission"]) or path == "/session/password":
                continue
            request = body_for(DOCUMENT, said, ids, path.split("/")[1])
            answer = client(method, aimed(path, said, ids), **request)
            line = f"{role} {method} {path}: {answer.status_code}"
            if MARK in as_text(answer).replace(aimed(path, said, ids), ""):
                leaks.append(f"{line} {as_text(answer)[:300]}")
            named = PARAMETER.search(path) and path not in SHARED
            if named and answer.status_code not in (403, 404):
                odd.append(f"{line} {as_text(answer)[:200]}")
            if answer.status_code >= 500:
                odd.append(f"{line} {as_text(answer)[:200]}")
    assert not leaks, "\n".join(leaks)
    assert not odd, "\n".join(odd)
    after = seen(own, ids)
    lost = {path: sorted(told(before[path]) - told(text)) for path, text in after.items()}
    assert {path: lines for path, lines in lost.items() if lines} == {}


def test_p07_everybody_may_try_to_change_the_audit_log_and_is_told_of(world: Any) -> None:
    for role, client in people(world, OWN).items():
        for method in ("PUT", "PATCH", "DELETE"):
            answer = client(method, "/audit")
            assert (answer.status_code, answer.json()["code"]) == (409, "audit-immutable")
            person = f"user:{role.replace('_', '-')}"
            assert world.audited()[-1] == (person, "audit.tamper", "audit", "refused: audit-immutable")
    auditor = world.signed_in("audit_admin", "second-auditor")
    assert len(auditor("GET", "/audit?action=audit.tamper").json()["rows"]) == 3 * len(ROLES)
    assert auditor("POST", "/rules/r1/disable", json={"reason": "试一试"}).status_code == 403


def test_p11_a_line_says_who_from_where_did_what_and_what_became_of_it(world: Any) -> None:
    world.signed_in("security_admin")("POST", f"/rules/{RULE}/disable", json={"reason": "误报过多"})
    said = world.signed_in("audit_admin")("GET", "/audit?action=rule.disable").json()["rows"]
    done, accepted = said
    assert (accepted["result"], done["result"]) == ("accepted", "done")
    assert (done["actor"], done["source"], done["object"]) == (
        "user:security-admin",
        "192.0.2.7",
        f"rule:{RULE} 误报过多",
    )
    assert len({done["before"], done["after"], ""}) == 3
    assert world.audit.broken_at() is None


@pytest.mark.parametrize(
    ("role", "method", "path", "body"),
    [
        ("security_admin", "POST", f"/rules/{RULE}/disable", {"reason": "误报过多"}),
        ("security_admin", "POST", "/gates/release", {"reason": "抗洪救灾", "hours": 4}),
        ("shift_lead", "POST", "/checks/evaluate", None),
        ("audit_admin", "GET", "/audit/export", None),
    ],
)
def test_p12_what_cannot_be_audited_is_not_done(
    world: Any, role: str, method: str, path: str, body: Any
) -> None:
    client = world.signed_in(role)
    with writing(world.engine) as connection:
        connection.execute(text("ALTER TABLE audit_head RENAME TO audit_head_gone"))
    answer = client(method, path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (503, "audit-unwritable")
    assert client("GET", "/health").status_code == 503
    assert world.compliance.evaluated == 0
    assert world.rules.decided().disabled == frozenset()
    with writing(world.engine) as connection:
        connection.execute(text("ALTER TABLE audit_head_gone RENAME TO audit_head"))
    AuditWatch(world.audit, world.alerts, OWN, lambda words: None).beat(world.now)
    assert [row.rule for row in world.alerts.page(state="open").rows] == ["audit-unwritable"]
    assert client("GET", "/health").status_code == 200


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_p33_an_export_says_who_took_it_and_when(world: Any, kind: str) -> None:
    answer = world.signed_in("audit_admin")("GET", f"/audit/export?kind={kind}")
    first = answer.content.splitlines()[0].decode("utf-8-sig")
    assert "user:audit-admin" in first
    assert "2026-11-22T08:00:00Z" in first
