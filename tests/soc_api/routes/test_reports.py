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
        assert f'filename="liuhe-2026-10-1.{kind}"' in answer.headers["content-disposition"]
    assert client("GET", "/reports/none/pdf").status_code == 404
    assert client("GET", "/reports/2026-10-1/exe").status_code == 404
    for wrong in ("2026-13", "x", "2026-1"):
        assert client("POST", "/reports", json={"month": wrong}).json()["field"] == "body.month"
    assert ("user:shift-lead", "report.download", "2026-10-1.pdf", "accepted") in world.audited()
