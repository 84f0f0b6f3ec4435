"""Tests of the report routes."""

from typing import Any


def test_reports_are_made_listed_and_downloaded(world: Any) -> None:
    client = world.signed_in("shift_lead")
    made = client("POST", "/reports", json={"month": "2026-10"})
    assert made.status_code == 201
    assert client("GET", "/reports").json()["rows"] == [made.json()]
    for kind, type_ in (("pdf", "application/pdf"), ("xlsx", "spreadsheetml")):
        answer = client("GET", f"/reports/{made.json()['id']}/{kind}")
        assert answer.content == f"{kind} of 2026-10-1".encode()
        assert type_ in answer.headers["content-type"]
        named = f'filename="liuhe-2026-10-1-shift-lead-20261122T080000Z.{kind}"'
        assert named in answer.headers["content-disposition"]
    assert client("GET", "/reports/none/pdf").status_code == 404
    assert client("GET", "/reports/2026-10-1/exe").status_code == 404
    for wrong in ("2026-13", "x", "2026-1"):
        assert client("POST", "/reports", json={"month": wrong}).json()["field"] == "body.month"
    assert ("user:shift-lead", "report.download", "2026-10-1.pdf", "accepted") in world.audited()
    for kind in ("docx", "p7s"):
        assert client("GET", f"/reports/2026-10-1/{kind}").status_code == 200


def test_a_step_is_signed_with_ones_own_key(world: Any) -> None:
    officer = world.signed_in("compliance_officer")
    report = officer("POST", "/reports", json={"month": "2026-10"}).json()
    path, content = f"/reports/{report['id']}", {"content_sm3": report["content_sm3"]}
    draft = officer("POST", f"{path}/draft", json={"step": "prepare", **content}).json()["statement"]
    assert draft == f"{report['id']} prepare {report['content_sm3']} user:compliance-officer"
    own = {"statement": draft, "key": "a" * 64, "signature": "00ff"}
    assert officer("POST", f"{path}/prepare", json={**content, "own": own}).status_code == 200
    assert world.reports.acts[-1][-1] == "a" * 64
    wrong = officer("POST", f"{path}/prepare", json={**content, "own": {**own, "key": "a"}})
    assert wrong.status_code == 422


def test_three_roles_take_the_steps_and_nobody_elses(world: Any) -> None:
    lead = world.signed_in("shift_lead")
    report = lead("POST", "/reports", json={"month": "2026-10"}).json()
    content = {"content_sm3": report["content_sm3"]}
    officer, security = world.signed_in("compliance_officer"), world.signed_in("security_admin")
    path = f"/reports/{report['id']}"
    assert officer("PUT", f"{path}/sections", json={"texts": {"plan": "甲"}}).status_code == 200
    assert security("PUT", f"{path}/sections", json={"texts": {"plan": "甲"}}).status_code == 403
    assert officer("POST", f"{path}/prepare", json=content).json()["next"] == "prepare"
    assert officer("POST", f"{path}/review", json=content).status_code == 403
    assert security("POST", f"{path}/review", json=content).status_code == 200
    assert security("POST", f"{path}/return", json={"reason": "数字有误"}).status_code == 200
    assert security("POST", f"{path}/approve", json=content).status_code == 403
    assert lead("POST", f"{path}/approve", json=content).status_code == 200
    assert lead("POST", f"{path}/approve", json={"content_sm3": "x"}).status_code == 422
    assert lead("GET", path).json()["report"] == report
    (chart,) = lead("GET", f"{path}/charts").json()["rows"]
    assert (chart["kind"], chart["series"][0]["values"]) == ("radar", [50.0, None])
    assert [act[0] for act in world.reports.acts] == ["edit", "prepare", "review", "return", "approve"]
    assert ("user:shift-lead", "report.approve", report["id"], "accepted") in world.audited()
