"""The registry's routes: one's own part of the tree and no other, steps, what is refused, what is audited."""

from typing import Any

import pytest

from compliance.registry import Asset, GradedSystem

CITY, OTHER = "320100", "320200"
SYSTEM = {"unit": CITY, "name": "政务门户", "grade": "S3A3G3", "extensions": ["cloud"], "internet": True}
STEP = {"day": "2026-11-20", "document": "32010099-25001", "authority": "南京市公安局"}


@pytest.fixture
def filled(world: Any) -> Any:
    """A province's center: the standard units, a system in each of two cities."""
    desk = world.registry
    desk.plant(world.now)
    for name, unit in (("nanjing", CITY), ("wuxi", OTHER)):
        system = GradedSystem(id=name, unit=unit, name=name, level=3, grade="S3A3G3")
        desk.registry.put_system(system, world.now, "user:a")
    return world


def test_the_tree_and_a_system_from_entry_to_filing(filled: Any) -> None:
    client = filled.signed_in("compliance_officer")
    rows = client("GET", "/units").json()["rows"]
    assert len(rows) == 14  # the province and its 13 cities
    assert (rows[0]["name"], rows[1]["parent"]) == ("江苏省", "320000")
    made = client("PUT", "/systems/portal", json=SYSTEM)
    assert (made.status_code, made.json()["level"], made.json()["stage"]) == (200, 3, "draft")
    for step in ("grade", "expert-review", "approve", "file"):
        done = client("POST", "/systems/portal/steps", json={**STEP, "step": step})
        assert done.status_code == 200, done.text
    detail = done.json()
    assert (detail["system"]["stage"], detail["system"]["filing_expires"]) == ("filed", "2029-11-20")
    assert detail["milestones"][0]["step"] == "file"
    assert "assess" in [one["step"] for one in detail["steps"]]
    assert {one["kind"] for one in detail["objects"]} == {
        "room",
        "network",
        "boundary",
        "center",
        "organisation",
    }
    assert detail["history"][0]["action"] == "system.file"
    early = client("POST", "/systems/portal/steps", json={**STEP, "step": "operate"})
    assert (early.status_code, early.json()["code"]) == (409, "step-refused")
    said = [line[1:] for line in filled.audited() if line[1].startswith("registry.")]
    assert said[0] == ("registry.system", "system:portal", "accepted")
    assert said[-1] == ("registry.operate", "system:portal", "failed: step-refused")


def test_a_change_needs_the_newest_revision(filled: Any) -> None:
    client = filled.signed_in("shift_lead")
    row = client("GET", "/systems/nanjing").json()["system"]
    body = {**SYSTEM, "name": "新名", "grade": "S2A2G2", "revision": row["revision"]}
    after = client("PUT", "/systems/nanjing", json=body).json()
    assert (after["name"], after["grade"]) == ("新名", "S3A3G3")  # the grade changes by a step
    assert client("PUT", "/systems/nanjing", json=body).json()["code"] == "registry-changed"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"state_secret": True}, 409, "state-secret"),
        ({"name": "某涉密系统"}, 409, "state-secret"),
        ({"grade": "S3A3G2"}, 422, "system-grade"),
        ({"grade": "S5A5G5"}, 422, "request-malformed"),
        ({"name": ""}, 422, "request-malformed"),
        ({"unit": "329999"}, 404, "unit-not-found"),
    ],
)
def test_what_may_not_be_registered(filled: Any, change: dict[str, Any], status: int, code: str) -> None:
    client = filled.signed_in("compliance_officer")
    answer = client("PUT", "/systems/new", json={**SYSTEM, **change})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert client("GET", "/systems/new").status_code == 404


