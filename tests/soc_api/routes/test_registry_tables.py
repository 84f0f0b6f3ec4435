"""Tasks, coverage, export and import over HTTP."""

import io
from typing import Any

import pytest
from openpyxl import load_workbook

from compliance.registry import Asset, GradedSystem, RegistryTask
from crypto.words import Words

CITY, OTHER = "320100", "320200"
CSV = "编号,单位代码,名称,定级\nportal,320100,门户,S3A3G3\n"


@pytest.fixture
def filled(world: Any) -> Any:
    desk = world.registry
    desk.plant(world.now)
    for name, unit in (("nanjing", CITY), ("wuxi", OTHER)):
        system = GradedSystem(id=name, unit=unit, name=name, level=3, grade="S3A3G3")
        desk.registry.put_system(system, world.now, "user:a")
        desk.assets.put_asset(Asset(system=name, name=f"web-{name}"), world.now, "user:a")
    wanted = [
        RegistryTask(
            kind="unregistered-asset", key=unit, unit=unit, what=Words("登记", "register"), opened=world.now
        )
        for unit in (CITY, OTHER)
    ]
    desk.tasks.reconcile(wanted, world.now)
    return world


def test_tasks_are_seen_and_dismissed_within_ones_units(filled: Any) -> None:
    client = filled.signed_in("compliance_officer", unit=CITY)
    (task,) = client("GET", "/registry/tasks").json()["rows"]
    assert task["unit"] == CITY
    assert client("POST", "/registry/tasks/2/dismiss", json={"reason": "不是我的"}).status_code == 403
    assert client("POST", "/registry/tasks/1/dismiss", json={"reason": "略"}).status_code == 422
    done = client("POST", "/registry/tasks/1/dismiss", json={"reason": "测试机,已隔离"}).json()
    assert (done["state"], done["actor"]) == ("dismissed", "user:compliance-officer")
    assert client("GET", "/registry/tasks").json()["rows"] == []
    assert len(client("GET", "/registry/tasks?state=all").json()["rows"]) == 1


def test_coverage_shows_ones_part(filled: Any) -> None:
    whole = filled.signed_in("analyst")("GET", "/registry/coverage").json()
    assert len(whole["units"]) == 14
    assert (whole["units"][0]["systems"], whole["units"][0]["unregistered"]) == (2, 2)
    part = filled.signed_in("analyst", "analyst-nanjing", unit=CITY)("GET", "/registry/coverage").json()
    assert [row["unit"] for row in part["units"]] == [CITY]
    assert [(row["system"], row["assets"], row["covered"]) for row in part["systems"]] == [
        ("nanjing", 1, False)
    ]


def test_what_is_exported_can_be_imported(filled: Any) -> None:
    client = filled.signed_in("compliance_officer", unit=CITY)
    answer = client("GET", "/registry/export")
    assert answer.headers["content-disposition"] == 'attachment; filename="registry.xlsx"'
    book = load_workbook(io.BytesIO(answer.content))
    assert book.sheetnames == ["单位", "定级对象", "资产", "测评对象", "联系人"]
    assert [row[0] for row in book["定级对象"].iter_rows(min_row=2, values_only=True)] == ["nanjing"]
    same = client("POST", "/registry/import?dry_run=false", content=answer.content).json()
    assert (same["done"], same["errors"], same["same"]["systems"]) == (True, [], 1)
    sheet = client("GET", "/registry/export/assets")
    assert sheet.headers["content-type"].startswith("text/csv")
    assert "web-nanjing" in sheet.content.decode("utf-8-sig")
    assert "web-wuxi" not in sheet.content.decode("utf-8-sig")
    assert client("GET", "/registry/export/people").status_code == 422


def test_an_import_runs_dry_unless_told_otherwise(filled: Any) -> None:
    client = filled.signed_in("compliance_officer")
    tried = client("POST", "/registry/import?sheet=systems", content=CSV.encode()).json()
    assert (tried["dry_run"], tried["done"], tried["added"]["systems"]) == (True, False, 1)
    assert client("GET", "/systems/portal").status_code == 404
    done = client("POST", "/registry/import?sheet=systems&dry_run=false", content=CSV.encode()).json()
    assert done["done"] is True
    assert client("GET", "/systems/portal").status_code == 200
    wrong = client(
        "POST",
        "/registry/import?sheet=systems&dry_run=false",
        content=CSV.replace("S3A3G3", "S3A3G1").encode(),
    ).json()
    assert (wrong["done"], wrong["errors"][0]["row"], wrong["errors"][0]["column"]) == (False, 2, "定级")
    for body in (b"", b"rubbish"):
        answer = client("POST", "/registry/import", content=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "registry-file")
    large = client("POST", "/registry/import", content=b"x" * (10 * 1024 * 1024 + 1))
    assert large.status_code == 413


def test_nobody_imports_into_a_neighbour(filled: Any) -> None:
    client = filled.signed_in("compliance_officer", unit=OTHER)
    refused = client("POST", "/registry/import?sheet=systems&dry_run=false", content=CSV.encode()).json()
    assert refused["done"] is False
    assert "outside" in refused["errors"][0]["what"]["en"]


def test_reading_is_not_taking_home(filled: Any) -> None:
    client = filled.signed_in("analyst")
    for method, path in (
        ("GET", "/registry/export"),
        ("GET", "/registry/export/units"),
        ("POST", "/registry/import"),
    ):
        assert client(method, path).json()["field"] == "registry.edit"
