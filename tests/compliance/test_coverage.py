"""Coverage: a unit counts what stands below it, a system is covered by sight and fresh evidence."""

from datetime import UTC, datetime

from compliance.coverage import Seen, SensorCount, system_coverage, unit_coverage
from compliance.registry import GradedSystem, Unit
from compliance.unit_tree import UnitTree

NOW = datetime(2026, 11, 22, tzinfo=UTC)
TREE = UnitTree(
    [
        Unit(code="320000", name="江苏省", kind="province"),
        Unit(code="320100", name="南京市", parent="320000", kind="city"),
        Unit(code="320100-zwb", name="政务办", parent="320100"),
    ]
)


def test_units_count_what_is_below_them() -> None:
    systems = [
        GradedSystem(id=name, unit=unit, name=name, level=3, grade="S3A3G3")
        for name, unit in (("portal", "320100-zwb"), ("oa", "320000"))
    ]
    known = {
        "portal": Seen(
            assets=("web-01", "web-02"), checks=74, fresh=20, newest=NOW, orders_open=2, tasks_open=1
        )
    }
    covered = system_coverage(systems, known, frozenset({"web-01"}))
    assert [(one.assets, one.assets_seen, one.covered) for one in covered] == [(2, 1, True), (0, 0, False)]
    rows = unit_coverage(
        TREE,
        covered,
        {"320100-zwb": SensorCount(total=2, online=1), "320000": SensorCount(total=1, online=1)},
        {"320100": 3},
        {"320100-zwb": 1},
    )
    assert [row.unit for row in rows] == ["320000", "320100", "320100-zwb"]
    province, city, office = rows
    assert (province.systems, province.systems_covered, province.sensors) == (
        2, 1, SensorCount(total=3, online=2),
    )  # fmt: skip
    assert (city.unregistered, city.orders_open, city.tasks_open, office.unregistered) == (3, 2, 1, 0)
