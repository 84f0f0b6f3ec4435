"""The way of a graded system: grading, review, approval, filing, assessment, operation, change.

Pure: a step is allowed or refused by the stage the system is in, and says what the system is after it. Clocks
stand in rules/grading/process.yaml. Level 1 is graded by its owner alone: nothing is reviewed or filed.
"""

import calendar
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Final, Literal, get_args

import msgspec

from compliance.catalogue import malformed, read_yaml
from compliance.registry import GradedSystem, Milestone, Stage, bad_field, parse_grade
from crypto.words import Refused, Words

Step = Literal[
    "grade",
    "expert-review",
    "approve",
    "file",
    "renew",
    "build",
    "assess",
    "rectify",
    "operate",
    "crypto-assess",
    "inspect",
    "change",
    "retire",
]
STEPS: Final[tuple[Step, ...]] = get_args(Step)
STAGES: Final[dict[Stage, Words]] = {
    "draft": Words("拟定级", "to be graded"),
    "graded": Words("已定级", "graded"),
    "reviewed": Words("已专家评审", "reviewed by experts"),
    "approved": Words("已主管核准", "approved"),
    "filed": Words("已备案", "filed"),
    "building": Words("建设整改", "being built"),
    "assessed": Words("已等级测评", "assessed"),
    "rectifying": Words("测评后整改", "being rectified"),
    "operating": Words("运行", "in operation"),
    "changing": Words("变更中", "being changed"),
    "retired": Words("已撤销", "retired"),
}
STEP_WORDS: Final[dict[Step, Words]] = {
    "grade": Words("定级", "grading"),
    "expert-review": Words("专家评审", "expert review"),
    "approve": Words("主管部门核准", "approval"),
    "file": Words("公安机关备案", "filing"),
    "renew": Words("备案续期", "renewal of the filing"),
    "build": Words("建设整改", "building"),
    "assess": Words("等级测评", "assessment"),
    "rectify": Words("测评后整改", "rectification"),
    "operate": Words("整改完成、保护工作方案", "rectified, protection plan in force"),
    "crypto-assess": Words("密评", "cryptography assessment"),
    "inspect": Words("监督检查", "inspection"),
    "change": Words("重大变更或级别变更", "major change or change of level"),
    "retire": Words("撤销", "retirement"),
}
_FILED: Final[frozenset[Stage]] = frozenset({"filed", "building", "assessed", "rectifying", "operating"})
_FROM: Final[dict[Step, frozenset[Stage]]] = {
    "grade": frozenset({"draft", "graded", "reviewed", "changing"}),
    "expert-review": frozenset({"graded"}),
    "approve": frozenset({"reviewed"}),
    "file": frozenset({"approved"}),
    "renew": _FILED,
    "build": frozenset({"filed", "operating"}),
    "assess": _FILED,
    "rectify": frozenset({"assessed"}),
    "operate": frozenset({"assessed", "rectifying"}),
    "crypto-assess": _FILED,
    "inspect": _FILED,
    "change": _FILED,
    "retire": frozenset(get_args(Stage)) - {"retired"},
}
# Level 1 skips what the public security does not ask of it.
_FROM_LEVEL_1: Final[dict[Step, frozenset[Stage]]] = {
    "build": frozenset({"graded", "operating"}),
    "assess": frozenset({"graded", "building", "operating"}),
    "operate": frozenset({"graded", "building", "assessed", "rectifying"}),
}
_AFTER: Final[dict[Step, Stage]] = {
    "grade": "graded",
    "expert-review": "reviewed",
    "approve": "approved",
    "file": "filed",
    "build": "building",
    "assess": "assessed",
    "rectify": "rectifying",
    "operate": "operating",
    "change": "changing",
    "retire": "retired",
}
# Steps that rest on a paper with a number.
_PAPERS: Final[dict[Step, str]] = {"file": "备案证明编号", "renew": "备案证明编号", "assess": "测评报告编号"}
_AHEAD_MAX: Final = timedelta(days=1)  # a step is entered when it is done, give or take a time zone


