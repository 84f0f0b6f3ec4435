"""Notices over HTTP: three people make one, each receiver answers for itself, numbers have no hole."""

import io
from datetime import timedelta
from typing import Any

import docx
import pytest

from compliance.registry import Unit

TEXT = "近日监测发现相关风险。\n请按要求处置并反馈。"


class People:
    """The accounts of a center and of two units below it; signed in when first asked for."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self._signed: dict[tuple[str, str], Any] = {}
        for code, name in (("320100-a", "甲局"), ("320200-b", "乙局")):
            unit = Unit(code=code, name=name, parent="320000-local")
            world.registry.registry.put_unit(unit, world.now, "user:a")

    def __call__(self, role: str, unit: str = "320000-local", name: str = "") -> Any:
        name = name or f"{role.replace('_', '-')}-{unit[-1]}"
        if (name, unit) not in self._signed:
            self._signed[name, unit] = self.world.signed_in(role, name, unit=unit)
        return self._signed[name, unit]


@pytest.fixture(name="people")
def _people(world: Any) -> People:
    world.registry.registry.put_unit(
        Unit(code="320000-local", name="省数据局", kind="province"), world.now, "user:a"
    )
    return People(world)


def drafted(people: People, **given: Any) -> int:
    body = {
        "kind": "rectification",
        "title": "关于整改的通知",
        "text": TEXT,
        "receivers": ["320100-a", "320200-b"],
    }
    answer = people("analyst")("POST", "/notices", json=body | given)
    assert answer.status_code == 201, answer.text
    found: int = answer.json()["notice"]["id"]
    return found


def issued(people: People, **given: Any) -> int:
    number = drafted(people, **given)
    people("analyst")("POST", f"/notices/{number}/steps", json={"step": "submit"})
    people("shift_lead")("POST", f"/notices/{number}/decide", json={"step": "approve"})
    answer = people("security_admin")("POST", f"/notices/{number}/decide", json={"step": "issue"})
    assert answer.status_code == 200, answer.text
    return number


def test_three_people_make_a_notice_and_each_receiver_answers_it(world: Any, people: People) -> None:
    number = drafted(people)
    path = f"/notices/{number}"
    assert people("compliance_officer", "320100-a")("GET", path).status_code == 403
    people("analyst")("POST", f"{path}/steps", json={"step": "submit"})
    lead, security = people("shift_lead"), people("security_admin")
    assert lead("POST", f"{path}/decide", json={"step": "issue"}).json()["code"] == "notice-state"
    assert lead("POST", f"{path}/decide", json={"step": "approve"}).json()["steps"] == ["return", "withdraw"]
    assert lead("POST", f"{path}/decide", json={"step": "issue"}).json()["code"] == "notice-same-person"
    done = security("POST", f"{path}/decide", json={"step": "issue"}).json()
    assert (done["notice"]["number"], done["notice"]["state"]) == ("网安整改〔2026〕1号", "issued")
    a = people("compliance_officer", "320100-a")
    seen = a("GET", path).json()
    assert [one["unit"] for one in seen["receipts"]] == ["320100-a"]
    assert [event["action"] for event in seen["events"]] == ["issue"]
    assert seen["receipts"][0]["steps"] == ["sign"]
    own = f"{path}/receivers/320100-a"
    assert (
        a("POST", f"{path}/receivers/320200-b/steps", json={"step": "sign"}).json()["code"]
        == "notice-receiver"
    )
    for step, note in (("sign", ""), ("handle", ""), ("answer", "已修复并加固")):
        answer = a("POST", f"{own}/steps", json={"step": step, "note": note})
        assert answer.status_code == 200, answer.text
    assert security("POST", f"{own}/decide", json={"step": "fail", "note": "仍可访问"}).status_code == 200
    assert a("POST", f"{own}/steps", json={"step": "answer", "note": "已再次加固"}).status_code == 200
    assert security("POST", f"{own}/decide", json={"step": "pass"}).status_code == 200
    cleared = security("POST", f"{own}/decide", json={"step": "clear"}).json()
    assert (cleared["notice"]["cleared"], cleared["notice"]["state"]) == (1, "issued")
    b, other = people("shift_lead", "320200-b"), f"{path}/receivers/320200-b"
    for step, note in (("sign", ""), ("answer", "已处置完毕")):
        b("POST", f"{other}/steps", json={"step": step, "note": note})
    for step in ("pass", "clear"):
        last = lead("POST", f"{other}/decide", json={"step": step}).json()
    assert last["notice"]["state"] == "closed"
    assert "notice.answer" in [line[1] for line in world.audited()]


def test_whoever_writes_in_a_notice_does_not_review_it(people: People) -> None:
    number = drafted(people)
    lead = people("shift_lead")
    body = {"kind": "warning", "title": "预警通报一则", "text": TEXT, "receivers": ["320100-a"]}
    assert lead("PUT", f"/notices/{number}", json=body).json()["notice"]["kind"] == "warning"
    lead("POST", f"/notices/{number}/steps", json={"step": "submit"})
    assert (
        lead("POST", f"/notices/{number}/decide", json={"step": "approve"}).json()["code"]
        == "notice-same-person"
    )
    back = people("security_admin")(
        "POST", f"/notices/{number}/decide", json={"step": "return", "note": "请补充"}
    )
    assert back.json()["notice"]["state"] == "draft"
    gone = people("analyst")(
        "POST", f"/notices/{number}/steps", json={"step": "withdraw", "note": "不再需要"}
    )
    assert gone.json()["notice"]["state"] == "withdrawn"


def test_numbers_have_no_hole_per_issuer(people: People) -> None:
    first = issued(people)
    drafted(people)  # never issued: takes no number
    second = issued(people, kind="incident")
    rows = {
        row["id"]: row["number"]
        for row in people("shift_lead")("GET", "/notices?state=issued").json()["rows"]
    }
    assert rows == {first: "网安整改〔2026〕1号", second: "网安通报〔2026〕2号"}


def test_a_notice_goes_down_and_a_feedback_sheet_up(people: People) -> None:
    body = {"kind": "warning", "title": "预警通报一则", "text": TEXT, "receivers": ["320000-local"]}
    wrong = people("analyst")("POST", "/notices", json=body)
    assert (wrong.status_code, wrong.json()["field"]) == (422, "receivers")
    up = people("compliance_officer", "320100-a")("POST", "/notices", json=body | {"kind": "feedback"})
    assert up.json()["notice"]["issuer"] == "320100-a"
    rules = people("compliance_officer", "320100-a")("GET", "/notices/rules").json()
    assert ([one["code"] for one in rules["above"]], rules["below"]) == (["320000-local"], [])


def test_what_is_late_is_listed_reminded_and_scored(world: Any, people: People) -> None:
    number = issued(people)
    world.now += timedelta(days=8)
    assert world.casework.work(world.now) == 4  # two receivers: to sign for it, to answer
    assert world.casework.work(world.now) == 0
    world.now += timedelta(days=9)
    world.casework.work(world.now)
    late = world.signed_in("security_admin", "late")
    assert [row["id"] for row in late("GET", "/notices?overdue=true").json()["rows"]] == [number]
    page = late("GET", "/notices/scores").json()
    assert [(row["unit"], row["score"]) for row in page["rows"]] == [
        ("320100-a", 100 - 2 - 5 - 2),
        ("320200-b", 100 - 2 - 5 - 2),
    ]
    notes = [
        one["note"]
        for one in late("GET", f"/notices/{number}").json()["events"]
        if one["action"] == "reminded"
    ]
    assert notes[-1] == "answer 100 %"
    assert late("GET", "/notices/scores?first=2026-12-31&last=2026-01-01").status_code == 422


def test_a_notice_and_an_answer_are_printed(people: People) -> None:
    number = issued(people)
    analyst = people("analyst")
    made = analyst("GET", f"/notices/{number}/paper/docx")
    lines = [line.text for line in docx.Document(io.BytesIO(made.content)).paragraphs if line.text]
    assert lines[1:5] == ["省数据局文件", "网安整改〔2026〕1号", "关于整改的通知", "甲局、乙局："]
    assert analyst("GET", f"/notices/{number}/paper/pdf").content.startswith(b"%PDF-")
    sheet = analyst("GET", f"/notices/{number}/receivers/320100-a/paper/docx")
    assert "处置反馈单" in docx.Document(io.BytesIO(sheet.content)).paragraphs[2].text
    a = people("compliance_officer", "320100-a")
    assert a("GET", f"/notices/{number}/receivers/320200-b/paper/docx").status_code == 404


def test_other_units_see_nothing_of_it(people: People) -> None:
    number = issued(people, receivers=["320100-a"])
    b = people("shift_lead", "320200-b")
    assert b("GET", "/notices").json()["rows"] == []
    for method, path, body in (
        ("GET", f"/notices/{number}", None),
        ("POST", f"/notices/{number}/decide", {"step": "revoke", "note": "撤销"}),
        ("POST", f"/notices/{number}/receivers/320100-a/decide", {"step": "pass"}),
        ("GET", f"/notices/{number}/paper/pdf", None),
    ):
        answer = b(method, path, json=body) if body else b(method, path)
        assert (answer.status_code, answer.json()["code"]) == (403, "unit-scope"), path
    assert people("shift_lead")("GET", "/notices/99").status_code == 404
    revoked = people("shift_lead")(
        "POST", f"/notices/{number}/decide", json={"step": "revoke", "note": "误发"}
    )
    assert revoked.json()["receipts"][0]["state"] == "void"
