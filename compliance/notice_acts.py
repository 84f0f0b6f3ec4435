"""What people do to a notice, as pure functions: each gives the step the store writes, or refuses."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from compliance.incident_rules import NoticeKind, NoticeRules
from compliance.notice import (
    ENDED,
    PAPER_STEPS,
    RECEIPT_STEPS,
    RECEIVERS_STEPS,
    STEP_WORDS,
    Notice,
    NoticeStep,
    PaperStep,
    Receipt,
    ReceiptStep,
    barred,
    open_spans,
    receipt_steps,
)
from compliance.order import reached
from crypto.words import BadInput, Refused, Words

TITLE_CHARS_MAX: Final = 200
TEXT_CHARS_MAX: Final = 20_000
NOTE_CHARS_MAX: Final = 2_000
ANSWER_CHARS_MAX: Final = 8_000
RECEIVERS_MAX: Final = 200
DAYS_MAX: Final = 365
FILES_MAX: Final = 20
_NOTED: Final = frozenset({"return", "withdraw", "revoke", "fail"})


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What is written in a notice; ``days`` 0 takes those of its kind."""

    kind: str
    title: str
    text: str
    receivers: tuple[str, ...]
    days: int = 0
    copies: str = ""
    incident: str = ""
    about: int = 0


def drafted(draft: Draft, issuer: str, rules: NoticeRules, actor: str, now: datetime) -> NoticeStep:
    """A new paper. Raises BadInput (notice-malformed)."""
    kind = _checked(draft, rules)
    notice = Notice(
        kind=draft.kind,
        issuer=issuer,
        title=draft.title.strip(),
        text=draft.text.strip(),
        days=draft.days or kind.days,
        receipts=tuple(Receipt(unit=unit) for unit in dict.fromkeys(draft.receivers)),
        copies=draft.copies,
        incident=draft.incident,
        about=draft.about,
        writers=(actor,),
        created=now,
        updated=now,
    )
    return NoticeStep(notice=notice, action="drafted")


def rewritten(notice: Notice, draft: Draft, rules: NoticeRules, actor: str) -> NoticeStep:
    """Another text while it is a draft; who writes in it neither reviews nor issues it."""
    if notice.state != "draft":
        raise refused(notice, Words("修改", "change"))
    kind = _checked(draft, rules)
    after = msgspec.structs.replace(
        notice,
        kind=draft.kind,
        title=draft.title.strip(),
        text=draft.text.strip(),
        days=draft.days or kind.days,
        receipts=tuple(Receipt(unit=unit) for unit in dict.fromkeys(draft.receivers)),
        copies=draft.copies,
        incident=draft.incident,
        about=draft.about,
        writers=notice.writers if actor in notice.writers else (*notice.writers, actor),
        approved_by="",
    )
    return NoticeStep(notice=after, action="rewritten")


def paper_step(
    notice: Notice, step: PaperStep, note: str, kind: NoticeKind, actor: str, now: datetime
) -> NoticeStep:
    """送审, 退回, 审核, 签发, 撤稿, 撤销. Raises Refused (notice-state, notice-same-person), BadInput."""
    before, state = PAPER_STEPS[step]
    if notice.state not in before:
        raise refused(notice, STEP_WORDS[step])
    if barred(notice, step, actor):
        raise Refused(
            "notice-same-person",
            Words("拟稿、审核、签发须为不同的人", "drafting, review and issuing take different people"),
            Words("请由他人办理", "have somebody else do it"),
            field=notice.number or str(notice.id),
        )
    _note(note, required=step in _NOTED)
    values: dict[str, object] = {"state": state}
    if step == "approve":
        values["approved_by"] = actor
    elif step == "return":
        values["approved_by"] = ""
    elif step == "issue":
        due = now + timedelta(days=notice.days) if kind.answer else None
        sign_due = now + timedelta(hours=kind.sign_hours)
        values |= {"issued": now, "issued_by": actor}
        values["receipts"] = tuple(
            msgspec.structs.replace(one, sign_due=sign_due, due=due) for one in notice.receipts
        )
    elif step in ("withdraw", "revoke"):
        values["closed"] = now
    if step == "revoke":
        values["receipts"] = tuple(
            one if one.state in ENDED else msgspec.structs.replace(one, state="void")
            for one in notice.receipts
        )
    return NoticeStep(notice=msgspec.structs.replace(notice, **values), action=step, note=note)


