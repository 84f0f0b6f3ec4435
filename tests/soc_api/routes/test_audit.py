"""Tests of the audit routes."""

import csv
import io
import json
from typing import Any

import pytest


def test_the_audit_log_is_read_by_the_auditor(world: Any) -> None:
    client = world.signed_in("audit_admin")
    first = client("GET", "/audit?limit=2").json()
    assert first["rows"][0]["action"] == "session.login"
    seen = list(first["rows"])
    while first["next"]:
        first = client("GET", f"/audit?limit=2&cursor={first['next']}").json()
        seen += first["rows"]
    assert "account.create" in {row["action"] for row in seen}
    assert [row["sequence"] for row in seen] == list(range(len(seen), 0, -1))
    assert client("GET", "/audit?cursor=-1").json()["field"] == "cursor"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("action=checks.evaluate", 1),
        ("action=checks.*", 1),
        ("action=checks", 0),
        ("actor=user:shift-lead&action=checks.*", 1),
        ("source=192.0.2.7&action=checks.*", 1),
        ("action=checks.*&result=accepted", 1),
        ("action=checks.*&about=heckl", 1),
        ("action=checks.*&about=%25", 0),
        ("action=checks.*&since=2026-11-22T08:00:01Z", 0),
        ("action=checks.*&until=2026-11-22T08:00:01Z", 1),
    ],
)
def test_lines_are_found_by_what_they_say(world: Any, query: str, found: int) -> None:
    world.signed_in("shift_lead")("POST", "/checks/evaluate")
    client = world.signed_in("audit_admin")
    assert len(client("GET", f"/audit?{query}").json()["rows"]) == found


def test_a_time_without_its_zone_is_refused(world: Any) -> None:
    answer = world.signed_in("audit_admin")("GET", "/audit?since=2026-11-22T08:00:01")
    assert (answer.status_code, answer.json()["field"]) == (422, "query.since")


def test_export_is_marked_whole_and_audited(world: Any) -> None:
    client = world.signed_in("audit_admin")
    lines = client("GET", "/audit/export?kind=ndjson").text.splitlines()
    assert json.loads(lines[0])["watermark"]["person"] == "user:audit-admin"
    assert [json.loads(line)["sequence"] for line in lines[1:]] == list(range(1, len(lines)))
    answer = client("GET", "/audit/export?kind=csv&charset=gb18030&action=audit.*")
    rows = list(csv.reader(io.StringIO(answer.content.decode("gb18030"))))
    assert "user:audit-admin" in rows[0][0]
    assert [row[4] for row in rows[2:]] == ["audit.export", "audit.export"]


def test_the_log_is_checked_against_the_ledger(world: Any) -> None:
    found = world.signed_in("audit_admin")("POST", "/audit/verify").json()
    assert (found["ok"], found["findings"], found["leaves"]) == (True, [], 0)
    assert len(found["head"]) == 64


def test_an_auditor_of_a_city_sees_what_its_own_people_did(world: Any) -> None:
    world.registry.plant(world.now)
    world.signed_in("analyst")
    client = world.signed_in("audit_admin", "city-audit", unit="320100")
    assert {row["actor"] for row in client("GET", "/audit").json()["rows"]} == {"user:city-audit"}
    lines = client("GET", "/audit/export?kind=ndjson").text.splitlines()[1:]
    assert {json.loads(line)["actor"] for line in lines} == {"user:city-audit"}
