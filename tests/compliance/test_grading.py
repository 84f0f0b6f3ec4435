"""Results per item and object: what checks say, what people may say against it, and what nobody has said."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.catalogue import load_catalogue
from compliance.checklist import load_checklist
from compliance.evaluation import VERDICTS, Verdict
from compliance.grading import (
    CheckVerdict,
    ItemResult,
    Statement,
    asked_of,
    asking_checks,
    checks_of,
    combined,
    grade_items,
)
from compliance.registry import AssessmentObject, whole_objects
from crypto.words import Words
from rules import ROOT

NOW = datetime(2026, 11, 22, tzinfo=UTC)
CATALOGUE = load_catalogue(ROOT / "grading")
CHECKS = load_checklist(ROOT / "checklist")
HOSTS = tuple(AssessmentObject(system="s", kind="host", name=name) for name in ("web-01", "web-02"))
PASSWORDS = "L3-8.1.4.1.a"  # PLT-01 and APP-01 name it


def said(check: str, verdict: Verdict, name: str = "", leaf: int = 7) -> CheckVerdict:
    return CheckVerdict(
        object=name, check=check, verdict=verdict, reason=Words("如此", "so"), leaf=leaf, stale_at=NOW
    )


def results(
    *items: str,
    verdicts: Any = (),
    statements: Any = (),
    objects: Any = HOSTS,
) -> dict[tuple[str, str], ItemResult]:
    found = grade_items(
        [CATALOGUE.item(item) for item in items],
        catalogue=CATALOGUE,
        objects=[*whole_objects("s"), *objects],
        checks=CHECKS,
        verdicts=verdicts,
        statements=statements,
        now=NOW,
    )
    return {(one.item, one.object): one for one in found}


def statement(**given: Any) -> Statement:
    base = Statement(
        number=1, system="s", item=PASSWORDS, reason="口令由统一认证平台管理", author="user:a", made=NOW,
        state="confirmed", reviewer="user:b",
    )  # fmt: skip
    return msgspec.structs.replace(base, **given)


def test_a_check_of_another_layer_is_not_heard_where_one_of_its_own_speaks() -> None:
    app = AssessmentObject(system="s", kind="application", name="门户")
    rows = [said("PLT-01", "符合", "web-01"), said("APP-01", "不符合")]
    found = results(PASSWORDS, verdicts=rows, objects=(HOSTS[0], app))
    assert {name: one.verdict for (_, name), one in found.items()} == {
        "host:web-01": "符合",
        "application:门户": "不符合",
    }


def test_each_object_has_a_result_of_its_own() -> None:
    rows = [said("PLT-01", "符合", "web-01"), said("PLT-01", "不符合", "web-02"), said("APP-01", "符合")]
    found = results(PASSWORDS, verdicts=rows)
    assert {name: one.verdict for (_, name), one in found.items()} == {
        "host:web-01": "符合",
        "host:web-02": "不符合",
    }
    short = found[PASSWORDS, "host:web-02"]
    assert (short.by, short.leaves, short.stale_at, short.risk) == (("PLT-01",), (7,), NOW, "major")


def test_a_host_no_probe_has_read_is_unknown_not_as_good_as_its_neighbour() -> None:
    found = results(PASSWORDS, verdicts=[said("PLT-01", "符合", "web-01"), said("APP-01", "符合")])
    assert found[PASSWORDS, "host:web-02"].verdict == "未知"
    assert "没有读数" in found[PASSWORDS, "host:web-02"].reason.zh or found[
        PASSWORDS, "host:web-02"
    ].reason.zh.endswith("尚未评估")


def test_what_is_one_of_a_kind_hears_the_system_as_a_whole() -> None:
    item = "L3-8.1.2.1.c"  # NET-01, judged on the network
    (whole,) = results(item, verdicts=[said("NET-01", "符合")]).values()
    assert (whole.object, whole.verdict) == ("network:网络架构", "符合")
    rows = [said("NET-01", "不符合", "tap-1"), said("NET-01", "符合", "tap-2")]
    (named,) = results(item, verdicts=rows).values()
    assert named.verdict in ("部分符合", "不符合")


def test_nothing_said_is_unknown_and_says_why() -> None:
    (one,) = results("L3-8.1.4.8.b").values()  # data, none registered
    assert (one.object, one.verdict, one.reason.zh) == ("", "未知", "尚未登记可判定的测评对象")
    (lone,) = results("L4-9.1.7.2.c").values()  # new at level 4
    assert (lone.verdict, lone.by) == ("未知", ())
    assert "人工" in lone.reason.zh
    (unasked,) = results("L3-8.1.1.2").values()
    assert "PHY-01" in unasked.reason.zh


def test_other_levels_hear_the_checks_of_their_own_items() -> None:
    asking = asking_checks(CHECKS)
    second = CATALOGUE.item("L2-7.1.4.8.a")  # backup, though 8.1.4.8 is confidentiality
    assert checks_of(second, CATALOGUE, asking) == ("DAT-05",)
    (clock,) = results("L4-9.1.5.4.g", verdicts=[said("PLT-12", "符合")]).values()
    assert clock.verdict == "符合"  # the check names the item of level 4 itself


@pytest.mark.parametrize(
    ("grade", "extensions", "never"),
    [
        ("S3A3G3", (), {"PLT-13"}),
        ("S3A3G3", ("cloud",), set()),
        ("S2A3G3", (), {"PLT-03", "DAT-03"}),
        ("S2A2G2", (), {"PLT-03", "PLT-09", "PLT-13", "DAT-03"}),
        ("S1A1G1", (), {"NET-06", "PLT-10", "PLT-11", "MGT-02"}),
    ],
)
def test_a_system_is_asked_what_its_own_items_ask(
    grade: str, extensions: tuple[str, ...], never: set[str]
) -> None:
    items = CATALOGUE.select(grade, extensions)
    asked = asked_of(items, CATALOGUE, CHECKS)
    assert not asked & never
    asking = asking_checks(CHECKS)
    assert asked - {"DAT-12"} == {one for item in items for one in checks_of(item, CATALOGUE, asking)} - {
        "DAT-12"
    }
    assert "DAT-12" in asked, "the law asks it of every system"


def test_a_check_of_level_3_never_fulfils_a_stricter_item_of_level_4() -> None:
    stricter = CATALOGUE.item("L4-9.1.4.7.a")
    names = checks_of(stricter, CATALOGUE, asking_checks(CHECKS))
    data = [AssessmentObject(system="s", kind="data", name="重要业务数据")]
    good = results(stricter.id, objects=data, verdicts=[said(name, "符合") for name in names])
    bad = results(stricter.id, objects=data, verdicts=[said(name, "不符合") for name in names])
    assert [one.verdict for one in (*good.values(), *bad.values())] == ["部分符合", "不符合"]


@pytest.mark.parametrize(
    ("by_checks", "stated", "counts"),
    [
        ("未知", "符合", "符合"),
        ("未知", "不适用", "不适用"),
        ("符合", "不符合", "不符合"),
        ("符合", "不适用", "不适用"),
        ("不符合", "符合", "不符合"),  # nobody talks a probe's finding away
        ("不符合", "不适用", "不适用"),
        ("部分符合", "符合", "部分符合"),
    ],
)
def test_what_a_statement_can_and_cannot_do(
    by_checks: Verdict, stated: Literal["符合", "不符合", "不适用"], counts: Verdict
) -> None:
    rows = [said(name, by_checks, "web-01") for name in ("PLT-01", "APP-01")]
    found = results(PASSWORDS, objects=HOSTS[:1], verdicts=rows, statements=[statement(verdict=stated)])
    (one,) = found.values()
    assert one.verdict == counts
    assert one.statement == 1
    assert "user:a" in one.by


@pytest.mark.parametrize(
    "change",
    [
        {"state": "proposed"},
        {"state": "refused"},
        {"state": "withdrawn"},
        {"valid_until": NOW - timedelta(seconds=1)},
        {"object": "host:web-02"},
        {"item": "L3-8.1.4.1.b"},
    ],
)
def test_a_statement_that_does_not_count(change: dict[str, Any]) -> None:
    stated = [statement(verdict="不适用", **change)]
    (one,) = results(PASSWORDS, objects=HOSTS[:1], statements=stated).values()
    assert (one.verdict, one.statement) == ("未知", None)


def test_a_mitigated_risk_is_lower_and_the_verdict_stays() -> None:
    rows = [said("PLT-01", "不符合", "web-01"), said("APP-01", "不符合", "web-01")]
    eased = statement(object="host:web-01", risk="medium", mitigation="仅限堡垒机登录")
    (one,) = results(PASSWORDS, objects=HOSTS[:1], verdicts=rows, statements=[eased]).values()
    assert (one.verdict, one.risk, one.mitigation) == ("不符合", "medium", "仅限堡垒机登录")


def test_a_statement_on_one_object_is_closer_than_one_on_all() -> None:
    stated = [statement(verdict="不适用"), statement(number=2, object="host:web-01", verdict="不符合")]
    found = results(PASSWORDS, statements=stated)
    assert [found[PASSWORDS, f"host:{name}"].verdict for name in ("web-01", "web-02")] == ["不符合", "不适用"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(VERDICTS), max_size=6))
def test_several_verdicts_are_never_better_than_the_worst(those: list[Verdict]) -> None:
    found = combined(those)
    assert combined(reversed(those)) == found
    if "不符合" in those or "部分符合" in those:
        assert found in ("不符合", "部分符合")
    elif "未知" in those or not those:
        assert found == "未知"
    else:
        assert found == ("符合" if "符合" in those else "不适用")
