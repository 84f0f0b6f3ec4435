"""Milestones in a real state database: the step, the system after it and the log go together."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from compliance.grading_process import Step, load_process
from compliance.milestone_store import MilestoneStore
from compliance.registry import GradedSystem, Milestone
from compliance.registry_log_store import RegistryLogStore
from compliance.registry_store import RegistryStore
from crypto.words import Refused
from detection.store.state import open_state
from rules import ROOT

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SYSTEM = GradedSystem(id="portal", unit="320100-zwb", name="门户", level=3, grade="S3A3G3")


def test_steps_are_kept_with_what_they_made_of_the_system(tmp_path: Path) -> None:
    engine = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}", create=True)
    registry = RegistryStore(engine)
    registry.register(SYSTEM, unit_name="政务办", now=NOW)
    store = MilestoneStore(engine, load_process(ROOT / "grading"))

    paper = Milestone(
        system="portal", step="", day=NOW.date(), document="32010099-25001", authority="南京市公安局"
    )
    steps: tuple[Step, ...] = ("grade", "expert-review", "approve", "file")
    for step in steps:
        store.take(step, paper, NOW, "user:a", grade="S2A2G2" if step == "grade" else "")
    with pytest.raises(Refused, match="step-refused"):
        store.take("operate", paper, NOW, "user:a")
    after = registry.system("portal")
    assert (after.stage, after.grade, after.level, after.filing_expires) == (
        "filed", "S2A2G2", 2, date(2029, 11, 22),
    )  # fmt: skip
    taken = store.of("portal")
    assert [one.step for one in taken] == ["file", "approve", "expert-review", "grade"]
    assert (taken[0].stage, taken[0].actor, taken[0].recorded) == ("filed", "user:a", NOW)
    assert RegistryLogStore(engine).of("system:portal")[0].action == "system.file"
    engine.dispose()
