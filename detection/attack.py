"""ATT&CK as data: names of techniques (rules/attack), and which of them the built-in detections speak of."""

import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from crypto.words import BadInput, Words
from detection.alert import SEVERITIES, Severity
from detection.sigma.tactics import TACTICS
from rules import ROOT

TECHNIQUES: Final = ROOT / "attack" / "techniques.tsv"
BUILT_IN: Final = ROOT / "anomaly"
VERSION: Final = "19"
_COLUMNS: Final = 4


class Technique(msgspec.Struct, frozen=True, kw_only=True):
    """One technique or sub-technique (its id has a point) and the tactics it stands under."""

    id: str
    tactics: tuple[str, ...]
    name: Words

    @property
    def parent(self) -> str:
        """The technique it belongs to; itself where it is one."""
        return self.id.partition(".")[0]


class BuiltIn(msgspec.Struct, frozen=True, kw_only=True):
    """A detection that is no rule file: a special detector, or one that learns what is usual."""

    rule: str
    kind: Literal["special", "anomaly"]
    title: Words
    level: Severity
    attack: tuple[str, ...]


@cache
def techniques() -> dict[str, Technique]:
    """The known techniques by id, in the order of the file."""
    return read_techniques(TECHNIQUES)


def read_techniques(path: Path) -> dict[str, Technique]:
    """The techniques of a file. Raises BadInput (attack-names)."""
    found: dict[str, Technique] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        cells = line.split("\t")
        tactics = tuple(cells[1].split(",")) if len(cells) == _COLUMNS else ()
        if not tactics or cells[0] in found or not set(tactics) <= TACTICS.keys():
            raise BadInput(
                "attack-names",
                Words(f"ATT&CK 名称表第 {number} 行有误", f"line {number} of the names of ATT&CK is wrong"),
                Words("每行四列:编号、战术、英文名、中文名", "four columns: id, tactics, English, Chinese"),
                field=f"{path}:{number}",
            )
        found[cells[0]] = Technique(id=cells[0], tactics=tactics, name=Words(cells[3], cells[2]))
    return found


@cache
def built_in() -> tuple[BuiltIn, ...]:
    """The built-in detections as their parameter files say them."""
    found: dict[str, BuiltIn] = {}
    for path in sorted(BUILT_IN.glob("*.toml")):
        for table in _sayings(tomllib.loads(path.read_text("utf-8"))):
            rule = str(table["rule"])
            severity = table.get("severity")
            found[rule] = BuiltIn(
                rule=rule,
                kind="special" if rule.startswith("special.") else "anomaly",
                title=Words(str(table.get("title_zh", rule)), str(table.get("title_en", rule))),
                level=severity if severity in SEVERITIES else "medium",
                attack=tuple(str(one) for one in table["attack"]),
            )
    return tuple(found.values())


def _sayings(value: Any) -> Iterator[dict[str, Any]]:
    """Every table that says a rule and its techniques, however deep."""
    if isinstance(value, dict):
        if isinstance(value.get("rule"), str) and isinstance(value.get("attack"), list):
            yield value
        for inner in value.values():
            yield from _sayings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _sayings(inner)
