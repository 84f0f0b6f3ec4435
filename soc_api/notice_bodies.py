"""Bodies of notices: the list, one with its receivers and history, drafts and steps, scores, kinds."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from soc_api.bodies import Body, Text
from soc_api.order_bodies import Digest

State = Literal["draft", "review", "approved", "issued", "closed", "withdrawn", "revoked"]
ReceiptState = Literal["issued", "received", "handling", "answered", "checked", "cleared", "void"]
Unit = Annotated[str, Field(min_length=1, max_length=128)]
Note = Annotated[str, Field(max_length=2000)]


class ReceiptRow(Body):
    """What one receiver did; ``steps`` is what this account may do to it now."""

    unit: str
    unit_name: str
    state: ReceiptState
    sign_due: datetime | None
    due: datetime | None
    signed: datetime | None
    signed_by: str
    answered: datetime | None
    answered_by: str
    answer: str
    files: list[str]
    late_answers: int
    failed: int
    checked_by: str
    cleared: datetime | None
    cleared_by: str
    overdue: bool
    steps: list[str]


class NoticeRow(Body):
    """One notice as the list shows it; receivers counted as far as this account sees them."""

    id: int
    number: str
    kind: str
    state: State
    issuer: str
    issuer_name: str
    title: str
    days: int
    incident: str
    drafted_by: str
    created: datetime
    updated: datetime
    issued: datetime | None
    closed: datetime | None
    due: datetime | None
    receivers: int
    signed: int
    answered: int
    cleared: int
    overdue: bool
    revision: int


class NoticePage(Body):
    """GET /api/v1/notices; ``next`` is the ``before`` of the following page, 0 at the end."""

    rows: list[NoticeRow]
    next: int


class NoticeEventRow(Body):
    """What happened; ``unit`` is the receiver it concerns, '' the paper itself."""

    time: datetime
    unit: str
    actor: str
    action: str
    note: str
    leaf: int | None


class NoticeDetail(Body):
    """GET /api/v1/notices/{notice}; ``steps`` is what this account may do to the paper now."""

    notice: NoticeRow
    text: str
    copies: str
    about: int
    approved_by: str
    issued_by: str
    receipts: list[ReceiptRow]
    events: list[NoticeEventRow]
    steps: list[str]


class NoticeDraft(Body):
    """POST /api/v1/notices and PUT /api/v1/notices/{notice}; ``days`` 0 takes those of its kind."""

    kind: Annotated[str, Field(max_length=16)]
    title: Annotated[str, Field(max_length=200)]
    text: Annotated[str, Field(max_length=20_000)]
    receivers: list[Unit] = Field(min_length=1, max_length=200)
    days: int = Field(default=0, ge=0, le=365)
    copies: Annotated[str, Field(max_length=200)] = ""
    incident: Annotated[str, Field(pattern=r"^(20\d\d-\d{6,12})?$")] = ""
    about: int = Field(default=0, ge=0, le=2**53)


class PaperStepOrder(Body):
    """POST /api/v1/notices/{notice}/steps: by who writes it."""

    step: Literal["submit", "withdraw"]
    note: Note = ""


class PaperDecision(Body):
    """POST /api/v1/notices/{notice}/decide: review and issue, by others than who wrote it."""

    step: Literal["return", "approve", "issue", "revoke"]
    note: Note = ""


class ReceiptStepOrder(Body):
    """POST /api/v1/notices/{notice}/receivers/{unit}/steps: by an account of that unit."""

    step: Literal["sign", "handle", "answer"]
    note: Annotated[str, Field(max_length=8000)] = ""
    files: list[Digest] = Field(default_factory=list, max_length=20)


class ReceiptDecision(Body):
    """POST /api/v1/notices/{notice}/receivers/{unit}/decide: by the issuer."""

    step: Literal["pass", "fail", "clear"]
    note: Note = ""


class NoticeKindRow(Body):
    """A kind of notice with its times."""

    id: str
    name: Text
    mark: str
    answer: bool
    sign_hours: int
    days: int
    upward: bool


class ReceiverRow(Body):
    """A unit a notice can go to."""

    code: str
    name: str


class NoticeRulesBody(Body):
    """GET /api/v1/notices/rules: kinds, and the units below and above one's own."""

    kinds: list[NoticeKindRow]
    below: list[ReceiverRow]
    above: list[ReceiverRow]


class ScoreRow(Body):
    """A unit's score with what was taken off."""

    unit: str
    unit_name: str
    notices: int
    open: int
    signed_late: int
    answered_late: int
    overdue_days: int
    check_failed: int
    score: int


class ScorePage(Body):
    """GET /api/v1/notices/scores, the worst first; ``rule`` is what each thing takes off."""

    first: date
    last: date
    rule: dict[str, int]
    rows: list[ScoreRow]
