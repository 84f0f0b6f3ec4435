"""Figures that several pages count alike, within the units an account sees."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from compliance.notice import Notice, Receipt
from detection.condition import Always
from detection.store.survey import Question

if TYPE_CHECKING:
    from soc_api.context import Center

Units = frozenset[str] | None


def events_last_hour(center: "Center", now: datetime, units: Units) -> int:
    """How many events of these units the center stored in the last hour."""
    since = now - timedelta(hours=1)
    if units is None:
        return center.events.count_since(since)
    question = Question(condition=Always(True), since=since, until=now, units=units, limit=1, slots=1)
    matched = 0
    for progress in center.events.survey(question):
        matched = progress.matched
    return matched


def open_receipts(center: "Center", units: Units) -> Iterator[tuple[Notice, Receipt]]:
    """What receivers within these units still owe about notices that are out."""
    if center.casework is None:
        return
    for notice in center.casework.notice_rows.running():
        for receipt in notice.receipts:
            if receipt.open and (units is None or receipt.unit in units):
                yield notice, receipt


def notice_deadline(receipt: Receipt) -> datetime | None:
    """The deadline that comes first of what is still owed."""
    owed = [
        receipt.sign_due if receipt.signed is None else None,
        receipt.due if receipt.answered is None else None,
    ]
    return min((due for due in owed if due is not None), default=None)
