"""The ATT&CK matrix as the console shows it: which detections name what, and what they raised. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

import msgspec

from crypto.words import Words
from detection.alert import Severity
from detection.attack import BuiltIn, Technique
from detection.sigma.tactics import TACTICS
from soc_api.rule_port import RuleRowValue

Kind = Literal["rule", "correlation", "special", "anomaly"]
State = Literal["enabled", "disabled", "waiting"]
OLDER: Final = "defense-evasion"  # split into stealth and defense-impairment by version 19


class Detection(msgspec.Struct, frozen=True, kw_only=True):
    """Whatever names techniques."""

    id: str
    kind: Kind
    title: Words
    level: Severity
    state: State
    hits: int
    attack: tuple[str, ...]


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """A technique with its numbers; those of a technique count its parts as well."""

    id: str
    name: Words
    detections: int
    enabled: int
    hits: int
    parts: tuple["Cell", ...] = ()


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A tactic and its techniques, in the order of the data."""

    id: str
    name: Words
    techniques: tuple[Cell, ...]


def detections_of(
    rows: Iterable[RuleRowValue], built_in: Iterable[BuiltIn], hits: Mapping[str, int]
) -> list[Detection]:
    """Rules, correlations and built-in detections with their alerts."""
    found = [
        Detection(
            id=row.id,
            kind="rule" if row.kind == "rule" else "correlation",
            title=row.title,
            level=row.level,
            state=row.state,
            hits=hits.get(row.id, 0),
            attack=row.attack,
        )
        for row in rows
    ]
    found += [
        Detection(
            id=one.rule,
            kind=one.kind,
            title=one.title,
            level=one.level,
            state="enabled",
            hits=hits.get(one.rule, 0),
            attack=one.attack,
        )
        for one in built_in
    ]
    return found


def matrix(known: Mapping[str, Technique], detections: Sequence[Detection]) -> list[Column]:
    """The columns of every tactic that has techniques."""
    named: dict[str, dict[str, Detection]] = {}
    for detection in detections:
        for technique in detection.attack:
            named.setdefault(technique, {})[detection.id] = detection
            named.setdefault(technique.partition(".")[0], {})[detection.id] = detection
    columns = []
    for tactic, said in TACTICS.items():
        tops = [one for one in known.values() if tactic in one.tactics and one.id == one.parent]
        cells = tuple(_cell(top, known, named, tactic) for top in tops)
        if cells and tactic != OLDER:
            columns.append(Column(id=tactic, name=said, techniques=cells))
    return columns


def _cell(
    technique: Technique,
    known: Mapping[str, Technique],
    named: Mapping[str, Mapping[str, Detection]],
    tactic: str,
) -> Cell:
    ours = named.get(technique.id, {}).values()
    parts = (
        one
        for one in known.values()
        if one.parent == technique.id and one.id != technique.id and tactic in one.tactics
    )
    return Cell(
        id=technique.id,
        name=technique.name,
        detections=len(ours),
        enabled=sum(one.state == "enabled" for one in ours),
        hits=sum(one.hits for one in ours),
        parts=tuple(_cell(one, known, named, tactic) for one in parts),
    )


def covered(columns: Iterable[Column]) -> tuple[int, int]:
    """How many techniques (not sub-techniques) there are, and how many some running detection names."""
    running = {cell.id: cell.enabled > 0 for column in columns for cell in column.techniques}
    return len(running), sum(running.values())


def unnamed(known: Mapping[str, Technique], detections: Iterable[Detection]) -> list[str]:
    """Techniques that detections name and the data has no name for."""
    every = {technique for detection in detections for technique in detection.attack}
    return sorted(one for one in every if one not in known)
