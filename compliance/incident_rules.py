"""The rules of incidents and notices (rules/incidents/*.yaml): categories, grades, clocks, form, scores."""

from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar

import msgspec

from crypto.words import BadInput, Words
from detection.sigma.document import parse_documents
from detection.sigma.errors import RuleError

_RULES_BYTES_MAX: Final = 64 * 1024

Percent = Annotated[int, msgspec.Meta(ge=1, le=1000)]
Grade = Annotated[int, msgspec.Meta(ge=1, le=4)]
FilingKind = Literal["first", "follow-up", "final"]


class _Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Strict: an unknown key is an error that names it."""


class Category(_Rule, frozen=True, kw_only=True):
    """A category of GB/T 20986 with its kinds, by their Chinese names."""

    id: str
    zh: str
    en: str
    kinds: tuple[str, ...]


class GradeRule(_Rule, frozen=True, kw_only=True):
    """A grade; personal information of so many ``persons`` makes it at least this one, 0 says nothing."""

    grade: Grade
    zh: str
    en: str
    persons: int


class Classification(_Rule, frozen=True, kw_only=True):
    """rules/incidents/classification.yaml."""

    format: Literal[1]
    source: str
    confidence: str
    categories: tuple[Category, ...]
    grades: tuple[GradeRule, ...]
    persons_source: str
    persons_confidence: str


class Told(_Rule, frozen=True):
    """A name in both languages."""

    zh: str
    en: str


class ClockKind(_Rule, frozen=True, kw_only=True):
    """How soon units of a kind report, from ``grade`` upwards (1 is the gravest)."""

    id: str
    zh: str
    en: str
    minutes: int
    to: Told
    grade: Grade
    source: str
    confidence: str


class Onward(_Rule, frozen=True, kw_only=True):
    """How soon whoever was told tells the next."""

    id: str
    zh: str
    en: str
    minutes: int
    grade: Grade
    confidence: str


class Closing(_Rule, frozen=True, kw_only=True):
    """The closing report: days after handling ended."""

    days: int
    grade: Grade
    source: str
    confidence: str


class Clocks(_Rule, frozen=True, kw_only=True):
    """rules/incidents/clocks.yaml."""

    format: Literal[1]
    reminders: tuple[Percent, ...]
    kinds: tuple[ClockKind, ...]
    onward: tuple[Onward, ...]
    closing: Closing

    def kind(self, name: str) -> ClockKind | None:
        """The kind of unit of this id."""
        return next((one for one in self.kinds if one.id == name), None)


class FormField(_Rule, frozen=True, kw_only=True):
    """One item of a report, and in which reports it stands."""

    name: str
    zh: str
    en: str
    asked: tuple[FilingKind, ...]
    required: tuple[FilingKind, ...] = ()


class Form(_Rule, frozen=True, kw_only=True):
    """rules/incidents/form.yaml."""

    format: Literal[1]
    source: str
    confidence: str
    titles: dict[FilingKind, Told]
    fields: tuple[FormField, ...]


class NoticeKind(_Rule, frozen=True, kw_only=True):
    """A kind of notice; ``upward`` goes to a unit above, the others go down."""

    id: str
    zh: str
    en: str
    mark: str  # before the number 〔2026〕1号
    answer: bool
    sign_hours: int
    days: int
    upward: bool = False


class ScoreRule(_Rule, frozen=True, kw_only=True):
    """What is taken off a unit's full score."""

    full: int
    signed_late: int
    answered_late: int
    overdue_day: int
    overdue_days_max: int
    check_failed: int


class NoticeRules(_Rule, frozen=True, kw_only=True):
    """rules/incidents/notices.yaml."""

    format: Literal[1]
    reminders: tuple[Percent, ...]
    kinds: tuple[NoticeKind, ...]
    score: ScoreRule

    def kind(self, name: str) -> NoticeKind | None:
        """The kind of this id."""
        return next((one for one in self.kinds if one.id == name), None)


class IncidentRules(msgspec.Struct, frozen=True, kw_only=True):
    """All of them."""

    classification: Classification
    clocks: Clocks
    form: Form
    notices: NoticeRules

    def category(self, name: str) -> Category | None:
        """The category of this id."""
        return next((one for one in self.classification.categories if one.id == name), None)


def load_incident_rules(folder: Path) -> IncidentRules:
    """The rules in rules/incidents. Raises BadInput (incident-rules)."""
    return IncidentRules(
        classification=_read(folder / "classification.yaml", Classification),
        clocks=_read(folder / "clocks.yaml", Clocks),
        form=_read(folder / "form.yaml", Form),
        notices=_read(folder / "notices.yaml", NoticeRules),
    )


_T = TypeVar("_T")


def _read(path: Path, kind: type[_T]) -> _T:
    try:
        with path.open("rb") as file:
            documents = parse_documents(file.read(_RULES_BYTES_MAX), path.name)
        return msgspec.convert(documents[0].value if len(documents) == 1 else None, kind)
    except (RuleError, msgspec.ValidationError, OSError) as error:
        raise BadInput(
            "incident-rules",
            Words(f"事件与通报规则有误:{error}", f"the rules of incidents and notices are wrong: {error}"),
            Words(f"请改正 rules/incidents/{path.name}", f"correct rules/incidents/{path.name}"),
            field=path.name,
        ) from None
