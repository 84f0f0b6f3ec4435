"""The items of GB/T 22239-2019 as data: levels 1 to 4, general and extensions, selected by S, A and G.

Files: rules/grading/{catalogue,objects,equivalents}.yaml, see docs/reference/grading.md. An id of one level
is never derived from another's: what a check of level 3 says of another level is a table.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from compliance.registry import (
    DATA_CLASSES,
    AssessmentObject,
    Extension,
    GradedSystem,
    ObjectKind,
    parse_grade,
)
from crypto.words import BadInput, Words
from detection.sigma.document import FILE_BYTES_MAX, parse_documents
from detection.sigma.errors import RuleError

Dimension = Literal["S", "A", "G"]
_LAYERS: Final = {
    "物理": "physical",
    "网络": "network",
    "平台": "platform",
    "数据": "data",
    "应用": "application",
    "管理": "management",
}
DOMAINS: Final = (
    "安全物理环境",
    "安全通信网络",
    "安全区域边界",
    "安全计算环境",
    "安全管理中心",
    "安全管理制度",
    "安全管理机构",
    "安全管理人员",
    "安全建设管理",
    "安全运维管理",
)


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One requirement item 测评项."""

    id: str  # L3-8.1.4.1.a
    level: int
    extension: Extension | Literal["general"]
    domain: str
    clause: str
    point: str  # control point
    letter: str
    summary: str  # in our own words
    dimension: Dimension
    unit: str  # GB/T 28448 unit, '' where it could not be settled
    layer: str  # of the six, by the names of the checklist
    automatable: str
    hint: str
    high_risk_cases: tuple[str, ...]
    major_risk_triggers: tuple[str, ...]
    importance: str  # 一般, 重要, 关键, or '' where nothing is published
    severity: Literal["critical", "high", "medium", "low"]

    @property
    def reference(self) -> str:
        """How the standard writes it: 8.1.4.1 a)."""
        return f"{self.clause} {self.letter})" if self.letter else self.clause


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Items of level 3 whose checks speak of an item; ``exact``: it says the same as they."""

    items: tuple[str, ...]
    exact: bool


class _Form(msgspec.Struct, frozen=True):
    id: str
    level: int
    ext: Extension | Literal["general"]
    domain: str
    clause: str
    point: str
    item: str | None
    summary: str
    unit: str | None
    six_layer: str
    automatable: str
    hint: str | None
    high_risk_case: tuple[str, ...]
    severity_proposed: Literal["critical", "high", "medium", "low"]
    sag: Dimension | None = None
    importance: str | None = None
    major_risk_trigger: tuple[str, ...] | None = None


class _Objects(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    domains: dict[str, tuple[ObjectKind, ...]]
    points: dict[str, tuple[ObjectKind, ...]]
    data: dict[str, tuple[str, ...]]


class _Equivalents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    items: dict[str, tuple[str, ...]]


class Catalogue:
    """All items; frozen after loading, safe to share."""

    def __init__(self, items: Sequence[Item], objects: _Objects, equivalents: _Equivalents) -> None:
        self._items = {item.id: item for item in items}
        self._objects = objects
        self._sources = _sources(items, equivalents.items)

    def __len__(self) -> int:
        return len(self._items)

    def item(self, item: str) -> Item:
        """One item. Raises BadInput (item-unknown)."""
        found = self._items.get(item)
        if found is None:
            raise BadInput(
                "item-unknown",
                Words(f"没有测评项 {item}", f"there is no item {item}"),
                Words("请从目录中选择", "choose one of the catalogue"),
                field="item",
            )
        return found

    def items(self, level: int, extension: str = "general") -> tuple[Item, ...]:
        """Items of a level in the order of the standard."""
        return tuple(
            item for item in self._items.values() if item.level == level and item.extension == extension
        )

    def select(self, grade: str, extensions: Sequence[str] = ()) -> tuple[Item, ...]:
        """The items of a grade: S2A3G3 takes S of level 2, A and G of level 3; extensions at G."""
        levels = dict(zip(("S", "A", "G"), parse_grade(grade), strict=True))
        return tuple(
            item
            for item in self._items.values()
            if item.level == levels[item.dimension]
            and (item.extension == "general" or item.extension in extensions)
        )

    def of(self, system: GradedSystem) -> tuple[Item, ...]:
        """The items of a graded system."""
        return self.select(system.grade, system.extensions)

    def judged_on(self, item: Item, objects: Sequence[AssessmentObject]) -> tuple[AssessmentObject, ...]:
        """The objects of a system that an item is judged on."""
        kinds = self.kinds(item)
        classes = self._objects.data.get(item.point, DATA_CLASSES)
        return tuple(
            one
            for one in objects
            if one.kind in kinds and not one.retired and (one.kind != "data" or one.name in classes)
        )

    def kinds(self, item: Item) -> tuple[ObjectKind, ...]:
        """The kinds of object an item is judged on."""
        kinds = self._objects.points.get(f"{item.domain}/{item.point}")
        return kinds if kinds is not None else self._objects.domains[item.domain]

    def source(self, item: Item) -> Source:
        """The items of level 3 whose checks speak of this one; none where no check does."""
        return self._sources[item.id]


@cache
def load_catalogue(folder: Path) -> Catalogue:
    """The catalogue of ``rules/grading``, read once. Raises BadInput (catalogue-malformed)."""
    raw = read_yaml(folder / "catalogue.yaml")
    try:
        forms = msgspec.convert(raw.get("catalog"), list[_Form])
        objects = msgspec.convert(read_yaml(folder / "objects.yaml"), _Objects)
        equivalents = msgspec.convert(read_yaml(folder / "equivalents.yaml"), _Equivalents)
    except (msgspec.ValidationError, AttributeError) as error:
        raise malformed(str(error), folder) from error
    if objects.format != 1 or equivalents.format != 1 or set(objects.domains) != set(DOMAINS):
        raise malformed("unknown format, or a domain is missing in objects.yaml", folder)
    items = [_item(form) for form in forms]
    if len({item.id for item in items}) != len(items):
        raise malformed("an item stands twice", folder)
    if strange := set(equivalents.items) - {item.id for item in items}:
        raise malformed(f"equivalents.yaml: no item {min(strange)}", folder)
    order = {domain: place for place, domain in enumerate(DOMAINS)}
    items.sort(key=lambda item: (item.level, item.extension != "general", item.extension, order[item.domain]))
    return Catalogue(items, objects, equivalents)


def read_yaml(path: Path) -> Any:
    """One YAML file of the shipped rules, bounded. Raises BadInput (catalogue-malformed)."""
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
        documents = parse_documents(data, path.name)
    except OSError as error:
        raise malformed(str(error.strerror), path) from error
    except RuleError as error:
        raise malformed(f"{path.name}:{error.line}: {error.what.en}", path) from error
    if len(documents) != 1:
        raise malformed("not one document", path)
    return documents[0].value


def malformed(reason: str, path: Path) -> BadInput:
    """A file of rules/grading is wrong."""
    return BadInput(
        "catalogue-malformed",
        Words(f"等保目录有误:{reason}", f"bad catalogue: {reason}"),
        Words("请按 docs/reference/grading.md 改正", "correct it, see docs/reference/grading.md"),
        field=path.name,
    )


def _item(form: _Form) -> Item:
    return Item(
        id=form.id,
        level=form.level,
        extension=form.ext,
        domain=form.domain,
        clause=form.clause,
        point=form.point,
        letter=form.item or "",
        summary=form.summary,
        dimension=form.sag or "G",  # extensions carry no mark: they go by the level as a whole
        unit=form.unit or "",
        layer=_LAYERS[form.six_layer],
        automatable=form.automatable,
        hint=form.hint or "",
        high_risk_cases=form.high_risk_case,
        major_risk_triggers=form.major_risk_trigger or (),
        importance=form.importance or "",
        severity=form.severity_proposed,
    )


def _sources(items: Sequence[Item], close: Mapping[str, Sequence[str]]) -> dict[str, Source]:
    """By the table, else by the same words at the same control point."""
    third = {_saying(item): item.id for item in items if item.level == 3}
    sources = {}
    for item in items:
        if item.level == 3:
            sources[item.id] = Source(items=(item.id,), exact=True)
        elif item.id in close:
            sources[item.id] = Source(items=tuple(close[item.id]), exact=False)
        else:
            same = third.get(_saying(item))
            sources[item.id] = Source(items=(same,) if same else (), exact=True)
    return sources


def _saying(item: Item) -> tuple[str, str, str, str]:
    return item.extension, item.domain, item.point, item.summary
