"""The six-layer checklist as data: 74 checks, each with its live tests where telemetry can answer.

Source of the checks and their clauses: rules/grading/catalogue.yaml (GB/T 22239-2019 level 3 items).
Format of the files: docs/reference/checklist.md.
"""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import yaml

from compliance.attestation_form import AttestationForm, Sentence, parse_duration, read_form
from crypto.words import BadInput, Words
from detection.condition import Condition
from detection.sigma.document import parse_documents
from detection.sigma.errors import RuleError
from detection.sigma.load import parse_condition

Layer = Literal["physical", "network", "platform", "data", "application", "management"]
Method = Literal["probe", "attestation", "mixed"]
Level = Literal["critical", "high", "medium", "low"]

LAYERS: Final[dict[Layer, Words]] = {
    "physical": Words("物理", "Physical"),
    "network": Words("网络", "Network"),
    "platform": Words("平台", "Platform"),
    "data": Words("数据", "Data"),
    "application": Words("应用", "Application"),
    "management": Words("管理", "Management"),
}
FILE_BYTES_MAX: Final = 512 * 1024


class _LiveForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    fact: str
    satisfied: dict[str, Any]
    applies: dict[str, Any] | None = None
    each_host: bool = False
    freshness: str = ""


class _CheckForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    title: Sentence
    layer: Layer
    severity: Level
    method: Method
    freshness: str
    clauses: list[str]
    looks_at: str
    evidence_form: str
    enforce: list[str]
    occasion: str = ""
    remedy: Sentence | None = None
    live: list[_LiveForm] = []
    attest: Any = None
    every_system: bool = False


class LiveTest(msgspec.Struct, frozen=True, kw_only=True):
    """One question to one kind of fact; ``text`` is the condition as its author wrote it.

    ``each_host``: every registered host must answer. ``freshness`` None is that of the check.
    """

    fact: str
    satisfied: Condition
    applies: Condition | None
    text: str
    each_host: bool = False
    freshness: timedelta | None = None


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One check; without ``tests`` nothing on the wire or host can answer it yet."""

    id: str
    title: Words
    layer: Layer
    severity: Level
    method: Method
    freshness: timedelta
    clauses: tuple[str, ...]
    looks_at: str
    evidence_form: str
    enforce: tuple[str, ...]
    occasion: str
    remedy: Words
    tests: tuple[LiveTest, ...]
    form: AttestationForm | None = None  # what a person states where no probe can
    every_system: bool = False  # asked by law, whatever items a system has


def load_checklist(folder: Path) -> tuple[Check, ...]:
    """All checks in file and then written order. Raises BadInput naming file, check and key."""
    checks: dict[str, Check] = {}
    for path in sorted(folder.glob("*.yaml")):
        for number, form in enumerate(_forms(path)):
            check = _check(form, path, number)
            if check.id in checks:
                raise _bad(f"check {check.id} stands twice", path, check.id)
            checks[check.id] = check
    return tuple(checks.values())


def _forms(path: Path) -> list[Any]:
    with path.open("rb") as file:
        raw = file.read(FILE_BYTES_MAX + 1)
    if len(raw) > FILE_BYTES_MAX:
        raise _bad(f"> {FILE_BYTES_MAX} bytes", path, "file")
    try:
        documents = parse_documents(raw, path.name)
    except RuleError as error:
        raise _bad(error.what.en, path, f"yaml:{error.line}") from error
    if len(documents) != 1 or not isinstance(documents[0].value, list):
        raise _bad("a checklist file is a list of checks", path, "file")
    return documents[0].value


def _check(raw: Any, path: Path, number: int) -> Check:
    name = str(raw.get("id", f"#{number + 1}")) if isinstance(raw, Mapping) else f"#{number + 1}"
    try:
        form = msgspec.convert(raw, _CheckForm)
        freshness = parse_duration(form.freshness)
        attest = None if form.attest is None else read_form(form.attest)
    except (msgspec.ValidationError, ValueError) as error:
        raise _bad(str(error), path, name) from error
    return Check(
        id=form.id,
        title=form.title.words(),
        layer=form.layer,
        severity=form.severity,
        method=form.method,
        freshness=freshness,
        clauses=tuple(form.clauses),
        looks_at=form.looks_at,
        evidence_form=form.evidence_form,
        enforce=tuple(form.enforce),
        occasion=form.occasion,
        remedy=form.remedy.words() if form.remedy else _default_remedy(form),
        tests=tuple(_live(live, path, name) for live in form.live),
        form=attest,
        every_system=form.every_system,
    )


def _live(form: _LiveForm, path: Path, name: str) -> LiveTest:
    try:
        satisfied = parse_condition(form.satisfied)
        applies = parse_condition(form.applies) if form.applies else None
        freshness = parse_duration(form.freshness) if form.freshness else None
    except BadInput as error:
        raise _bad(error.what.en, path, f"{name}.live.{form.fact}") from error
    except ValueError as error:
        raise _bad(str(error), path, f"{name}.live.{form.fact}") from error
    text = yaml.safe_dump(form.satisfied, allow_unicode=True, sort_keys=False).strip()
    return LiveTest(
        fact=form.fact,
        satisfied=satisfied,
        applies=applies,
        text=text,
        each_host=form.each_host,
        freshness=freshness,
    )


def _default_remedy(form: _CheckForm) -> Words:
    return Words(
        f"接入或提交证据:{form.looks_at}(形式:{form.evidence_form})",
        f"connect or hand in evidence: {form.looks_at} (as {form.evidence_form})",
    )


def _bad(reason: str, path: Path, field: str) -> BadInput:
    return BadInput(
        "checklist-malformed",
        Words(f"检查清单有误:{reason}", f"bad checklist: {reason}"),
        Words("请按 docs/reference/checklist.md 改正", "correct it, see docs/reference/checklist.md"),
        field=f"{path.name}:{field}",
    )
