"""The table of checks for readers: what telemetry decides, what a person states, what stays unknowable. Pure.

``table`` writes the body of docs/reference/what-is-checked.md, and a test holds the two together.
"""

from collections.abc import Sequence
from typing import Final

from compliance.catalogue import Catalogue
from compliance.checklist import LAYERS, Check
from compliance.grading import asked_of, asking_checks, checks_of
from compliance.order import days_of

_IMPORT: Final = "import."
_GATES: Final = {"transfer": "断传", "golive": "禁上线", "notify": "报省"}


def table(checks: Sequence[Check], catalogue: Catalogue) -> str:
    """The table in Markdown, one line a check, with sums before it."""
    live = sum(bool(check.tests) for check in checks)
    stated = sum(check.form is not None for check in checks)
    both = sum(bool(check.tests) and check.form is not None for check in checks)
    imported = sum(any(_imported(test.fact) for test in check.tests) for check in checks)
    lines = [
        (
            f"{len(checks)} checks: {live} ask facts, {stated} ask a person, {both} both; "
            f"{imported} need an imported document."
        ),
        (
            f"共 {len(checks)} 项:{live} 项有实时判定,{stated} 项需人工证明(其中 {both} 项两者都要),"
            f"{imported} 项依赖导入的文书。"
        ),
        *_levels(checks, catalogue),
        "",
        "| check 检查项 | telemetry 遥测 | imported 导入文书 | a person states 人工证明 | then 强制 |",
        "|---|---|---|---|---|",
    ]
    for check in checks:
        facts = [test.fact for test in check.tests]
        told = ", ".join(dict.fromkeys(f"`{fact}`" for fact in facts if not _imported(fact)))
        brought = ", ".join(dict.fromkeys(f"`{fact}`" for fact in facts if _imported(fact)))
        lines.append(
            f"| {check.id} {check.title.zh} ({LAYERS[check.layer].zh}) | {told or '–'} | {brought or '–'} "
            f"| {_form(check)} | {_consequence(check)} |"
        )
    return "\n".join(lines) + "\n"


def _levels(checks: Sequence[Check], catalogue: Catalogue) -> list[str]:
    """How many checks, and which items no check speaks of, at each level."""
    lines = [
        "",
        (
            "| level 等级 | items 测评项 | checks asked 适用检查项 "
            "| items only a person can state 只能由人陈述 |"
        ),
        "|---|---|---|---|",
    ]
    asking = asking_checks(checks)
    for level in (1, 2, 3, 4):
        items = catalogue.select(f"S{level}A{level}G{level}")
        asked = asked_of(items, catalogue, checks)
        unheard = [item.id for item in items if not checks_of(item, catalogue, asking)]
        lines.append(f"| {level} | {len(items)} | {len(asked)} | {', '.join(unheard) or '–'} |")
    return lines


def _imported(fact: str) -> bool:
    return fact.startswith(_IMPORT)


def _form(check: Check) -> str:
    if check.form is None:
        return "–"
    second = ",复核" if check.form.review or check.severity == "critical" else ""
    return f"{check.evidence_form}({check.form.valid.days} 天{second})"


def _consequence(check: Check) -> str:
    words = [_GATES[word] for one in check.enforce if (word := one.partition("(")[0]) in _GATES]
    days = days_of(check)
    return "、".join([*words, *([f"{days} 日整改"] if days is not None else [])]) or "–"
