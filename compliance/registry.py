"""The values of the registry: units, graded systems, assets, assessment objects, contacts, tasks.

Pure: what may be written is checked here (``checked_*``), where it lies is registry_store's business. State
secrets are refused wherever a system is named: 分级保护 is another authority's work.
"""

import re
from datetime import date, datetime
from typing import Any, Final, Literal, get_args

import msgspec

from crypto.words import BadInput, Refused, Words

UnitKind = Literal["province", "city", "county", "department", "institution"]
Extension = Literal["cloud", "mobile", "iot", "ics"]
AssetKind = Literal[
    "host",
    "terminal",
    "network-device",
    "security-device",
    "storage",
    "database",
    "middleware",
    "application",
    "other",
]
ObjectKind = Literal[
    "room",
    "network",
    "boundary",
    "host",
    "terminal",
    "network-device",
    "security-device",
    "storage",
    "database",
    "middleware",
    "application",
    "data",
    "center",
    "organisation",
]
Duty = Literal[
    "leader",
    "responsible",
    "security-officer",
    "data-officer",
    "crypto-officer",
    "contact",
]
Stage = Literal[
    "draft",
    "graded",
    "reviewed",
    "approved",
    "filed",
    "building",
    "assessed",
    "rectifying",
    "operating",
    "changing",
    "retired",
]
# Data classes are objects of their own for confidentiality, integrity, backup and personal information.
DATA_CLASSES: Final = (
    "鉴别数据",
    "重要业务数据",
    "重要审计数据",
    "重要配置数据",
    "重要视频数据",
    "重要个人信息",
)
# Objects every system has, whatever it is made of.
WHOLE: Final[dict[ObjectKind, str]] = {
    "room": "机房",
    "network": "网络架构",
    "boundary": "区域边界",
    "center": "安全管理中心",
    "organisation": "安全管理体系",
}
LEVELS: Final = range(1, 5)
_CODE: Final = re.compile(r"[0-9]{6}(?:-[0-9A-Za-z.-]{1,60})?")
_ID: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")
_GRADE: Final = re.compile(r"S([1-4])A([1-4])G([1-4])")
TEXT_CHARS_MAX: Final = 200
NOTE_CHARS_MAX: Final = 2_000
# What a name that marks a state-secret system says; such a name is refused, whoever enters it.
_SECRET_MARKS: Final = ("涉密", "绝密", "机密级", "秘密级")


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """One unit of the tree; ``code`` begins with its region by GB/T 2260."""

    code: str
    name: str
    parent: str | None = None
    kind: UnitKind = "institution"
    retired: bool = False


class GradedSystem(msgspec.Struct, frozen=True, kw_only=True):
    """A 定级对象; ``grade`` as S3A3G3 (GB/T 22240-2020). Dates that are not known are None."""

    id: str
    unit: str
    name: str
    level: int
    grade: str
    state_secret: bool = False
    extensions: tuple[Extension, ...] = ()
    stage: Stage = "draft"
    owner: str = ""  # the account or person who answers for it
    note: str = ""
    internet: bool = False  # reachable from the internet
    critical: bool = False  # 关键信息基础设施
    launched: date | None = None
    filing_number: str = ""
    filed: date | None = None
    filing_expires: date | None = None
    assessed: date | None = None
    assessment_due: date | None = None
    crypto_assessed: date | None = None
    crypto_due: date | None = None
    revision: int = 0  # +1 with every change

    @property
    def retired(self) -> bool:
        """No longer in use: kept for the record, counted nowhere."""
        return self.stage == "retired"


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """A machine or program of a system; ``number`` is given by the store."""

    number: int = 0
    system: str
    name: str
    kind: AssetKind = "host"
    address: str = ""
    owner: str = ""
    location: str = ""
    model: str = ""
    origin: Literal["entered", "sensor", "import"] = "entered"
    found: datetime | None = None
    retired: bool = False


