"""The timeline, tasks, reports and evidence of an incident over HTTP."""

import io
from datetime import timedelta
from typing import Any

import docx
import pytest

from crypto.sm3 import sm3_hex
from soc_api.incident_files import FILE_BYTES_MAX


@pytest.fixture(name="lead")
def _lead(world: Any) -> Any:
    return world.signed_in("shift_lead")


@pytest.fixture(name="number")
def _number(lead: Any) -> str:
    given = {"title": "门户网站被篡改", "unit": "320000-local", "grade": 3, "kind": "网页篡改"}
    found: str = lead("POST", "/incidents", json=given).json()["incident"]["number"]
    return found


FIRST = {"facts": "首页被替换", "harm": "门户不可用", "measures": "已下线"}


def test_the_chain_of_reports_is_kept_in_order_and_stops_the_clock(
    world: Any, lead: Any, number: str
) -> None:
    path = f"/incidents/{number}"
    filing = {"kind": "first", "to": "省网信办", "channel": "电话", "fields": FIRST}
    early = lead("POST", f"{path}/filings", json=filing | {"kind": "follow-up"})
    assert (early.status_code, early.json()["code"]) == (409, "incident-filing")
    missing = lead("POST", f"{path}/filings", json=filing | {"fields": {"facts": "首页被替换"}})
    assert (missing.status_code, missing.json()["field"]) == (422, "fields.harm")
    done = lead("POST", f"{path}/filings", json=filing).json()
    assert done["incident"]["clocks"][0]["done"] is not None
    assert lead("POST", f"{path}/filings", json=filing).status_code == 409
    assert (
        lead(
            "POST", f"{path}/filings", json=filing | {"kind": "follow-up", "fields": {"trend": "平稳"}}
        ).status_code
        == 200
    )
    lead("POST", f"{path}/steps", json={"step": "settle", "note": "已恢复"})
    owed = lead("POST", f"{path}/decide", json={"step": "close", "note": "完成"})
    assert (owed.status_code, owed.json()["field"]) == (409, "final")
    final = filing | {"kind": "final", "fields": FIRST | {"cause": "弱口令", "lessons": "已改"}}
    assert lead("POST", f"{path}/filings", json=final).status_code == 200
    closed = lead("POST", f"{path}/decide", json={"step": "close", "note": "完成"}).json()
    assert [one["kind"] for one in closed["filings"]] == ["first", "follow-up", "final"]
    assert [clock["id"] for clock in closed["incident"]["clocks"]] == ["first", "final"]


def test_a_report_is_a_form_with_the_takers_mark(world: Any, lead: Any, number: str) -> None:
    filing = {"kind": "first", "to": "省网信办", "channel": "电话", "fields": FIRST}
    lead("POST", f"/incidents/{number}/filings", json=filing)
    made = lead("GET", f"/incidents/{number}/filings/1/docx")
    again = lead("GET", f"/incidents/{number}/filings/1/docx")
    assert made.content == again.content
    document = docx.Document(io.BytesIO(made.content))
    assert "网络安全事件报告(首报)" in [line.text for line in document.paragraphs]
    rows = {row.cells[0].text: row.cells[1].text for row in document.tables[0].rows}
    assert rows["事件名称"] == "门户网站被篡改"
    assert rows["类别与级别"] == "网络攻击事件(网页篡改),较大事件(GB/T 20986-2023)"
    assert rows["影响与危害"] == "门户不可用"
    assert document.sections[0].header.paragraphs[0].text == "shift-lead 2026-11-22 16:00"
    pdf = lead("GET", f"/incidents/{number}/filings/1/pdf")
    assert (pdf.headers["content-type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    assert lead("GET", f"/incidents/{number}/filings/2/pdf").status_code == 404


def test_tasks_hold_up_the_end(lead: Any, world: Any, number: str) -> None:
    path = f"/incidents/{number}"
    lead("POST", f"{path}/change", json={"grade": 4, "note": "降级"})
    due = (world.now + timedelta(hours=1)).isoformat()
    made = lead("POST", f"{path}/tasks", json={"title": "取证", "owner": "user:li", "due": due}).json()
    assert (made["tasks"][0]["state"], made["incident"]["tasks_open"]) == ("open", 1)
    lead("POST", f"{path}/steps", json={"step": "settle", "note": "已恢复"})
    assert (
        lead("POST", f"{path}/decide", json={"step": "close", "note": "完成"}).json()["code"]
        == "incident-unfinished"
    )
    ended = lead("POST", f"{path}/tasks/1", json={"state": "done"}).json()
    assert ended["tasks"][0]["ended_by"] == "user:shift-lead"
    assert lead("POST", f"{path}/tasks/9", json={"state": "done"}).status_code == 404
    assert lead("POST", f"{path}/decide", json={"step": "close", "note": "完成"}).status_code == 200


def test_the_timeline_stands_in_the_order_things_happened(lead: Any, world: Any, number: str) -> None:
    at = (world.now - timedelta(hours=2)).isoformat()
    told = lead("POST", f"/incidents/{number}/notes", json={"note": "值班电话报告", "at": at}).json()
    assert [event["action"] for event in told["events"]] == ["noted", "opened"]
    late = (world.now + timedelta(hours=2)).isoformat()
    assert lead("POST", f"/incidents/{number}/notes", json={"note": "将来", "at": late}).status_code == 422
    secret = lead("POST", f"/incidents/{number}/notes", json={"note": "绝密★10年"})
    assert secret.json()["code"] == "state-secret"


def test_evidence_is_sealed_at_rest_and_every_look_is_audited(lead: Any, world: Any, number: str) -> None:
    data = b"GET /a.php HTTP/1.1\r\n" * 100
    path = f"/incidents/files?incident={number}&name=access.log&note=web-01"
    made = lead("POST", path, content=data)
    assert made.status_code == 201, made.text
    (file,) = made.json()["files"]
    assert (file["sm3"], file["bytes"], file["actor"]) == (sm3_hex(data), len(data), "user:shift-lead")
    sealed = world.folder / "incidents" / f"{file['sm3']}.sealed"
    assert b"a.php" not in sealed.read_bytes()
    assert sealed.stat().st_mode & 0o777 == 0o600
    kept = f"/incidents/{number}/files/{file['sm3']}"
    assert lead("GET", kept).json()["code"] == "names-hidden"
    lead("POST", "/names", json={"reason": "核对证据内容", "minutes": 10})
    assert lead("GET", kept).content == data
    assert world.audited()[-1][1] == "incident.evidence-read"
    assert lead("POST", path, content=data).json()["field"] == "file"
    assert lead("GET", f"/incidents/{number}/files/{'0' * 64}").status_code == 404
    officer = world.signed_in("compliance_officer")
    assert officer("GET", f"/incidents/{number}/files/{file['sm3']}").status_code == 403
    body = bytearray(sealed.read_bytes())
    body[40] ^= 1
    sealed.write_bytes(body)
    broken = lead("GET", f"/incidents/{number}/files/{file['sm3']}")
    assert (broken.status_code, broken.json()["code"]) == (503, "incident-file-damaged")
    assert lead("POST", path, content=bytes(FILE_BYTES_MAX + 1)).status_code == 413
