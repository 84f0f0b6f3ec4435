"""P-33 and P-10: exports say who took them and when, and carry a label that transfers honour."""

import io
import re
from html import unescape
from typing import Any
from zipfile import ZipFile

import pytest

from compliance.registry_csv import read_csv

MARK = "user:shift-lead 2026-11-22T08:00:00Z 测试中心"


def test_p33_the_registry_as_xlsx_and_csv_is_marked_and_can_be_imported_again(world: Any) -> None:
    client = world.signed_in("shift_lead")
    book = ZipFile(io.BytesIO(client("GET", "/registry/export").content))
    inside = {name: unescape(book.read(name).decode()) for name in book.namelist() if name.endswith(".xml")}
    assert MARK in inside["docProps/core.xml"]
    sheets = [text for name, text in inside.items() if name.startswith("xl/worksheets/")]
    assert all(MARK in text for text in sheets)
    sheet = client("GET", "/registry/export/units").content
    assert MARK in sheet.decode("utf-8-sig").splitlines()[0]
    assert MARK not in str(read_csv(sheet))


@pytest.mark.parametrize("path", ["/hunt/export", "/hunt/export?format=ndjson"])
def test_p33_what_a_hunt_exports_is_marked(world: Any, path: str) -> None:
    first = world.signed_in("analyst")("GET", path).content.split(b"\n")[0].decode("utf-8-sig")
    assert "user:analyst" in first
    assert "2026-11-22T08:00:00Z" in first


def test_p10_an_export_is_labelled_by_what_it_holds(world: Any) -> None:
    client = world.signed_in("analyst")
    without = client("GET", "/hunt/export").content.decode("utf-8-sig").splitlines()[0]
    client("POST", "/names", json={"reason": "核实当事人", "minutes": 10})
    with_names = client("GET", "/hunt/export").content.decode("utf-8-sig").splitlines()[0]
    assert [re.findall("label: (..)", line) for line in (without, with_names)] == [["一般"], ["重要"]]
    audit = world.signed_in("audit_admin")("GET", "/audit/export?kind=ndjson").content
    assert b'"label":"\xe9\x87\x8d\xe8\xa6\x81"' in audit.split(b"\n")[0]


@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
def test_p10_a_transfer_honours_the_label_of_a_file(world: Any, charset: str) -> None:
    lead = world.signed_in("analyst")
    lead("POST", "/names", json={"reason": "核实当事人", "minutes": 10})
    data = lead("GET", f"/hunt/export?charset={charset}").content
    ask = {
        "channel": "city",
        "application": "DAT-2026-1",
        "purpose": "共享研判",
        "marks": [],
        "days": 7,
    }
    for label, status in (("一般", 409), ("重要", 201)):
        file = lead("POST", "/transfers/files?name=events.csv", content=data).json()["id"]
        answer = lead("POST", "/transfers", json={**ask, "label": label, "files": [file]})
        assert answer.status_code == status, answer.text
        assert status == 201 or answer.json()["code"] == "transfer-label-low"


def test_p33_a_file_that_goes_out_byte_for_byte_is_marked_by_its_name(world: Any) -> None:
    world.record_evidence(1)
    lead = world.signed_in("shift_lead")
    number = lead("POST", "/incidents", json={"title": "网页被改", "unit": "320000-local"}).json()
    number = number["incident"]["number"]
    made = lead("POST", f"/incidents/files?incident={number}&name=a.log", content=b"x").json()
    lead("POST", "/names", json={"reason": "核对证据内容", "minutes": 10})
    for path in (f"/incidents/{number}/files/{made['files'][0]['sm3']}", "/evidence/0/payload"):
        answer = lead("GET", path)
        assert answer.status_code == 200, answer.text
        assert "shift-lead-20261122T080000Z" in answer.headers["content-disposition"]
