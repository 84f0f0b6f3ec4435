"""The catalogue: published totals, S/A/G selection, objects, what checks say of other levels."""

from collections import Counter
from pathlib import Path

import pytest

from compliance.catalogue import Catalogue, load_catalogue
from compliance.checklist import load_checklist
from compliance.registry import DATA_CLASSES, AssessmentObject, whole_objects
from crypto.words import BadInput
from rules import ROOT

ITEM = (
    "{id: L1-6.1.1.1, unit: L1-PES1-01, level: 1, ext: general, domain: 安全物理环境, clause: 6.1.1.1, "
    "point: p, item: null, summary: s, six_layer: 物理, automatable: manual, hint: h, high_risk_case: [], "
    "severity_proposed: low, sag: G}"
)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(ROOT / "grading")


@pytest.mark.parametrize(
    ("extension", "counts"),
    [
        ("general", (55, 135, 211, 228)),
        ("cloud", (11, 29, 46, 49)),
        ("mobile", (5, 14, 19, 21)),
        ("iot", (4, 7, 20, 21)),
        ("ics", (9, 15, 21, 22)),
    ],
)
def test_totals_are_the_published_ones(catalogue: Catalogue, extension: str, counts: tuple[int, ...]) -> None:
    assert tuple(len(catalogue.items(level, extension)) for level in range(1, 5)) == counts


def test_points_and_domains_of_each_level(catalogue: Catalogue) -> None:
    points = [len({item.clause for item in catalogue.items(level)}) for level in range(1, 5)]
    assert points == [42, 68, 71, 71]
    third = Counter(item.domain for item in catalogue.items(3))
    assert list(third.values()) == [22, 8, 20, 34, 12, 7, 14, 12, 34, 48]
    assert len(catalogue) == 942
    # 28448 skips a number: units are read, never counted.
    assert "L3-CES1-16" not in {item.unit for item in catalogue.items(3)}


def test_a_grade_takes_each_dimension_at_its_level(catalogue: Catalogue) -> None:
    assert {grade: len(catalogue.select(grade)) for grade in ("S1A1G1", "S2A2G2", "S3A3G3", "S4A4G4")} == {
        "S1A1G1": 55,
        "S2A2G2": 135,
        "S3A3G3": 211,
        "S4A4G4": 228,
    }
    mixed = catalogue.select("S2A3G3")
    assert {(item.dimension, item.level) for item in mixed} == {("S", 2), ("A", 3), ("G", 3)}
    cloudy = catalogue.select("S2A3G3", ["cloud"])
    assert Counter(item.level for item in cloudy if item.extension == "cloud") == {3: 46}
    with pytest.raises(BadInput, match="system-grade"):
        catalogue.select("S3A3G2")


def test_every_item_has_kinds_of_object(catalogue: Catalogue) -> None:
    whole = whole_objects("s")
    data = [AssessmentObject(system="s", kind="data", name=name) for name in DATA_CLASSES]
    host = AssessmentObject(system="s", kind="host", name="web-01")
    for level in range(1, 5):
        for item in catalogue.items(level):
            assert catalogue.judged_on(item, [*whole, *data, host]), item.id
    encrypted = catalogue.item("L3-8.1.4.8.b")
    assert [one.name for one in catalogue.judged_on(encrypted, [*data, host])] == list(DATA_CLASSES)
    personal = catalogue.item("L3-8.1.4.11.a")
    assert [one.id for one in catalogue.judged_on(personal, [*data, host])] == ["data:重要个人信息"]


def test_other_levels_ask_the_checks_of_level_3_by_words_or_table_never_by_number(
    catalogue: Catalogue,
) -> None:
    backup = catalogue.item("L2-7.1.4.8.a")  # 8.1.4.8 of level 3 is confidentiality
    assert catalogue.source(backup).items == ("L3-8.1.4.9.a",)
    assert catalogue.source(catalogue.item("L2-7.1.2.2")).exact is False
    unsettled = [
        item.id
        for level in (1, 2, 4)
        for extension in ("general", "cloud", "mobile", "iot", "ics")
        for item in catalogue.items(level, extension)
        if not catalogue.source(item).items
    ]
    # Only items that are new at level 4 are left to people.
    assert unsettled
    assert all(name.startswith("L4-") for name in unsettled)
    for level in (1, 2, 4):
        for item in catalogue.items(level):
            assert all(catalogue.item(name).level == 3 for name in catalogue.source(item).items)


def test_every_level_3_item_is_asked_by_a_check(catalogue: Catalogue) -> None:
    asked = {
        clause if clause.startswith("L") else f"L3-{clause}"
        for check in load_checklist(ROOT / "checklist")
        for clause in check.clauses
    }
    assert {item.id for item in catalogue.items(3)} <= asked


def test_high_risk_items_of_each_level(catalogue: Catalogue) -> None:
    # 40 at level 3, 16 at level 2 among the general items.
    assert [sum(bool(item.high_risk_cases) for item in catalogue.items(level)) for level in (2, 3)] == [
        16,
        40,
    ]
    assert catalogue.item("L3-8.1.1.2").major_risk_triggers == ("A-01",)
    assert catalogue.item("L3-8.1.1.2").reference == "8.1.1.2"
    assert catalogue.item("L3-8.1.4.1.a").reference == "8.1.4.1 a)"


def test_an_unknown_item_and_malformed_files_are_named(catalogue: Catalogue, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="item-unknown"):
        catalogue.item("L3-9.9.9")
    with pytest.raises(BadInput, match="catalogue-malformed"):
        load_catalogue(tmp_path)
    (tmp_path / "catalogue.yaml").write_text(f"catalog:\n- {ITEM}\n", "utf-8")
    (tmp_path / "objects.yaml").write_text((ROOT / "grading" / "objects.yaml").read_text("utf-8"), "utf-8")
    good = "format: 1\nitems:\n  L1-6.1.1.1: []\n"
    strange, newer = good.replace("L1-6.1.1.1", "L1-6.9.9"), good.replace("format: 1", "format: 2")
    for wrong in (strange, newer, "a: [", "[]"):
        (tmp_path / "equivalents.yaml").write_text(wrong, "utf-8")
        with pytest.raises(BadInput, match="catalogue-malformed"):
            load_catalogue(tmp_path)
    (tmp_path / "equivalents.yaml").write_text(good, "utf-8")
    assert len(load_catalogue(tmp_path)) == 1
