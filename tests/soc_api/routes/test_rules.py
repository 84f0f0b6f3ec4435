"""The rule routes: who may read, who may decide, and that deciding is told before it is done."""

import json
from typing import Any

import pytest

NC_EVENT = json.dumps(
    {
        "id": "0" * 40,
        "time": "2026-11-22T08:00:00Z",
        "unit": "u",
        "sensor": "s",
        "logsource": {"product": "linux", "category": "process_creation"},
        "fields": {"host.name": "web-01"},
        "native": {"Image": "/usr/bin/nc", "CommandLine": "nc -l 4444"},
    }
)
LISTENER = "11111111-1111-4111-8111-111111111111"


def test_the_list_and_one_rule(world: Any) -> None:
    client = world.signed_in("analyst")
    page = client("GET", "/rules").json()
    assert [row["state"] for row in page["rows"]] == ["enabled", "waiting", "enabled"]
    assert page["errors"][0]["code"] == "rule-yaml"
    found = client("GET", f"/rules/{LISTENER}").json()
    assert found["rule"]["title"]["zh"] == "启动了 nc 监听"
    assert client("GET", "/rules/none").status_code == 404


def test_the_security_administrator_switches_a_rule_and_it_is_audited(world: Any) -> None:
    client = world.signed_in("security_admin")
    before = client("GET", "/rules").json()["decided"]
    done = client("POST", f"/rules/{LISTENER}/disable", json={"reason": "误报太多"})
    assert (done.status_code, done.json()["state"]) == (200, "disabled")
    assert client("GET", "/rules").json()["decided"] == before + 1
    again = client("POST", f"/rules/{LISTENER}/disable", json={"reason": "误报太多"})
    assert (again.status_code, again.json()["code"]) == (409, "rule-state")
    assert client("POST", f"/rules/{LISTENER}/enable", json={"reason": "已修改"}).json()["state"] == "enabled"
    actor = "user:security-admin"
    said = [line for line in world.audited() if line[1].startswith("rule.")]
    assert said == [
        (actor, "rule.disable", f"rule:{LISTENER} 误报太多", "accepted"),
        (actor, "rule.disable", f"rule:{LISTENER} 误报太多", "done"),
        (actor, "rule.disable", f"rule:{LISTENER} 误报太多", "accepted"),
        (actor, "rule.disable", f"rule:{LISTENER} 误报太多", "failed: rule-state"),
        (actor, "rule.enable", f"rule:{LISTENER} 已修改", "accepted"),
        (actor, "rule.enable", f"rule:{LISTENER} 已修改", "done"),
    ]
    past = client("GET", f"/rules/{LISTENER}").json()["history"]
    assert [(one["kind"], one["actor"]) for one in past] == [("enabled", actor), ("disabled", actor)]


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "x"}, {"reason": "   "}])
def test_nothing_is_switched_without_a_reason(world: Any, body: dict[str, str]) -> None:
    client = world.signed_in("security_admin")
    assert client("POST", f"/rules/{LISTENER}/disable", json=body).status_code == 422
    assert world.rules.newest() == 0


@pytest.mark.parametrize(
    "role", ["system_admin", "audit_admin", "analyst", "shift_lead", "compliance_officer"]
)
def test_nobody_else_switches_rules(world: Any, role: str) -> None:
    client = world.signed_in(role)
    for act in ("enable", "disable"):
        refused = client("POST", f"/rules/{LISTENER}/{act}", json={"reason": "误报太多"})
        assert (refused.status_code, refused.json()["field"]) == (403, "rules.decide")
    assert world.rules.newest() == 0
    reads = role in ("analyst", "shift_lead")
    assert client("GET", "/rules").status_code == (200 if reads else 403)


def test_a_rule_is_tried_on_an_event(world: Any) -> None:
    client = world.signed_in("analyst")
    found = client("POST", f"/rules/{LISTENER}/test", json={"event": NC_EVENT}).json()
    assert found["rules"][0]["verdict"] is True
    wrong = client("POST", f"/rules/{LISTENER}/test", json={"event": "nonsense"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "event-unreadable")


def test_the_live_stream_knows_when_rules_change(world: Any) -> None:
    before = world.center.revisions()["rules"]
    world.center.rules.decide(LISTENER, False, "误报太多", "user:an", world.now)
    assert world.center.revisions()["rules"] > before
