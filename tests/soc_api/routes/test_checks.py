"""Tests of the check routes."""

from typing import Any


def test_checks_show_evaluate_and_explain(world: Any) -> None:
    client = world.signed_in("compliance_officer")
    page = client("GET", "/checks").json()
    assert page["checks"][0]["verdict"] == "符合"
    assert page["layers"] == [{"layer": "platform", "counts": {"符合": 1}}]
    assert client("POST", "/checks/evaluate").json() == page
    assert world.compliance.evaluated == 1
    detail = client("GET", "/checks/PLT-01").json()
    assert detail["evidence"][0]["values"] == {"max_days": 90}
    assert client("GET", "/checks/PLT-99").status_code == 404
    assert [line[1:] for line in world.audited()[-4:]] == [
        ("checks.evaluate", "checklist", "accepted"),
        ("evidence.read", "check:PLT-01", "accepted"),
        ("evidence.read", "check:PLT-99", "accepted"),
        ("evidence.read", "check:PLT-99", "failed: check-not-found"),
    ]
