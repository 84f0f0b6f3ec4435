"""The self-assessment over HTTP: items, objects, two voices for a statement, units, trend."""

from typing import Any

import pytest

from compliance.registry import GradedSystem

DOOR = "L3-8.1.1.2"
SAID = {"item": DOOR, "verdict": "不适用", "reason": "租用云平台,无自有机房"}


@pytest.fixture
def filled(world: Any) -> Any:
    world.registry.plant(world.now)
    system = GradedSystem(
        id="portal", unit="320100", name="门户", level=3, grade="S2A3G3", extensions=("cloud",)
    )
    world.registry.registry.put_system(system, world.now, "user:a")
    return world


def test_every_item_with_its_rule(filled: Any) -> None:
    client = filled.signed_in("analyst")
    page = client("GET", "/systems/portal/grading").json()
    assert len(page["items"]) == page["score"]["items"] > 211
    assert {item["level"] for item in page["items"]} == {2, 3}
    assert page["score"]["conclusion"] == "未定"
    assert "未知另列" in page["rule"]["zh"]
    assert "不作为等级测评结论" in page["disclaimer"]["zh"]
    assert sum(sum(point["counts"].values()) for point in page["points"]) == page["score"]["items"]
    detail = client("GET", f"/systems/portal/grading/{DOOR}").json()
    assert (detail["checks"], detail["kinds"]) == (["PHY-01"], ["room"])
    assert [(one["object"], one["verdict"]) for one in detail["results"]] == [("room:机房", "未知")]
    assert client("GET", "/systems/portal/grading/L3-9.9.9").json()["code"] == "item-unknown"
    assert client("GET", "/systems/none/grading").status_code == 404


def test_a_statement_needs_two(filled: Any) -> None:
    officer, lead = filled.signed_in("compliance_officer"), filled.signed_in("shift_lead")
    made = officer("POST", "/systems/portal/statements", json=SAID)
    assert (made.status_code, made.json()["state"]) == (201, "proposed")
    number = made.json()["number"]
    assert lead("GET", f"/systems/portal/grading/{DOOR}").json()["results"][0]["verdict"] == "未知"
    assert officer("POST", f"/statements/{number}/review", json={"confirm": True}).status_code == 403
    done = lead("POST", f"/statements/{number}/review", json={"confirm": True, "note": "已核"}).json()
    assert (done["state"], done["reviewer"]) == ("confirmed", "user:shift-lead")
    detail = lead("GET", f"/systems/portal/grading/{DOOR}").json()
    assert detail["results"][0]["verdict"] == "不适用"
    assert detail["results"][0]["by"] == ["user:compliance-officer"]
    assert detail["statements"][0]["number"] == number
    again = lead("POST", f"/statements/{number}/review", json={"confirm": False})
    assert (again.status_code, again.json()["code"]) == (409, "statement-state")
    back = officer("POST", f"/statements/{number}/withdraw", json={"note": "已建机房"}).json()
    assert back["state"] == "withdrawn"
    assert len(lead("GET", "/systems/portal/statements").json()["rows"]) == 1
    said = [line[:2] for line in filled.audited() if line[1].startswith("grading.")]
    assert said[0] == ("user:compliance-officer", "grading.state")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"reason": "略"}, 422),
        ({"verdict": "", "risk": "low"}, 422),
        ({"verdict": "很好"}, 422),
        ({"item": "L3-9.9.9"}, 422),
        ({"object": "host:none"}, 404),
    ],
)
def test_a_statement_that_says_too_little(filled: Any, change: dict[str, Any], status: int) -> None:
    client = filled.signed_in("compliance_officer")
    assert client("POST", "/systems/portal/statements", json={**SAID, **change}).status_code == status


def test_statements_of_a_neighbour_are_out_of_reach(filled: Any) -> None:
    filled.signed_in("compliance_officer")("POST", "/systems/portal/statements", json=SAID)
    lead = filled.signed_in("shift_lead", unit="320200")
    assert lead("POST", "/statements/1/review", json={"confirm": True}).json()["code"] == "unit-scope"
    officer = filled.signed_in("compliance_officer", "officer-wuxi", unit="320200")
    assert officer("POST", "/statements/1/withdraw", json={"note": "不要"}).json()["code"] == "unit-scope"
    assert lead("POST", "/statements/9/review", json={"confirm": True}).status_code == 404


def test_units_and_days(filled: Any) -> None:
    client = filled.signed_in("analyst")
    assert client("GET", "/units/320000/grading").json()["systems"] == 0
    filled.registry.beat(filled.now)
    found = client("GET", "/units/320000/grading").json()
    assert (found["systems"], found["by_level"]["3"], found["conclusions"]["未定"]) == (1, 1, 1)
    (day,) = client("GET", "/systems/portal/grading/trend").json()["rows"]
    assert (day["day"], day["conclusion"]) == ("2026-11-22", "未定")
