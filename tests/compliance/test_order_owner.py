"""Who answers for an order."""

from compliance.order_owner import order_owner
from compliance.registry import Contact, Duty, GradedSystem

SYSTEM = GradedSystem(id="portal", unit="320100", name="门户", level=3, grade="S3A3G3")
DUTIES: dict[str, list[Duty]] = {
    "data": ["data-officer", "responsible"],
    "others": ["responsible", "contact"],
}


def person(name: str, duty: Duty, system: str = "", unit: str = "320100") -> Contact:
    return Contact(unit=unit, system=system, duty=duty, name=name)


def test_people_of_the_system_come_before_those_of_the_unit() -> None:
    people = [
        person("别处", "responsible", unit="320200"),
        person("别的系统", "responsible", "other"),
        person("单位负责", "responsible"),
        person("单位数据", "data-officer"),
        person("系统联系", "contact", "portal"),
    ]
    assert order_owner(SYSTEM, "network", people, DUTIES) == "系统联系"
    assert order_owner(SYSTEM, "data", people, DUTIES) == "单位数据"
    assert order_owner(SYSTEM, "network", people[:3], DUTIES) == "单位负责"


def test_the_owner_entered_for_the_system_comes_first_and_the_unit_last() -> None:
    owned = GradedSystem(id="p", unit="320100", name="门户", level=3, grade="S3A3G3", owner="user:li")
    assert order_owner(owned, "data", [person("单位数据", "data-officer")], DUTIES) == "user:li"
    assert order_owner(SYSTEM, "data", [person("领导", "leader")], DUTIES) == "unit:320100"
