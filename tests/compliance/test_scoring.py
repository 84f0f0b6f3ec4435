"""Roll-up to item, point, domain, layer, system and unit; major risks are counted before rectification."""

from datetime import UTC, date, datetime, timedelta

import msgspec

from compliance.catalogue import load_catalogue
from compliance.evaluation import Verdict
from compliance.grading import ItemResult, Risk
from compliance.registry import GradedSystem
from compliance.scoring import SystemScore, item_verdicts, points, read_2021, roll_up, score
from compliance.verdict_rule import load_rule
from crypto.words import Words
from rules import ROOT

NOW = datetime(2026, 11, 22, tzinfo=UTC)
CATALOGUE, RULE = load_catalogue(ROOT / "grading"), load_rule(ROOT / "grading")
SYSTEM = GradedSystem(id="portal", unit="320100-zwb", name="门户", level=3, grade="S3A3G3")
ITEMS = CATALOGUE.of(SYSTEM)
DOOR = "L3-8.1.1.2"  # trigger A-01


def result(
    item: str, verdict: Verdict, *, name: str = "x", risk: Risk = "", mitigation: str = ""
) -> ItemResult:
    return ItemResult(
        item=item,
        object=name,
        verdict=verdict,
        reason=Words("", ""),
        by=(),
        leaves=(),
        stale_at=NOW,
        risk=risk,
        mitigation=mitigation,
    )


def scored(*special: ItemResult, before: SystemScore | None = None, now: datetime = NOW) -> SystemScore:
    those = {one.item for one in special}
    plain = [result(item.id, "符合") for item in ITEMS if item.id not in those]
    return score(SYSTEM, ITEMS, [*plain, *special], rule=RULE, before=before, now=now)


def test_everything_conforms() -> None:
    found = scored()
    assert (found.items, found.counts["符合"], found.rate, found.conclusion) == (211, 211, 100.0, "符合")
    assert [group.name for group in found.layers] == [
        "physical", "network", "platform", "data", "application", "management",
    ]  # fmt: skip
    assert sum(sum(group.counts.values()) for group in found.domains) == 211
    assert (found.rule, found.template) == (RULE.version, "2025")


def test_an_item_is_as_good_as_its_objects_together() -> None:
    rows = [
        result(ITEMS[0].id, "符合", name="a"),
        result(ITEMS[0].id, "不符合", name="b", risk="high"),
        result(ITEMS[1].id, "不适用"),
    ]
    found = {one.item: one for one in item_verdicts(ITEMS[:3], rows)}
    assert (found[ITEMS[0].id].verdict, found[ITEMS[0].id].risk, found[ITEMS[0].id].objects) == (
        "部分符合", "high", 2,
    )  # fmt: skip
    assert found[ITEMS[1].id].verdict == "不适用"
    assert found[ITEMS[2].id].verdict == "未知"
    (group, *_) = points(ITEMS[:3], found.values(), RULE)
    assert group.name == "8.1.1.1 物理位置选择"


def test_major_risks_are_counted_before_rectification() -> None:
    first = scored(result(DOOR, "不符合", risk="major"))
    assert [(risk.trigger, risk.first_seen, risk.rectified) for risk in first.major_risks] == [
        ("A-01", date(2026, 11, 22), None)
    ]
    assert (first.conclusion, first.high_risks, first.major_open) == ("基本符合", 1, 1)
    later = NOW + timedelta(days=30)
    mended = scored(before=first, now=later)
    assert (len(mended.major_risks), mended.major_open, mended.high_risks) == (1, 0, 0)
    assert mended.major_risks[0].rectified == later.date()
    assert mended.conclusion == "基本符合"  # 1（1个已整改）
    again = scored(result(DOOR, "不符合", risk="major"), before=mended, now=later)
    assert again.major_risks == first.major_risks
    # The next assessment closes the year.
    assessed = msgspec.structs.replace(SYSTEM, assessed=later.date() + timedelta(days=1))
    plain = [result(item.id, "符合") for item in ITEMS]
    after = score(assessed, ITEMS, plain, rule=RULE, before=mended, now=later + timedelta(days=2))
    assert (after.major_risks, after.conclusion) == ((), "符合")


def test_a_mitigated_risk_is_told_apart() -> None:
    found = scored(result(DOOR, "不符合", risk="medium", mitigation="双人值守"))
    assert (found.high_risks, found.mitigated, found.major_risks) == (0, 1, ())


def test_votes_may_go_by_object() -> None:
    by_result = msgspec.structs.replace(RULE, rate=msgspec.structs.replace(RULE.rate, basis="result"))
    rows = [result(item.id, "符合") for item in ITEMS]
    rows += [result(ITEMS[0].id, "不符合", name=f"host-{number}") for number in range(100)]
    found = score(SYSTEM, ITEMS, rows, rule=by_result, before=None, now=NOW)
    assert found.rate is not None
    assert 67 < found.rate < 68
    assert found.counts["部分符合"] == 1


def test_units_add_up_their_systems() -> None:
    small = msgspec.structs.replace(scored(), system="oa", level=2)
    big = scored(result(DOOR, "不符合", risk="major"))
    found = roll_up("320100", [small, big], RULE)
    assert (found.systems, found.by_level, found.high_risks) == (2, {1: 0, 2: 1, 3: 1, 4: 0}, 1)
    assert found.conclusions == {"符合": 1, "基本符合": 1, "不符合": 0, "未定": 0}
    assert (found.major_risks, found.major_rectified) == (1, 0)
    assert found.counts["不符合"] == 1
    assert sum(sum(group.counts.values()) for group in found.layers) == 422
    nothing = roll_up("320200", [], RULE)
    assert (nothing.systems, nothing.rate) == (0, None)


def test_the_same_result_beside_an_old_report() -> None:
    rows = [result(item.id, "符合") for item in ITEMS]
    assert read_2021(ITEMS, item_verdicts(ITEMS, rows), RULE) == (100.0, "优")
    rows[2] = result(DOOR, "不符合", risk="major")
    total, grade = read_2021(ITEMS, item_verdicts(ITEMS, rows), RULE)
    assert (round(total, 2), grade) == (99.53, "差")
