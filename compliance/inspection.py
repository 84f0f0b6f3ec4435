"""What inspectors ask for, and how a graded system stands on each question.

The questions are data (rules/inspection, one file for each kind of inspector). An answer is put together from
the checks' verdicts; what only a person can show is said so, never counted as there.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, get_args

import msgspec
import yaml

from compliance.attestation_form import Sentence
from crypto.words import BadInput, Words

Audience = Literal["police", "cyberspace", "cryptography", "data"]
AUDIENCES: Final[tuple[Audience, ...]] = get_args(Audience)
Standing = Literal["具备", "部分具备", "不符合", "缺证据", "须现场出示"]
FILE_BYTES_MAX: Final = 128 * 1024


class Ask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One question; ``person`` says what only a person can show."""

    id: str
    zh: str
    en: str
    checks: tuple[str, ...]
    registry: Literal["", "filing", "assessment", "crypto"] = ""
    sheet: str = ""
    person: str = ""


class Inspection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The questions of one kind of inspector."""

    title: Sentence
    asks: tuple[Ask, ...]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """How a system stands on a question, and where in the kit it is shown."""

    ask: Ask
    standing: Standing
    verdicts: tuple[tuple[str, str], ...]
    where: str


def load_inspections(folder: Path) -> dict[Audience, Inspection]:
    """The questions of all kinds of inspectors. Raises BadInput (inspection-malformed)."""
    found: dict[Audience, Inspection] = {}
    for audience in AUDIENCES:
        path = folder / f"{audience}.yaml"
        try:
            raw = path.read_bytes()
            if len(raw) > FILE_BYTES_MAX:
                raise _bad(path, "too long")
            found[audience] = msgspec.convert(yaml.safe_load(raw), Inspection)
        except (OSError, yaml.YAMLError, msgspec.ValidationError) as error:
            raise _bad(path, str(error)) from error
    return found


def answer_of(ask: Ask, verdicts: Mapping[str, str], facts: Mapping[str, str]) -> Answer:
    """The answer from the checks' verdicts; ``facts`` are what the registry says by its key."""
    known = tuple((check, verdicts.get(check, "未知")) for check in ask.checks)
    where = [f"工作簿“检查项”：{'、'.join(ask.checks)}"] if ask.checks else []
    if ask.registry:
        where.append(facts.get(ask.registry) or "登记簿中没有")
    if ask.sheet:
        where.append(f"工作簿“{ask.sheet}”")
    if ask.person:
        where.append(ask.person)
    values = [verdict for _, verdict in known]
    if ask.registry and not facts.get(ask.registry):
        values.append("未知")
    return Answer(ask=ask, standing=_standing(values), verdicts=known, where="；".join(where))


def _standing(verdicts: Sequence[str]) -> Standing:
    if not verdicts:
        return "须现场出示"
    if "不符合" in verdicts:
        return "不符合"
    if "未知" in verdicts:
        return "缺证据"
    return "部分具备" if "部分符合" in verdicts else "具备"


def _bad(path: Path, reason: str) -> BadInput:
    return BadInput(
        "inspection-malformed",
        Words(f"迎检清单有误:{reason}", f"bad list of an inspection: {reason}"),
        Words("请核对 rules/inspection", "check rules/inspection"),
        field=path.name,
    )
