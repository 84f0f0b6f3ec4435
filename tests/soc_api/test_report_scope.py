"""A city's account sees the reports of its own part of the tree."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from compliance.registry import Unit
from compliance.unit_tree import UnitTree
from crypto.words import Refused, Words
from soc_api.report_scope import need_report, reach_of_reports

TREE = UnitTree(
    [
        Unit(code="320000", name="省"),
        Unit(code="320100", name="市", parent="320000"),
        Unit(code="320102", name="区", parent="320100"),
        Unit(code="320200", name="邻市", parent="320000"),
    ]
)


def system(name: str) -> Any:
    if name == "none":
        raise Refused("system-not-found", Words("无", "none"), Words("核对", "check it"))
    return SimpleNamespace(unit=name)


def center(told: list[str], *, registry: bool = True) -> Any:
    known = SimpleNamespace(registry=SimpleNamespace(tree=lambda: TREE, system=system))
    audit = SimpleNamespace(record=lambda line: told.append(line.object))
    from datetime import UTC, datetime

    def clock() -> Any:
        return datetime(2026, 11, 22, tzinfo=UTC)

    return cast(
        "Any",
        SimpleNamespace(unit="320000", registry=known if registry else None, audit=audit, clock=clock),
    )


def visit(unit: str) -> Any:
    return SimpleNamespace(account=SimpleNamespace(unit=unit), actor="user:a", source="::1")


def test_the_centers_own_see_all() -> None:
    sees = reach_of_reports(center([]), visit("320000"))
    assert sees("unit", "320200")
    assert sees("system", "none")


def test_a_city_sees_its_own_part() -> None:
    told: list[str] = []
    here, city = center(told), visit("320100")
    sees = reach_of_reports(here, city)
    assert [sees("unit", code) for code in ("320100", "320102", "320200", "320000")] == [
        True,
        True,
        False,
        False,
    ]
    assert sees("system", "320102")
    assert not sees("system", "none")
    need_report(here, city, "unit", "320102")
    with pytest.raises(Refused, match="unit-scope"):
        need_report(here, city, "system", "320200")
    assert told == ["unit:320200"]


def test_without_a_registry_a_unit_sees_itself() -> None:
    sees = reach_of_reports(center([], registry=False), visit("320100"))
    assert sees("unit", "320100")
    assert not sees("unit", "320102")
