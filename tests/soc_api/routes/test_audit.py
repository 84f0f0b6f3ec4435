"""Tests of the audit route."""

from typing import Any


def test_the_audit_log_is_read_by_the_auditor(world: Any) -> None:
    client = world.signed_in("audit_admin")
    first = client("GET", "/audit?limit=2").json()
    assert [row["action"] for row in first["rows"]] == ["session.login", "session.password"]
    rest = client("GET", f"/audit?cursor={first['next']}").json()
    assert rest["rows"][-1]["action"] == "account.create"
    assert client("GET", "/audit?cursor=-1").json()["field"] == "cursor"
