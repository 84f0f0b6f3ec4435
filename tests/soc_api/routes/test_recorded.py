"""Tests of soc_api.routes.recorded: no line, no action."""

from typing import Any

import pytest
from sqlalchemy import text

from detection.store.state import writing


@pytest.mark.parametrize(
    ("path", "body"),
    [("/checks/evaluate", None), ("/reports", {"month": "2026-10"}), ("/evidence/verify", None)],
)
def test_what_cannot_be_audited_is_not_done(world: Any, path: str, body: Any) -> None:
    client = world.signed_in("shift_lead")
    with writing(world.engine) as connection:
        connection.execute(text("ALTER TABLE audit_head RENAME TO away"))
    answer = client("POST", path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (503, "audit-unwritable")
    assert (world.compliance.evaluated, world.reports.made, world.compliance.sound) == (0, [], None)


def test_an_alert_keeps_its_state_where_the_audit_fails(world: Any) -> None:
    group = world.raise_alert().group
    client = world.signed_in("analyst")
    with writing(world.engine) as connection:
        connection.execute(text("ALTER TABLE audit_head RENAME TO away"))
    assert client("POST", f"/alerts/{group}/acknowledge").status_code == 503
    assert world.alerts.detail(group).group.state == "new"