class AssessmentObject(msgspec.Struct, frozen=True, kw_only=True):
    """A 测评对象: what one requirement item is judged on; ``id`` is ``kind:name``, unique in its system."""

    system: str
    kind: ObjectKind
    name: str
    asset: int | None = None
    note: str = ""
    retired: bool = False

    @property
    def id(self) -> str:
        """The name results know it by."""
        return f"{self.kind}:{self.name}"


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """A person who answers for a unit, or for one of its systems."""

    number: int = 0
    unit: str
    system: str = ""
    duty: Duty
    name: str
    phone: str = ""
    email: str = ""


class RegistryTask(msgspec.Struct, frozen=True, kw_only=True):
    """Something a person must do to the registry: ``key`` says what about, once per kind."""

    number: int = 0
    kind: str  # unregistered-asset, silent-asset, filing-expires, assessment-due, crypto-due
    key: str
    unit: str
    system: str = ""
    what: Words
    opened: datetime
    due: date | None = None
    state: Literal["open", "done", "dismissed"] = "open"
    closed: datetime | None = None
    actor: str = ""
    reason: str = ""


class Milestone(msgspec.Struct, frozen=True, kw_only=True):
    """One step a graded system has taken, with the paper it rests on; see grading_process."""

    number: int = 0
    system: str
    step: str
    day: date
    stage: Stage = "draft"  # after it
    document: str = ""  # number of the paper: 备案证明号, report number
    authority: str = ""  # who reviewed, approved, filed, assessed
    conclusion: str = ""
    valid_until: date | None = None
    note: str = ""
    actor: str = ""
    recorded: datetime | None = None


def parse_grade(grade: str) -> tuple[int, int, int]:
    """(S, A, G) of ``S3A3G3``; G is the higher of S and A. Raises BadInput (system-grade)."""
    found = _GRADE.fullmatch(grade)
    parts = tuple(int(part) for part in found.groups()) if found else ()
    if len(parts) != 3 or parts[2] != max(parts[:2]):
        raise BadInput(
            "system-grade",
            Words(f"定级 {grade!r} 不成立", f"{grade!r} is no grade"),
            Words(
                "写作 S3A3G3:G 取 S 与 A 中较高者", "write it as S3A3G3: G is the higher of S and A (1 to 4)"
            ),
            field="grade",
        )
    return parts[0], parts[1], parts[2]


def checked_unit(unit: Unit) -> Unit:
    """The unit as it may be stored. Raises BadInput (registry-field)."""
    if not _CODE.fullmatch(unit.code):
        raise bad_field(
            "code", "以 6 位行政区划代码开头,如 320100-zwb", "begins with 6 digits, as in 320100-zwb"
        )
    _text("name", unit.name, required=True)
    _one_of("kind", unit.kind, UnitKind)
    if unit.parent == unit.code:
        raise bad_field("parent", "不能是它自己", "is the unit itself")
    return unit


def checked_system(system: GradedSystem) -> GradedSystem:
    """The system as it may be stored.

    Raises Refused (state-secret), BadInput (system-level, system-grade, registry-field).
    """
    if system.state_secret or any(mark in system.name + system.note for mark in _SECRET_MARKS):
        raise Refused(
            "state-secret",
            Words("涉密信息系统不得登记", "a state-secret system must not be registered"),
            Words("涉密系统请按分级保护由保密部门管理", "it belongs to the secrecy authority, not here"),
            field=system.id,
        )
    if system.level not in LEVELS:
        raise BadInput(
            "system-level",
            Words(f"等级 {system.level} 不在 1-4 之间", f"level {system.level} is not 1-4"),
            Words("第五级系统不在此登记", "systems of level 5 are not registered here"),
            field=system.id,
        )
    if parse_grade(system.grade)[2] != system.level:
        raise BadInput(
            "system-grade",
            Words(
                f"定级 {system.grade} 与等级 {system.level} 不符",
                f"{system.grade} is not of level {system.level}",
            ),
            Words("等级等于 S 与 A 中较高者", "the level is the higher of S and A"),
            field=system.id,
        )
    if not _ID.fullmatch(system.id):
        raise bad_field("id", "由字母、数字、点、横线组成,最长 64", "letters, digits, . _ -, at most 64")
    _text("name", system.name, required=True)
    _text("owner", system.owner)
    _text("filing_number", system.filing_number)
    _text("note", system.note, most=NOTE_CHARS_MAX)
    for extension in system.extensions:
        _one_of("extensions", extension, Extension)
    return system