class Process(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """rules/grading/process.yaml: periods by level; None where no period is fixed."""

    format: Literal[1]
    version: str
    filing_years: int
    filing_extension_years: int
    filing_renewal_days: int
    assessment_months: dict[int, int | None]
    crypto_assessment_months: dict[int, int | None]
    reminder_days: tuple[int, ...]


class Deadline(msgspec.Struct, frozen=True, kw_only=True):
    """A clock that runs out, or has."""

    kind: Literal["filing-expires", "assessment-due", "crypto-due"]
    system: str
    unit: str
    due: date
    days: int  # until then; negative when past


def load_process(folder: Path) -> Process:
    """The clocks of ``rules/grading``. Raises BadInput (catalogue-malformed)."""
    path = folder / "process.yaml"
    try:
        return msgspec.convert(read_yaml(path), Process)
    except msgspec.ValidationError as error:
        raise malformed(f"{path.name}: {error}", path) from error


def allowed_steps(system: GradedSystem) -> tuple[Step, ...]:
    """What may come next."""
    return tuple(step for step in STEPS if system.stage in _starts(step, system.level))


def take(
    system: GradedSystem, step: Step, milestone: Milestone, process: Process, today: date, *, grade: str = ""
) -> GradedSystem:
    """The system after a step. Raises Refused (step-refused), BadInput (registry-field, system-grade)."""
    if system.stage not in _starts(step, system.level):
        stage, name = STAGES[system.stage], STEP_WORDS[step]
        possible = allowed_steps(system)
        raise Refused(
            "step-refused",
            Words(f"「{stage.zh}」之后不能{name.zh}", f"{name.en} can't follow on {stage.en}"),
            Words(
                f"此时可以:{'、'.join(STEP_WORDS[one].zh for one in possible) or '无'}",
                f"possible now: {', '.join(STEP_WORDS[one].en for one in possible) or 'nothing'}",
            ),
            field=system.id,
        )
    _checked(step, milestone, today)
    changes: dict[str, object] = {"stage": _AFTER.get(step, system.stage)}
    if step == "grade" and grade:
        changes |= {"grade": grade, "level": parse_grade(grade)[2]}
    elif step in ("file", "renew"):
        if step == "renew":
            _in_time(system, milestone, process)
        years = process.filing_years
        until = milestone.valid_until or add_months(milestone.day, 12 * years)
        changes |= {"filing_number": milestone.document, "filed": milestone.day, "filing_expires": until}
    elif step == "assess":
        changes |= _assessed(system, milestone, process)
    elif step == "crypto-assess":
        due = _next(milestone.day, process.crypto_assessment_months, system.level)
        changes |= {"crypto_assessed": milestone.day, "crypto_due": milestone.valid_until or due}
    return msgspec.structs.replace(system, **changes)


def deadlines(systems: Sequence[GradedSystem], process: Process, today: date) -> tuple[Deadline, ...]:
    """Clocks that run out within the first reminder, or have run out."""
    found = []
    for system in systems:
        if system.retired:
            continue
        clocks: tuple[tuple[Literal["filing-expires", "assessment-due", "crypto-due"], date | None], ...] = (
            ("filing-expires", system.filing_expires),
            ("assessment-due", system.assessment_due),
            ("crypto-due", system.crypto_due),
        )
        for kind, due in clocks:
            if due is not None and (due - today).days <= max(process.reminder_days):
                days = (due - today).days
                found.append(Deadline(kind=kind, system=system.id, unit=system.unit, due=due, days=days))
    return tuple(sorted(found, key=lambda one: (one.due, one.system, one.kind)))


def add_months(day: date, months: int) -> date:
    """The same day some months later, the last of that month where it has none."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _starts(step: Step, level: int) -> frozenset[Stage]:
    if level == 1:
        if step in ("expert-review", "approve", "file", "renew"):
            return frozenset()
        return _FROM_LEVEL_1.get(step, _FROM[step])
    return _FROM[step]


def _checked(step: Step, milestone: Milestone, today: date) -> None:
    if milestone.day > today + _AHEAD_MAX:
        raise bad_field("day", "不能晚于今天", "is in the future")
    if milestone.valid_until is not None and milestone.valid_until <= milestone.day:
        raise bad_field("valid_until", "须晚于办理日期", "is not after the day of the step")
    if (paper := _PAPERS.get(step)) and not milestone.document.strip():
        raise bad_field("document", f"须填写{paper}", "is required: the number of the paper")
    if step in ("change", "retire") and not milestone.note.strip():
        raise bad_field("note", "须写明原因", "is required: the reason")


def _in_time(system: GradedSystem, milestone: Milestone, process: Process) -> None:
    expires = system.filing_expires
    if expires is not None and (expires - milestone.day).days > process.filing_renewal_days:
        raise Refused(
            "filing-early",
            Words(f"备案 {expires} 到期,尚不能续期", f"the filing runs until {expires}: too early"),
            Words(
                f"到期前 {process.filing_renewal_days} 天内办理",
                f"renew it within its last {process.filing_renewal_days} days",
            ),
            field=system.id,
        )


def _assessed(system: GradedSystem, milestone: Milestone, process: Process) -> dict[str, object]:
    due = _next(milestone.day, process.assessment_months, system.level)
    changes: dict[str, object] = {
        "assessed": milestone.day,
        "assessment_due": milestone.valid_until or due,
    }
    if system.filing_expires is not None and system.assessed != milestone.day:
        longer = add_months(system.filing_expires, 12 * process.filing_extension_years)
        changes["filing_expires"] = longer
    return changes


def _next(day: date, months: dict[int, int | None], level: int) -> date | None:
    period = months.get(level)
    return None if period is None else add_months(day, period)