def receipt_step(
    notice: Notice,
    unit: str,
    step: ReceiptStep,
    note: str,
    kind: NoticeKind,
    actor: str,
    now: datetime,
    *,
    files: Sequence[str] = (),
) -> NoticeStep:
    """签收, 处置, 反馈 by the receiver; 复核 and 销号 by the issuer, never by who answered.

    Raises Refused (notice-state, notice-same-person, receiver-not-found), BadInput (notice-malformed).
    """
    receipt = notice.receipt(unit)
    if receipt is None:
        raise Refused(
            "receiver-not-found",
            Words("该单位不是此通报的接收单位", "that unit is no receiver of this notice"),
            Words("请从接收单位中选择", "choose one of its receivers"),
            field=unit,
        )
    if notice.state != "issued" or step not in receipt_steps(receipt, kind):
        raise refused(notice, STEP_WORDS[step])
    if step not in RECEIVERS_STEPS and actor in (receipt.answered_by, receipt.signed_by):
        raise Refused(
            "notice-same-person",
            Words("不得复核、销号自己签收或反馈的", "nobody checks what they signed for or answered"),
            Words("请由他人办理", "have somebody else do it"),
            field=unit,
        )
    _note(note, required=step in _NOTED or step == "answer", most=ANSWER_CHARS_MAX)
    if len(files) > FILES_MAX:
        raise bad("files", f"最多 {FILES_MAX} 个", f"are {FILES_MAX} at most")
    after = msgspec.structs.replace(
        receipt, state=RECEIPT_STEPS[step][1], **_taken(receipt, step, actor, now)
    )
    if step == "answer":
        after = msgspec.structs.replace(after, answer=note, files=tuple(files))
    receipts = tuple(after if one.unit == unit else one for one in notice.receipts)
    ended = all(one.state in ENDED for one in receipts)
    changed = msgspec.structs.replace(
        notice,
        receipts=receipts,
        state="closed" if ended else notice.state,
        closed=now if ended else None,
    )
    return NoticeStep(notice=changed, action=step, unit=unit, note=note)


def reminders(notice: Notice, percents: Iterable[int], now: datetime) -> list[NoticeStep]:
    """Reminders that are due, for each receiver; of several at once the last one speaks for all."""
    steps, percents = [], tuple(percents)
    for receipt in notice.receipts:
        for name, span in open_spans(notice, receipt).items():
            percent = reached(span, percents, now)
            if percent <= receipt.reminded.get(name, 0):
                continue
            receipt = msgspec.structs.replace(receipt, reminded={**receipt.reminded, name: percent})
            receipts = tuple(receipt if one.unit == receipt.unit else one for one in notice.receipts)
            notice = msgspec.structs.replace(notice, receipts=receipts)
            steps.append(
                NoticeStep(notice=notice, action="reminded", unit=receipt.unit, note=f"{name} {percent} %")
            )
    return steps


def _taken(receipt: Receipt, step: ReceiptStep, actor: str, now: datetime) -> dict[str, object]:
    """What a step leaves in a receipt beside its state."""
    if step == "sign":
        return {"signed": now, "signed_by": actor}
    if step == "answer":
        late = receipt.due is not None and now > receipt.due
        return {
            "answered": now,
            "answered_by": actor,
            "late_answers": receipt.late_answers + late,
        }
    if step == "fail":
        return {"failed": receipt.failed + 1, "answered": None, "checked_by": actor}
    if step == "pass":
        return {"checked_by": actor}
    if step == "clear":
        return {"cleared": now, "cleared_by": actor}
    return {}


def _checked(draft: Draft, rules: NoticeRules) -> NoticeKind:
    kind = rules.kind(draft.kind)
    if kind is None:
        raise bad("kind", "没有这类通报", "is no kind of notice")
    for name, value, least, most in (
        ("title", draft.title, 4, TITLE_CHARS_MAX),
        ("text", draft.text, 10, TEXT_CHARS_MAX),
        ("copies", draft.copies, 0, TITLE_CHARS_MAX),
    ):
        shown = all(sign.isprintable() or (sign == "\n" and name == "text") for sign in value)
        if not least <= len(value.strip()) <= most or len(value) > most or not shown:
            raise bad(name, f"须为 {least}-{most} 个可见字符", f"takes {least} to {most} visible characters")
    if not 0 <= draft.days <= DAYS_MAX:
        raise bad("days", f"反馈时限须为 1-{DAYS_MAX} 日", f"is 1 to {DAYS_MAX} days")
    if not 1 <= len(set(draft.receivers)) <= (1 if kind.upward else RECEIVERS_MAX):
        raise bad("receivers", "接收单位过多或为空", "are too many, or none")
    return kind


def _note(note: str, *, required: bool, most: int = NOTE_CHARS_MAX) -> None:
    shown = all(sign.isprintable() or sign == "\n" for sign in note)
    if len(note) > most or not shown or (required and len(note.strip()) < 2):
        raise bad("note", f"须为 2-{most} 个可见字符", f"takes 2 to {most} visible characters")


def refused(notice: Notice, act: Words) -> Refused:
    """The notice is not in the state this starts from."""
    return Refused(
        "notice-state",
        Words(f"当前状态不能{act.zh}", f"it can't be done in this state: {act.en}"),
        Words("请刷新后重试", "reload and try again"),
        field=notice.number or str(notice.id),
    )


def bad(field: str, zh: str, en: str) -> BadInput:
    """One value of a notice is wrong."""
    return BadInput(
        "notice-malformed",
        Words(f"通报内容有误:{field} {zh}", f"bad notice: {field} {en}"),
        Words("请改正后重新提交", "correct it and send it again"),
        field=field,
    )