def checked_asset(asset: Asset) -> Asset:
    """The asset as it may be stored. Raises BadInput (registry-field)."""
    _text("name", asset.name, required=True)
    _one_of("kind", asset.kind, AssetKind)
    for name in ("address", "owner", "location", "model"):
        _text(name, getattr(asset, name))
    return asset


def checked_object(one: AssessmentObject) -> AssessmentObject:
    """The object as it may be stored. Raises BadInput (registry-field)."""
    _text("name", one.name, required=True, most=120)
    _one_of("kind", one.kind, ObjectKind)
    _text("note", one.note)
    if one.kind == "data" and one.name not in DATA_CLASSES:
        raise bad_field("name", f"数据类别须为:{'、'.join(DATA_CLASSES)}", "is none of the six data classes")
    return one


def checked_contact(contact: Contact) -> Contact:
    """The contact as it may be stored. Raises BadInput (registry-field)."""
    _text("name", contact.name, required=True)
    _one_of("duty", contact.duty, Duty)
    for name in ("phone", "email"):
        _text(name, getattr(contact, name))
    return contact


def object_of(asset: Asset) -> AssessmentObject | None:
    """The assessment object an asset is, None where its kind is none."""
    if asset.kind not in get_args(ObjectKind):
        return None
    kind: Any = asset.kind
    return AssessmentObject(system=asset.system, kind=kind, name=asset.name, asset=asset.number or None)


def whole_objects(system: str) -> tuple[AssessmentObject, ...]:
    """The objects a system has from the start."""
    return tuple(AssessmentObject(system=system, kind=kind, name=name) for kind, name in WHOLE.items())


def bad_field(field: str, zh: str, en: str) -> BadInput:
    """One field of an entry is wrong."""
    return BadInput(
        "registry-field",
        Words(f"登记内容有误:{field} {zh}", f"bad entry: {field} {en}"),
        Words("请改正该字段", "correct that field"),
        field=field,
    )


def not_found(what: Literal["unit", "system", "asset", "object", "contact", "task"], name: str) -> Refused:
    """What is said where something of the registry is asked for and not there."""
    return {
        "unit": Refused("unit-not-found", *_absent("单位", "unit"), field=name),
        "system": Refused("system-not-found", *_absent("定级对象", "graded system"), field=name),
        "asset": Refused("asset-not-found", *_absent("资产", "asset"), field=name),
        "object": Refused("object-not-found", *_absent("测评对象", "assessment object"), field=name),
        "contact": Refused("contact-not-found", *_absent("联系人", "contact"), field=name),
        "task": Refused("task-not-found", *_absent("任务", "task"), field=name),
    }[what]


def _absent(zh: str, en: str) -> tuple[Words, Words]:
    return (
        Words(f"没有登记这个{zh}", f"no such {en} is registered"),
        Words("请核对编号,或先登记", "check its id, or register it first"),
    )


def _text(field: str, value: str, *, required: bool = False, most: int = TEXT_CHARS_MAX) -> None:
    if required and not value.strip():
        raise bad_field(field, "不能为空", "is empty")
    if len(value) > most or not all(sign.isprintable() or sign == "\n" for sign in value):
        raise bad_field(field, f"最多 {most} 个可见字符", f"takes {most} visible characters at most")


def _one_of(field: str, value: str, allowed: Any) -> None:
    names = get_args(allowed)
    if value not in names:
        raise bad_field(field, f"须为 {'、'.join(names)} 之一", f"is none of {', '.join(names)}")
