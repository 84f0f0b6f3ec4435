"""Incidents over HTTP: from alerts, judged, merged, split, within one's units."""

from datetime import timedelta
from typing import Any

import pytest

from compliance.registry import Unit
from soc_api.evidence_scope import unit_of_subject


@pytest.fixture(name="lead")
def _lead(world: Any) -> Any:
    return world.signed_in("shift_lead")


def groups_of(client: Any) -> list[str]:
    return [row["id"] for row in client("GET", "/alerts?state=all").json()["rows"]]


def opened(client: Any, **given: Any) -> dict[str, Any]:
    answer = client("POST", "/incidents", json=given)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_alerts_are_escalated_with_one_key_and_belong_to_one_incident(world: Any) -> None:
    world.raise_alert()
    world.raise_alert(rule="r2", host="web-02", sequence=2)
    analyst = world.signed_in("analyst")
    groups = groups_of(analyst)
    made = opened(analyst, groups=groups)
    row = made["incident"]
    assert (row["number"], row["state"], row["unit"], row["grade"]) == (
        "2026-000001",
        "open",
        "320000-local",
        4,
    )
    assert {one["id"] for one in made["alerts"]} == set(groups)
    assert row["clocks"] == []  # 一般事件 need not be reported
    again = analyst("POST", "/incidents", json={"groups": groups[:1]})
    assert (again.status_code, again.json()["code"], again.json()["field"]) == (
        409,
        "incident-alert-taken",
        "2026-000001",
    )
    held = analyst("GET", f"/incidents?group={groups[0]}").json()
    assert [one["number"] for one in held["rows"]] == ["2026-000001"]
    assert held["figures"] == {"active": 1, "overdue": 0, "grades": {"4": 1}}
    assert ("user:analyst", "incident.open", " ".join(groups), "accepted") in world.audited()
    rows = analyst("GET", "/alerts?state=all").json()["rows"]
    assert {one["incident"] for one in rows} == {"2026-000001"}
    assert analyst("GET", f"/alerts/{groups[0]}").json()["group"]["incident"] == "2026-000001"