def test_assets_objects_and_people(filled: Any) -> None:
    client = filled.signed_in("compliance_officer")
    asset = {"name": "web-01", "kind": "host", "address": "10.0.0.1"}
    made = client("POST", "/systems/nanjing/assets", json=asset).json()
    assert made["origin"] == "entered"
    assert client("POST", "/systems/nanjing/assets", json=asset).json()["code"] == "asset-exists"
    changed = client(
        "POST", "/systems/nanjing/assets", json={**asset, "number": made["number"], "retired": True}
    )
    assert changed.json()["retired"] is True
    data = client("POST", "/systems/nanjing/objects", json={"kind": "data", "name": "重要个人信息"})
    assert data.json()["id"] == "data:重要个人信息"
    wrong = client("POST", "/systems/nanjing/objects", json={"kind": "data", "name": "随便"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "name")
    person = {"duty": "leader", "name": "甲", "phone": "13800000000", "system": "nanjing"}
    kept = client("POST", f"/units/{CITY}/contacts", json=person).json()
    assert client("GET", f"/units/{CITY}/contacts").json()["rows"] == [kept]
    detail = client("GET", "/systems/nanjing").json()
    assert [one["phone"] for one in detail["contacts"]] == ["13800000000"]
    assert [one["retired"] for one in detail["objects"] if one["id"] == "host:web-01"] == [True]
    reader = filled.signed_in("analyst")
    (shown,) = reader("GET", f"/units/{CITY}/contacts").json()["rows"]
    assert (shown["name"], shown["phone"], shown["email"]) == ("甲", "***", "")
    assert reader("GET", "/systems/nanjing").json()["contacts"] == [shown]
    assert client("DELETE", f"/contacts/{kept['number']}").status_code == 204
    assert client("DELETE", f"/contacts/{kept['number']}").status_code == 404
    assert client("GET", f"/units/{CITY}/contacts").json()["rows"] == []
    assert "13800000000" not in "".join(one.body for one in filled.registry.log.since(0))


def test_a_city_sees_and_changes_its_own_part_only(filled: Any) -> None:
    """Every route that names a unit or a system, asked for a neighbour's."""
    desk = filled.registry
    theirs = desk.assets.put_asset(Asset(system="wuxi", name="db-01"), filled.now, "user:a")
    person = {"duty": "leader", "name": "乙"}
    province = filled.signed_in("compliance_officer")
    number = province("POST", f"/units/{OTHER}/contacts", json=person).json()["number"]
    client = filled.signed_in("compliance_officer", "officer-nanjing", unit=CITY)
    assert [row["code"] for row in client("GET", "/units").json()["rows"]] == [CITY]
    assert [row["id"] for row in client("GET", "/systems").json()["rows"]] == ["nanjing"]
    assert client("GET", "/systems/nanjing").json()["path"][0]["code"] == CITY
    asked = [
        ("GET", "/systems/wuxi", None),
        ("PUT", "/systems/wuxi", {**SYSTEM, "unit": CITY, "revision": 1}),
        ("PUT", "/systems/wuxi", {**SYSTEM, "unit": CITY}),
        ("PUT", "/systems/nanjing", {**SYSTEM, "unit": OTHER, "revision": 1}),
        ("PUT", "/systems/new", {**SYSTEM, "unit": OTHER}),
        ("POST", "/systems/wuxi/steps", {**STEP, "step": "grade"}),
        ("POST", "/systems/wuxi/assets", {"name": "x"}),
        ("POST", "/systems/nanjing/assets", {"name": "x", "number": theirs.number}),
        ("POST", "/systems/wuxi/objects", {"kind": "room", "name": "x"}),
        ("GET", f"/units/{OTHER}/contacts", None),
        ("POST", f"/units/{OTHER}/contacts", person),
        ("POST", f"/units/{CITY}/contacts", {**person, "number": number}),
        ("DELETE", f"/contacts/{number}", None),
        ("PUT", f"/units/{OTHER}", {"name": "x"}),
        ("PUT", f"/units/{OTHER}-x", {"name": "x", "parent": OTHER}),
        ("PUT", f"/units/{CITY}", {"name": "x", "parent": "320000"}),
        ("GET", "/systems/wuxi/grading", None),
        ("GET", "/systems/wuxi/grading/trend", None),
        ("GET", "/systems/wuxi/grading/L3-8.1.1.2", None),
        ("GET", "/systems/wuxi/statements", None),
        (
            "POST",
            "/systems/wuxi/statements",
            {"item": "L3-8.1.1.2", "risk": "low", "reason": "理由充分"},
        ),
        ("GET", f"/units/{OTHER}/grading", None),
    ]
    for method, path, body in asked:
        answer = client(method, path, **({"json": body} if body else {}))
        assert (answer.status_code, answer.json()["code"]) == (403, "unit-scope"), (method, path, answer.text)
    denied = [line for line in filled.audited() if line[1] == "access.denied"]
    assert [line[3] for line in denied] == ["refused: unit-scope"] * len(asked)
    assert desk.registry.system("wuxi").revision == 1
    below = client("PUT", f"/units/{CITY}-zwb", json={"name": "政务办", "parent": CITY, "kind": "department"})
    assert below.status_code == 200
    assert len(client("GET", "/units").json()["rows"]) == 2


def test_units_stay_a_tree(filled: Any) -> None:
    client = filled.signed_in("compliance_officer")
    ring = client("PUT", "/units/320000", json={"name": "江苏省", "parent": CITY, "kind": "province"})
    assert (ring.status_code, ring.json()["field"]) == (422, "parent")
    gone = client("PUT", f"/units/{CITY}", json={"name": "南京市", "parent": "320000", "retired": True})
    assert (gone.status_code, gone.json()["code"]) == (409, "unit-in-use")


@pytest.mark.parametrize("role", ["system_admin", "audit_admin", "security_admin", "analyst", "wall_display"])
def test_only_those_who_keep_the_registry_change_it(filled: Any, role: str) -> None:
    client = filled.signed_in(role)
    assert client("PUT", "/systems/new", json=SYSTEM).json()["field"] == "registry.edit"
    reads = role in ("security_admin", "analyst")
    assert client("GET", "/systems").status_code == (200 if reads else 403)
