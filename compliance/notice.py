"""Notices (通报): a formal message from a unit to others, and what each of them does about it. Pure.

拟稿 - 审核 - 签发 are steps of the paper, by three different people; 签收 - 处置 - 反馈 - 复核 - 销号 those
of each receiver. The two tables are the whole of it: what is not in them can't be done.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from compliance.incident_rules import NoticeKind, ScoreRule
from crypto.words import Words

NoticeState = Literal["draft", "review", "approved", "issued", "closed", "withdrawn", "revoked"]
ReceiptState = Literal["issued", "received", "handling", "answered", "checked", "cleared", "void"]
PaperStep = Literal["submit", "return", "approve", "issue", "withdraw", "revoke"]
ReceiptStep = Literal["sign", "handle", "answer", "pass", "fail", "clear"]

PAPER_STEPS: Final[dict[PaperStep, tuple[frozenset[NoticeState], NoticeState]]] = {
    "submit": (frozenset({"draft"}), "review"),
    "return": (frozenset({"review", "approved"}), "draft"),
    "approve": (frozenset({"review"}), "approved"),
    "issue": (frozenset({"approved"}), "issued"),
    "withdraw": (frozenset({"draft", "review", "approved"}), "withdrawn"),
    "revoke": (frozenset({"issued"}), "revoked"),
}
RECEIPT_STEPS: Final[dict[ReceiptStep, tuple[frozenset[ReceiptState], ReceiptState]]] = {
    "sign": (frozenset({"issued"}), "received"),
    "handle": (frozenset({"received"}), "handling"),
    "answer": (frozenset({"received", "handling"}), "answered"),
    "pass": (frozenset({"answered"}), "checked"),
    "fail": (frozenset({"answered"}), "handling"),
    "clear": (frozenset({"checked"}), "cleared"),
}
# Where no answer is asked for, having signed for it is enough.
CLEARED_UNASKED: Final[frozenset[ReceiptState]] = frozenset({"received", "handling", "checked"})
RECEIVERS_STEPS: Final[frozenset[ReceiptStep]] = frozenset({"sign", "handle", "answer"})
ENDED: Final[frozenset[ReceiptState]] = frozenset({"cleared", "void"})
OUT: Final[frozenset[NoticeState]] = frozenset({"issued", "closed", "revoked"})
STEP_WORDS: Final[dict[str, Words]] = {
    "submit": Words("送审", "submit"),
    "return": Words("退回", "return"),
    "approve": Words("审核通过", "approve"),
    "issue": Words("签发", "issue"),
    "withdraw": Words("撤稿", "withdraw"),
    "revoke": Words("撤销", "revoke"),
    "sign": Words("签收", "sign for it"),
    "handle": Words("处置", "handle"),
    "answer": Words("反馈", "answer"),
    "pass": Words("复核通过", "pass"),
    "fail": Words("复核不通过", "fail"),
    "clear": Words("销号", "clear"),
}


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What one receiver did; ``due`` is None where no answer is asked for, or it is not issued."""

    unit: str
    state: ReceiptState = "issued"
    sign_due: datetime | None = None
    due: datetime | None = None
    signed: datetime | None = None
    signed_by: str = ""
    answered: datetime | None = None
    answered_by: str = ""
    answer: str = ""
    files: tuple[str, ...] = ()
    late_answers: int = 0
    failed: int = 0
    checked_by: str = ""
    cleared: datetime | None = None
    cleared_by: str = ""
    reminded: Mapping[str, int] = {}

    @property
    def open(self) -> bool:
        """Whether anything is still to be done."""
        return self.state not in ENDED

    def overdue(self, now: datetime) -> bool:
        """Not signed for, or not answered, in time; a late answer is counted in ``late_answers``."""
        if not self.open:
            return False
        unsigned = self.signed is None and self.sign_due is not None and now > self.sign_due
        return unsigned or (self.answered is None and self.due is not None and now > self.due)


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One notice; its number is given when it is issued and has no hole per issuer and year."""

    id: int = 0
    number: str = ""
    kind: str
    state: NoticeState = "draft"
    issuer: str
    title: str
    text: str
    days: int
    receipts: tuple[Receipt, ...]
    copies: str = ""
    incident: str = ""
    about: int = 0  # the notice a feedback sheet answers
    writers: tuple[str, ...]  # who wrote in it, the one who drafted it first
    approved_by: str = ""
    issued_by: str = ""
    created: datetime
    updated: datetime
    issued: datetime | None = None
    closed: datetime | None = None
    year: int = 0
    serial: int = 0
    revision: int = 0

    def receipt(self, unit: str) -> Receipt | None:
        """What a receiver did."""
        return next((one for one in self.receipts if one.unit == unit), None)

    def overdue(self, now: datetime) -> bool:
        """Whether any receiver is."""
        return self.state == "issued" and any(one.overdue(now) for one in self.receipts)


class NoticeStep(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happens; ``unit`` is the receiver it concerns, '' the paper itself."""

    notice: Notice
    action: str
    unit: str = ""
    note: str = ""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which something is to be done."""

    issued: datetime
    deadline: datetime


class UnitScore(msgspec.Struct, frozen=True, kw_only=True):
    """What a unit comes to by the rule, with what was taken off."""

    unit: str
    notices: int
    open: int
    signed_late: int
    answered_late: int
    overdue_days: int
    check_failed: int
    score: int


def paper_steps(notice: Notice, actor: str) -> tuple[PaperStep, ...]:
    """What this person may do to the paper now: nobody reviews or issues what they wrote."""
    return tuple(
        step
        for step, (before, _) in PAPER_STEPS.items()
        if notice.state in before and not barred(notice, step, actor)
    )


def barred(notice: Notice, step: PaperStep, actor: str) -> bool:
    """Whether another person must take this step."""
    if step in ("approve", "issue") and actor in notice.writers:
        return True
    return step == "issue" and actor == notice.approved_by


def receipt_steps(receipt: Receipt, kind: NoticeKind) -> tuple[ReceiptStep, ...]:
    """What may be done to a receiver's part now."""
    return tuple(
        step
        for step, (before, _) in RECEIPT_STEPS.items()
        if receipt.state in before
        or (step == "clear" and not kind.answer and receipt.state in CLEARED_UNASKED)
    )


