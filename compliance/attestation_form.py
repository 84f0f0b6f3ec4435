"""The form of an attestation: what a person is asked, for how long it holds, who else must look at it.

Format: docs/reference/checklist.md. Pure; a form judges answers, it never decides a verdict.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final, Literal

import msgspec

from crypto.words import BadInput, Words

AskKind = Literal["text", "date", "number", "choice"]
ANSWER_CHARS_MAX: Final = 500
ATTACHMENTS_MAX: Final = 20
# ISO 8601 durations in the designators the checklist uses; a month counts 30 days, a year 365.
_DURATION: Final = re.compile(
    r"P(?:(?P<years>\d{1,3})Y)?(?:(?P<months>\d{1,3})M)?(?:(?P<days>\d{1,4})D)?"
    r"(?:T(?:(?P<hours>\d{1,4})H)?(?:(?P<minutes>\d{1,4})M)?)?"
)
_NAME: Final = r"^[a-z][a-z0-9_]{0,31}$"


class Sentence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sentence in both languages, as the files write it."""

    zh: str
    en: str

    def words(self) -> Words:
        """The sentence as the rest of the program carries it."""
        return Words(self.zh, self.en)


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One question of a form; a date may not be older than ``within`` on the day of the statement."""

    name: str
    title: Words
    kind: AskKind
    required: bool
    choices: tuple[str, ...]
    within: timedelta | None


class AttestationForm(msgspec.Struct, frozen=True, kw_only=True):
    """``valid`` bounds the expiry, ``attachments`` is how many files must come with it."""

    valid: timedelta
    attachments: int
    review: bool
    asks: tuple[Ask, ...]


class _AskForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(pattern=_NAME)]
    zh: str
    en: str
    kind: AskKind = "text"
    required: bool = True
    choices: list[str] = []
    within: str = ""


class _Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    valid: str
    attachments: Annotated[int, msgspec.Meta(ge=0, le=ATTACHMENTS_MAX)] = 0
    review: bool = False
    asks: list[_AskForm] = []


def parse_duration(text: str) -> timedelta:
    """An ISO 8601 duration such as P1D or PT15M. Raises ValueError."""
    found = _DURATION.fullmatch(text)
    if not found or not any(found.groups()):
        raise ValueError(f"{text!r} is not a duration such as P1D or PT15M")
    years, months, days, hours, minutes = (int(part or 0) for part in found.groups())
    return timedelta(days=years * 365 + months * 30 + days, hours=hours, minutes=minutes)


def read_form(raw: Any) -> AttestationForm:
    """The form out of a checklist file. Raises msgspec.ValidationError, ValueError."""
    form = msgspec.convert(raw, _Form)
    names = [ask.name for ask in form.asks]
    if len(set(names)) != len(names):
        raise ValueError("a question stands twice")
    if any((ask.kind == "choice") != bool(ask.choices) for ask in form.asks):
        raise ValueError("choices belong to a question of kind choice, and only to it")
    return AttestationForm(
        valid=parse_duration(form.valid),
        attachments=form.attachments,
        review=form.review,
        asks=tuple(
            Ask(
                name=ask.name,
                title=Words(ask.zh, ask.en),
                kind=ask.kind,
                required=ask.required,
                choices=tuple(ask.choices),
                within=parse_duration(ask.within) if ask.within else None,
            )
            for ask in form.asks
        ),
    )


def check_answers(form: AttestationForm, answers: Mapping[str, str], now: datetime) -> None:
    """Silent where the answers fit the form. Raises BadInput (attestation-answer) naming the question."""
    known = {ask.name for ask in form.asks}
    for name in answers:
        if name not in known:
            raise bad_answer(name, Words("表单中没有这一项", "the form does not ask this"))
    for ask in form.asks:
        answer = answers.get(ask.name, "").strip()
        if not answer:
            if ask.required:
                raise bad_answer(ask.name, Words(f"请填写{ask.title.zh}", f"{ask.title.en} is missing"))
            continue
        if len(answer) > ANSWER_CHARS_MAX:
            raise bad_answer(ask.name, Words("内容过长", "too long"))
        _check_answer(ask, answer, now)


def _check_answer(ask: Ask, answer: str, now: datetime) -> None:
    if ask.kind == "choice" and answer not in ask.choices:
        listed = "、".join(ask.choices)
        raise bad_answer(ask.name, Words(f"须为 {listed} 之一", f"must be one of {listed}"))
    if ask.kind == "number" and not re.fullmatch(r"\d{1,12}(\.\d{1,6})?", answer):
        raise bad_answer(ask.name, Words("须为数字", "must be a number"))
    if ask.kind == "date":
        try:
            day = date.fromisoformat(answer)
        except ValueError:
            raise bad_answer(ask.name, Words("须为 YYYY-MM-DD", "must be YYYY-MM-DD")) from None
        age = now.astimezone(UTC).date() - day
        if ask.within is not None and age > ask.within:
            days = ask.within.days
            raise bad_answer(
                ask.name, Words(f"该日期已超过 {days} 天", f"the date is more than {days} days ago")
            )


def bad_answer(name: str, what: Words) -> BadInput:
    """An answer that does not fit, naming the question."""
    return BadInput(
        "attestation-answer",
        what,
        Words("请按检查项的证明表单填写", "fill in the form of the check"),
        field=name,
    )
