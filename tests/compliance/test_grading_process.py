"""The way of a graded system: every step from every stage, clocks, and what level 1 need not do."""

from datetime import date
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.grading_process import (
    STAGES,
    STEP_WORDS,
    STEPS,
    Step,
    add_months,
    allowed_steps,
    deadlines,
    load_process,
    take,
)
from compliance.registry import GradedSystem, Milestone, Stage
from crypto.words import BadInput, Refused
from rules import ROOT

PROCESS = load_process(ROOT / "grading")
TODAY = date(2026, 11, 22)
SYSTEM = GradedSystem(id="portal", unit="320100-zwb", name="门户", level=3, grade="S3A3G3")


def walk(system: GradedSystem, *steps: Step, day: date = TODAY, **given: Any) -> GradedSystem:
    for step in steps:
        paper = Milestone(system=system.id, step=step, day=day, document="32010099-25001", note="原因")
        system = take(system, step, msgspec.structs.replace(paper, **given), PROCESS, TODAY)
    return system


def filed() -> GradedSystem:
    return walk(SYSTEM, "grade", "expert-review", "approve", "file")


def test_the_whole_way_of_a_level_3_system() -> None:
    system = filed()
    assert (system.stage, system.filing_number) == ("filed", "32010099-25001")
    assert (system.filed, system.filing_expires) == (TODAY, date(2029, 11, 22))
    system = walk(system, "build", "assess")
    assert (system.stage, system.assessed, system.assessment_due) == ("assessed", TODAY, date(2027, 11, 22))
    assert system.filing_expires == date(2030, 11, 22)  # one year longer with an assessment
    system = walk(system, "rectify", "operate", "crypto-assess", "inspect")
    assert (system.stage, system.crypto_due) == ("operating", date(2027, 11, 22))
    system = walk(system, "change")
    assert system.stage == "changing"
    paper = Milestone(system="portal", step="grade", day=TODAY)
    again = take(system, "grade", paper, PROCESS, TODAY, grade="S2A2G2")
    assert (again.stage, again.level, again.grade) == ("graded", 2, "S2A2G2")
    assert walk(again, "retire").retired
    assert allowed_steps(walk(again, "retire")) == ()


def test_levels_without_a_national_period_have_no_due_day() -> None:
    second = msgspec.structs.replace(SYSTEM, level=2, grade="S2A2G2")
    after = walk(second, "grade", "expert-review", "approve", "file", "assess", "crypto-assess")
    assert (after.assessment_due, after.crypto_due) == (None, None)
    chosen = walk(after, "assess", valid_until=date(2028, 11, 22))
    assert chosen.assessment_due == date(2028, 11, 22)


def test_level_1_is_not_filed() -> None:
    first = walk(msgspec.structs.replace(SYSTEM, level=1, grade="S1A1G1"), "grade")
    assert "file" not in allowed_steps(first)
    assert "expert-review" not in allowed_steps(first)
    assert walk(first, "build", "operate").stage == "operating"
    with pytest.raises(Refused, match="step-refused"):
        walk(first, "approve")


@pytest.mark.parametrize(
    ("stage", "step"),
    [
        ("draft", "file"),
        ("graded", "approve"),
        ("graded", "assess"),
        ("filed", "operate"),
        ("retired", "grade"),
    ],
)
def test_a_step_out_of_turn_is_refused_and_names_those_that_are_not(stage: Stage, step: Step) -> None:
    with pytest.raises(Refused, match="step-refused") as refused:
        walk(msgspec.structs.replace(SYSTEM, stage=stage), step)
    assert "possible now" in refused.value.fix.en


@pytest.mark.parametrize(
    ("step", "change", "field"),
    [
        ("assess", {"day": date(2026, 12, 1)}, "day"),
        ("assess", {"document": " "}, "document"),
        ("assess", {"valid_until": TODAY}, "valid_until"),
        ("change", {"note": ""}, "note"),
    ],
)
def test_a_step_without_its_paper_is_refused(step: Step, change: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput, match="registry-field") as wrong:
        walk(filed(), step, **change)
    assert wrong.value.field == field


def test_a_filing_is_renewed_in_its_last_months_only() -> None:
    system = filed()
    with pytest.raises(Refused, match="filing-early"):
        walk(system, "renew")
    late = msgspec.structs.replace(system, filing_expires=date(2027, 2, 1))
    assert walk(late, "renew").filing_expires == date(2029, 11, 22)


def test_clocks_that_run_out_are_told_in_time() -> None:
    system = msgspec.structs.replace(
        filed(),
        filing_expires=date(2027, 2, 20),
        assessment_due=date(2026, 11, 1),
        crypto_due=date(2027, 2, 21),
    )
    gone = msgspec.structs.replace(system, id="old", stage="retired")
    found = deadlines([system, gone], PROCESS, TODAY)
    assert [(one.kind, one.days) for one in found] == [("assessment-due", -21), ("filing-expires", 90)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(STEPS), max_size=12), st.sampled_from([1, 2, 3, 4]))
def test_any_walk_stays_on_the_map(steps: list[Step], level: int) -> None:
    system = msgspec.structs.replace(SYSTEM, level=level, grade=f"S{level}A{level}G{level}")
    for step in steps:
        if step in allowed_steps(system) and step != "renew":
            system = walk(system, step)
        elif step != "renew":
            with pytest.raises(Refused, match="step-refused"):
                walk(system, step)
    assert system.stage in STAGES


def test_every_stage_and_step_has_words() -> None:
    assert set(STAGES) == set(get_args(Stage))
    assert set(STEP_WORDS) == set(STEPS)


def test_months_end_where_the_month_does() -> None:
    assert add_months(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert add_months(date(2026, 11, 30), 3) == date(2027, 2, 28)


def test_malformed_clocks_are_named(tmp_path: Path) -> None:
    (tmp_path / "process.yaml").write_text("format: 1\nfiling_years: three\n", "utf-8")
    with pytest.raises(BadInput, match="catalogue-malformed"):
        load_process(tmp_path)