def open_spans(notice: Notice, receipt: Receipt) -> dict[str, Span]:
    """The times that run for a receiver."""
    found: dict[str, Span] = {}
    if notice.issued is None or not receipt.open:
        return found
    if receipt.signed is None and receipt.sign_due is not None:
        found["sign"] = Span(issued=notice.issued, deadline=receipt.sign_due)
    if receipt.answered is None and receipt.due is not None:
        found["answer"] = Span(issued=notice.issued, deadline=receipt.due)
    return found


def scores(
    notices: Sequence[Notice], rule: ScoreRule, start: datetime, end: datetime, now: datetime
) -> list[UnitScore]:
    """Each unit that received something in [start, end), the worst first. What was revoked counts nowhere."""
    received: dict[str, list[Receipt]] = {}
    for notice in notices:
        if notice.issued is not None and start <= notice.issued < end and notice.state != "revoked":
            for receipt in notice.receipts:
                received.setdefault(receipt.unit, []).append(receipt)
    found = [_score(unit, receipts, rule, now) for unit, receipts in received.items()]
    return sorted(found, key=lambda one: (one.score, one.unit))


def _score(unit: str, receipts: Sequence[Receipt], rule: ScoreRule, now: datetime) -> UnitScore:
    signed_late = sum(one.sign_due is not None and (one.signed or now) > one.sign_due for one in receipts)
    late = sum(one.late_answers + (one.answered is None and _over(one, now) > 0) for one in receipts)
    days = sum(min(_over(one, now), rule.overdue_days_max) for one in receipts)
    failed = sum(one.failed for one in receipts)
    off = (
        signed_late * rule.signed_late
        + late * rule.answered_late
        + days * rule.overdue_day
        + failed * rule.check_failed
    )
    return UnitScore(
        unit=unit,
        notices=len(receipts),
        open=sum(one.open for one in receipts),
        signed_late=signed_late,
        answered_late=late,
        overdue_days=days,
        check_failed=failed,
        score=max(0, rule.full - off),
    )


def _over(receipt: Receipt, now: datetime) -> int:
    """Days begun after the time to answer."""
    if receipt.due is None:
        return 0
    over = (receipt.answered or receipt.cleared or now) - receipt.due
    return max(0, -(-over // timedelta(days=1)))
