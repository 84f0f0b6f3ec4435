"""The verdict rule: boundaries as configured, major risks, too little known; the formula of 2021 by hand."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from compliance.evaluation import VERDICTS
from compliance.verdict_rule import (
    Judged2021,
    conclude,
    decided_share,
    load_rule,
    rate,
    rule_words,
    score_2021,
)
from crypto.words import BadInput
from rules import ROOT

RULE = load_rule(ROOT / "grading")


def counts(conforms: int, partly: int = 0, fails: int = 0, none: int = 0, unknown: int = 0) -> Any:
    return dict(zip(VERDICTS, (conforms, partly, fails, none, unknown), strict=True))


def test_the_rate_leaves_out_what_does_not_apply_and_what_nobody_knows() -> None:
    assert rate(counts(90, 5, 5, 50, 20), RULE) == 90.0
    assert rate(counts(0, none=10, unknown=10), RULE) is None
    half = msgspec.structs.replace(
        RULE, rate=msgspec.structs.replace(RULE.rate, partly=0.5, unknown_counts=True)
    )
    assert rate(counts(60, 20, 0, 5, 20), half) == 70.0


@pytest.mark.parametrize(
    ("good", "bad", "major", "verdict"),
    [
        (91, 9, 0, "符合"),
        (90, 10, 0, "基本符合"),  # exactly 90: as configured
        (61, 39, 0, "基本符合"),
        (60, 40, 0, "基本符合"),  # exactly 60: as configured
        (59, 41, 0, "不符合"),
        (95, 5, 1, "基本符合"),
        (70, 30, 3, "基本符合"),
        (10, 90, 1, "不符合"),
    ],
)
def test_boundaries_and_major_risks(good: int, bad: int, major: int, verdict: str) -> None:
    assert conclude(counts(good, fails=bad), major, RULE) == verdict


def test_the_boundaries_are_the_configurations_to_choose() -> None:
    limits = msgspec.structs.replace(RULE.boundary, conforms_at_boundary=True, basically_at_boundary=False)
    other = msgspec.structs.replace(RULE, boundary=limits)
    assert conclude(counts(27, fails=3), 0, other) == "符合"
    assert conclude(counts(3, fails=2), 0, other) == "不符合"
    assert "90%(含)" in rule_words(other).zh
    assert "90%(不含)" in rule_words(RULE).zh
    assert RULE.version in rule_words(RULE).en


def test_no_verdict_where_too_little_is_known() -> None:
    assert conclude(counts(79, unknown=21), 0, RULE) == "未定"
    assert conclude(counts(80, unknown=20), 0, RULE) == "符合"
    assert conclude(counts(0, none=5), 0, RULE) == "未定"
    assert decided_share(counts(0)) == 0.0


def test_the_formula_of_2021() -> None:
    def items(**verdicts: str) -> list[Judged2021]:
        found = []
        for name, pair in verdicts.items():
            verdict: Any
            verdict, _, weight = pair.partition("/")
            domain = "安全计算环境" if name[0] == "t" else "安全运维管理"
            found.append(Judged2021(verdict=verdict, domain=domain, importance=weight))
        return found

    rule = RULE.formula_2021
    perfect = items(t1="符合", m1="符合", t2="不适用", m2="未知")
    assert score_2021(perfect, high_risk=False, medium_risk=False, rule=rule) == (100.0, "优")
    assert score_2021(perfect, high_risk=False, medium_risk=True, rule=rule)[1] == "良"
    assert score_2021(perfect, high_risk=True, medium_risk=False, rule=rule)[1] == "差"
    # n = 4, S = 25: technical 50 - 2(1-0.5)25 = 25, managerial 50 - 1(1-0)25 = 25
    mixed = items(t1="部分符合/重要", t2="符合", m1="不符合/一般", m2="符合/关键")
    assert score_2021(mixed, high_risk=False, medium_risk=False, rule=rule) == (50.0, "差")
    # a side never goes below nothing
    lost = items(t1="不符合/关键", m1="符合")
    assert score_2021(lost, high_risk=False, medium_risk=False, rule=rule) == (50.0, "差")
    assert score_2021([], high_risk=False, medium_risk=False, rule=rule) == (100.0, "优")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("conforms_above: 90.0", "conforms_above: 50.0"),
        ("default_weight: 一般", "default_weight: 无"),
        ("partly: 0.0", "partly: 1.5"),
        ("format: 1", "format: 2"),
        ("basis: item", "basis: asset"),
    ],
)
def test_a_malformed_rule_is_named(tmp_path: Path, old: str, new: str) -> None:
    text = (ROOT / "grading" / "verdict.yaml").read_text("utf-8")
    assert old in text
    (tmp_path / "verdict.yaml").write_text(text.replace(old, new), "utf-8")
    with pytest.raises(BadInput, match="catalogue-malformed"):
        load_rule(tmp_path)
