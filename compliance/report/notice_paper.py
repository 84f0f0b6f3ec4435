"""Notices as official papers, and what a receiver answered as a sheet."""

from collections.abc import Callable
from datetime import datetime

from compliance.incident_rules import NoticeKind
from compliance.notice import Notice, Receipt
from compliance.report.paper import Paper
from compliance.report.times import ZONE, minute

_UNNUMBERED = "(未签发,不具效力)"


def notice_paper(
    notice: Notice, kind: NoticeKind, name: Callable[[str], str], *, watermark: str, now: datetime
) -> Paper:
    """The notice as it goes out; before it is issued it says so in the place of its number."""
    issued = notice.issued
    first = notice.receipts[0]
    rows = [("文种", kind.zh)]
    if issued is not None and first.sign_due is not None:
        rows.append(("签收时限", minute(first.sign_due)))
    if kind.answer:
        rows.append(("反馈时限", minute(first.due) if first.due else f"签发后 {notice.days} 日内"))
    if notice.incident:
        rows.append(("关联事件", notice.incident))
    issuer = name(notice.issuer)
    return Paper(
        title=notice.title,
        head=f"{issuer}文件",
        number=notice.number or _UNNUMBERED,
        marking="内部资料",
        to="、".join(name(one.unit) for one in notice.receipts),
        paragraphs=tuple(line.strip() for line in notice.text.splitlines() if line.strip()),
        rows=tuple(rows),
        signer=issuer,
        day=_day(issued) if issued else "",
        copies=notice.copies,
        printed=f"{issuer}　{_day(issued)}印发" if issued else "",
        watermark=watermark,
        author=issuer,
        created=minute(issued or now),
    )


def answer_paper(
    notice: Notice, receipt: Receipt, kind: NoticeKind, name: Callable[[str], str], *, watermark: str
) -> Paper:
    """处置反馈单: what a receiver did about a notice, and what became of it."""
    unit = name(receipt.unit)
    answered = receipt.answered or receipt.signed or notice.updated
    result = {"checked": "复核通过", "cleared": "已销号", "answered": "待复核"}.get(receipt.state, "处置中")
    rows = (
        ("通报编号", notice.number),
        ("通报标题", notice.title),
        ("文种", kind.zh),
        ("接收单位", unit),
        ("签收", _done(receipt.signed, receipt.signed_by)),
        ("反馈时限", minute(receipt.due) if receipt.due else "不要求反馈"),
        ("反馈内容", receipt.answer),
        ("反馈", _done(receipt.answered, receipt.answered_by)),
        ("附件(SM3)", "\n".join(receipt.files)),
        ("复核结果", f"{result};复核不通过 {receipt.failed} 次"),
        ("销号", _done(receipt.cleared, receipt.cleared_by)),
    )
    return Paper(
        title="网络安全通报处置反馈单",
        marking="内部资料",
        rows=rows,
        signer=unit,
        day=_day(answered),
        watermark=watermark,
        author=unit,
        created=minute(answered),
    )


def _done(moment: datetime | None, actor: str) -> str:
    return f"{minute(moment)} {actor.removeprefix('user:')}" if moment else ""


def _day(moment: datetime) -> str:
    day = moment.astimezone(ZONE)
    return f"{day.year}年{day.month}月{day.day}日"
