"""What may be entered: fields, grades, state secrets, and the words of every refusal."""

from typing import Any

import msgspec
import pytest

from compliance.registry import (
    AssessmentObject,
    Asset,
    Contact,
    GradedSystem,
    Unit,
    checked_asset,
    checked_contact,
    checked_object,
    checked_system,
    checked_unit,
    not_found,
    object_of,
    parse_grade,
    whole_objects,
)
from crypto.words import BadInput, Refused

SYSTEM = GradedSystem(id="portal", unit="320100-zwb", name="门户", level=3, grade="S2A3G3")


def test_a_grade_is_three_levels_and_the_third_the_higher_one() -> None:
    assert parse_grade("S2A3G3") == (2, 3, 3)
    for wrong in ("S3A3G2", "S2A2G3", "s3a3g3", "S5A3G5", "S3A3", "", "S3A3G3 "):
        with pytest.raises(BadInput, match="system-grade"):
            parse_grade(wrong)


@pytest.mark.parametrize(
    ("change", "error", "code"),
    [
        ({"state_secret": True}, Refused, "state-secret"),
        ({"note": "承载机密级信息"}, Refused, "state-secret"),
        ({"level": 5}, BadInput, "system-level"),
        ({"level": 2}, BadInput, "system-grade"),
        ({"id": "-x"}, BadInput, "registry-field"),
        ({"id": "x" * 65}, BadInput, "registry-field"),
        ({"name": "  "}, BadInput, "registry-field"),
        ({"name": "a\x00b"}, BadInput, "registry-field"),
        ({"owner": "x" * 201}, BadInput, "registry-field"),
        ({"extensions": ("quantum",)}, BadInput, "registry-field"),
    ],
)
def test_a_system_that_may_not_be_entered(change: dict[str, Any], error: Any, code: str) -> None:
    assert checked_system(SYSTEM) is SYSTEM
    with pytest.raises(error) as refused:
        checked_system(msgspec.structs.replace(SYSTEM, **change))
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (checked_unit, Unit(code="3201", name="x")),
        (checked_unit, Unit(code="320100", name="")),
        (checked_unit, Unit(code="320100", name="x", parent="320100")),
        (checked_unit, Unit(code="320100", name="x", kind="village")),  # type: ignore[arg-type]
        (checked_asset, Asset(system="s", name="")),
        (checked_asset, Asset(system="s", name="x", kind="fridge")),  # type: ignore[arg-type]
        (checked_object, AssessmentObject(system="s", kind="data", name="别的数据")),
        (checked_object, AssessmentObject(system="s", kind="room", name="x" * 121)),
        (checked_contact, Contact(unit="320100", duty="leader", name="")),
        (checked_contact, Contact(unit="320100", duty="leader", name="甲", phone="1\x07")),
    ],
)
def test_an_entry_that_is_wrong_names_its_field(check: Any, value: Any) -> None:
    with pytest.raises(BadInput, match="registry-field") as wrong:
        check(value)
    assert wrong.value.field in {"code", "name", "parent", "kind", "duty", "phone"}


def test_a_machine_is_an_object_and_every_system_has_some_from_the_start() -> None:
    host = object_of(Asset(number=7, system="s", name="web-01"))
    assert host is not None
    assert (host.id, host.asset) == ("host:web-01", 7)
    assert object_of(Asset(system="s", name="打印机", kind="other")) is None
    assert [one.id for one in whole_objects("s")] == [
        "room:机房",
        "network:网络架构",
        "boundary:区域边界",
        "center:安全管理中心",
        "organisation:安全管理体系",
    ]


def test_what_is_not_there_has_a_code_of_its_own() -> None:
    assert not_found("task", "7").code == "task-not-found"
    assert not_found("unit", "7").field == "7"