def test_a_grave_incident_has_a_clock_and_no_analyst_makes_it_lighter(world: Any, lead: Any) -> None:
    made = opened(
        lead, title="门户网站被篡改", unit="320000-local", category="attack", kind="网页篡改", grade=3
    )
    number = made["incident"]["number"]
    (clock,) = made["incident"]["clocks"]
    assert clock["id"] == "first"
    assert clock["due"] == (world.now + timedelta(hours=4)).isoformat().replace("+00:00", "Z")
    analyst = world.signed_in("analyst")
    path = f"/incidents/{number}/change"
    assert analyst("POST", path, json={"grade": 4, "note": "影响有限"}).json()["code"] == "incident-regrade"
    assert analyst("POST", path, json={"owner": "user:wang", "note": "值守"}).status_code == 200
    assert lead("POST", path, json={"grade": 4, "note": "影响有限"}).json()["incident"]["clocks"] == []
    critical = lead(
        "POST", path, json={"grade": 2, "clock": "critical-infrastructure", "note": "升级"}
    ).json()
    world.now += timedelta(minutes=61)
    later = world.signed_in("shift_lead", "later")
    assert later("GET", "/incidents?overdue=true").json()["figures"]["overdue"] == 1
    assert critical["incident"]["clocks"][0]["due"].startswith("2026-11-22T09:00")
    wrong = later("POST", path, json={"category": "none", "note": "改类"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "category")


def test_its_states_are_taken_in_order(world: Any, lead: Any) -> None:
    number = opened(lead, title="演练事件", unit="320000-local")["incident"]["number"]
    path = f"/incidents/{number}"
    assert lead("GET", path).json()["steps"] == ["accept", "settle", "dismiss"]
    taken = lead("POST", f"{path}/steps", json={"step": "accept"}).json()
    assert (taken["incident"]["state"], taken["incident"]["owner"]) == ("handling", "user:shift-lead")
    assert lead("POST", f"{path}/decide", json={"step": "close", "note": "完成"}).status_code == 409
    assert lead("POST", f"{path}/steps", json={"step": "settle", "note": "已处置"}).status_code == 200
    closed = lead("POST", f"{path}/decide", json={"step": "close", "note": "完成"}).json()
    assert closed["incident"]["state"] == "closed"
    assert [event["action"] for event in closed["events"]] == ["opened", "accept", "settle", "close"]
    assert (
        world.signed_in("analyst")(
            "POST", f"{path}/decide", json={"step": "reopen", "note": "再看"}
        ).status_code
        == 403
    )
    assert lead("GET", "/incidents").json()["rows"] == []
    assert len(lead("GET", "/incidents?state=closed").json()["rows"]) == 1


def test_alerts_move_split_and_merge(world: Any, lead: Any) -> None:
    for sequence in (1, 2, 3):
        world.raise_alert(rule=f"r{sequence}", sequence=sequence)
    a, b, c = groups_of(lead)
    first = opened(lead, groups=[a, b])["incident"]["number"]
    second = opened(lead, groups=[c])["incident"]["number"]
    path = f"/incidents/{second}/alerts"
    assert lead("POST", path, json={"groups": [b]}).status_code == 409
    moved = lead("POST", path, json={"groups": [b], "move": True}).json()
    assert {one["id"] for one in moved["alerts"]} == {b, c}
    assert "alerts-moved" in [
        event["action"] for event in lead("GET", f"/incidents/{first}").json()["events"]
    ]
    part = lead("POST", f"/incidents/{second}/split", json={"groups": [c], "title": "另一起"}).json()
    assert [one["id"] for one in part["alerts"]] == [c]
    into = lead("POST", f"/incidents/{second}/merge", json={"into": first, "note": "同源"}).json()
    assert {one["id"] for one in into["alerts"]} == {a, b}
    gone = lead("GET", f"/incidents/{second}").json()["incident"]
    assert (gone["state"], gone["merged_into"]) == ("merged", first)
    left = lead("POST", f"/incidents/{first}/alerts", json={"groups": [a], "drop": True}).json()
    assert [one["id"] for one in left["alerts"]] == [b]
    assert lead("POST", f"/incidents/{first}/merge", json={"into": first}).status_code == 409


def test_nobody_sees_or_opens_incidents_of_other_units(world: Any, lead: Any) -> None:
    for code, name in (("320100-a", "甲局"), ("320200-b", "乙局")):
        world.registry.registry.put_unit(Unit(code=code, name=name), world.now, "user:a")
    own = opened(lead, title="甲局事件", unit="320100-a")["incident"]["number"]
    other = opened(lead, title="乙局事件", unit="320200-b")["incident"]["number"]
    world.raise_alert()
    group = groups_of(lead)[0]
    local = world.signed_in("analyst", unit="320100-a")
    assert [row["number"] for row in local("GET", "/incidents").json()["rows"]] == [own]
    for method, path, body in (
        ("GET", f"/incidents/{other}", None),
        ("POST", f"/incidents/{other}/change", {"owner": "user:x", "note": "改派"}),
        ("POST", f"/incidents/{own}/alerts", {"groups": [group]}),
        ("POST", "/incidents", {"title": "越权", "unit": "320200-b"}),
        ("POST", "/incidents", {"groups": [group]}),
    ):
        answer = local(method, path, json=body) if body else local(method, path)
        assert (answer.status_code, answer.json()["code"]) == (403, "unit-scope"), path
    assert local("GET", "/incidents/2026-000099").status_code == 404


def test_the_rules_are_told_with_their_sources(lead: Any) -> None:
    found = lead("GET", "/incidents/rules").json()
    assert len(found["categories"]) == 10
    assert [row["name"]["zh"] for row in found["grades"]] == ["特别重大", "重大", "较大", "一般"]
    assert {row["id"]: row["minutes"] for row in found["clocks"]} == {
        "critical-infrastructure": 60,
        "central": 120,
        "other": 240,
    }
    assert all(row["source"] and row["confidence"] for row in found["clocks"])


def test_what_the_ledger_says_of_an_incident_is_for_its_unit(world: Any, lead: Any) -> None:
    world.registry.registry.put_unit(Unit(code="320100-a", name="甲局"), world.now, "user:a")
    number = opened(lead, title="甲局事件", unit="320100-a")["incident"]["number"]
    assert unit_of_subject(world.center, f"incident:{number}/1") == "320100-a"
    assert unit_of_subject(world.center, "incident:2026-000099/1") == ""
    assert unit_of_subject(world.center, "notice:7/1") == ""
