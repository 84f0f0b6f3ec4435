"""Tests of soc_api.permissions: the table says what the duties of each role allow, and no more."""

from pathlib import Path

import pytest

from soc_api.permissions import PERMISSIONS, ROLES, TABLE, allows, permissions_of

DOCS = Path(__file__).parents[2] / "docs" / "reference" / "permissions.md"


def test_every_role_is_in_the_table_with_known_permissions() -> None:
    assert set(TABLE) == set(ROLES)
    assert set().union(*TABLE.values()) == set(PERMISSIONS)


def test_nobody_has_everything() -> None:
    assert all(set(granted) != set(PERMISSIONS) for granted in TABLE.values())


def test_the_three_administrators_are_apart() -> None:
    acting = {"alerts.act", "checks.evaluate", "reports.make"}
    for role in ("system_admin", "security_admin", "audit_admin", "wall_display"):
        assert not acting & set(permissions_of(role))
    assert [role for role in ROLES if allows(role, "audit.read")] == ["audit_admin"]


def test_nobody_may_both_ask_for_a_transfer_and_decide_about_it() -> None:
    deciding = {"transfers.approve", "transfers.export", "transfers.import"}
    for role in ROLES:
        granted = set(permissions_of(role))
        assert "transfers.request" not in granted or not deciding & granted, role
        assert "transfers.read" in granted or not {"transfers.request", *deciding} & granted, role


def test_nobody_may_both_state_something_of_an_item_and_confirm_it() -> None:
    for role in ROLES:
        assert not {"grading.state", "grading.review"} <= set(permissions_of(role)), role
        assert allows(role, "registry.read") or not allows(role, "registry.edit"), role


@pytest.mark.parametrize("role", ROLES)
def test_the_documentation_has_the_same_table(role: str) -> None:
    if not DOCS.exists():
        pytest.skip("no documentation in this checkout")
    text = DOCS.read_text(encoding="utf-8").splitlines()
    heads = next(line for line in text if line.startswith("| 权限 |"))
    lines = [line for line in text if line.count("|") == heads.count("|") and line.startswith("| `")]
    column = [cell.strip().strip("`") for cell in heads.split("|")].index(role)
    documented = {
        cells[1].strip().strip("`")
        for cells in (line.split("|") for line in lines)
        if cells[column].strip() == "✓"
    }
    assert documented == set(permissions_of(role))  # type: ignore[arg-type]
