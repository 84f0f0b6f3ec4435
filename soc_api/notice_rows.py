"""Values of notices as the bodies of the API, cut to what an account may see of them.

Who sees the issuer's unit sees the whole; a receiver sees what was issued, and its own part of it.
"""

from typing import Annotated

import msgspec
from fastapi import Depends, Path

from compliance.casework import Casework
from compliance.notice import OUT, RECEIVERS_STEPS, Notice, Receipt, paper_steps, receipt_steps
from soc_api import notice_bodies as bodies
from soc_api.context import Center
from soc_api.identity import Visit
from soc_api.incident_rows import Cases
from soc_api.permissions import allows
from soc_api.routes.registry import Reach, Within

NoticeId = Annotated[int, Path(ge=1, le=2**53)]
_WRITTEN = frozenset({"submit", "withdraw"})


class SeenNotice(msgspec.Struct, frozen=True):
    """A notice and how much of it is seen: ``whole``, or the parts of some receivers."""

    notice: Notice
    whole: bool
    receipts: tuple[Receipt, ...]


def cut(notice: Notice, reach: Reach) -> SeenNotice:
    """What an account sees of a notice."""
    whole = reach.scope.holds(notice.issuer)
    out = notice.state in OUT
    seen = tuple(one for one in notice.receipts if whole or (out and reach.scope.holds(one.unit)))
    return SeenNotice(notice, whole, seen)


def own_notice(notice: NoticeId, cases: Cases, reach: Within) -> SeenNotice:
    """The notice, if the account sees any of it. Raises Refused (notice-not-found, unit-scope)."""
    found = cut(cases.notice_rows.get(notice), reach)
    if not found.receipts:
        reach.unit(found.notice.issuer)
    return found


Own = Annotated[SeenNotice, Depends(own_notice)]


def notice_row(seen: SeenNotice, center: Center, cases: Casework) -> bodies.NoticeRow:
    """A notice as the list shows it."""
    notice, now = seen.notice, center.clock()
    dues = [one.due or one.sign_due for one in seen.receipts]
    made: dict[str, object] = {
        "issuer_name": cases.registry.unit_name(notice.issuer),
        "drafted_by": notice.writers[0] if seen.whole else "",
        "due": min((due for due in dues if due is not None), default=None),
        "receivers": len(seen.receipts),
        "signed": sum(one.signed is not None for one in seen.receipts),
        "answered": sum(one.answered is not None for one in seen.receipts),
        "cleared": sum(one.state == "cleared" for one in seen.receipts),
        "overdue": notice.state == "issued" and any(one.overdue(now) for one in seen.receipts),
    }
    names = [name for name in bodies.NoticeRow.model_fields if name not in made]
    return bodies.NoticeRow.model_validate({**{name: getattr(notice, name) for name in names}, **made})


def notice_detail(seen: SeenNotice, reach: Reach, cases: Casework) -> bodies.NoticeDetail:
    """A notice with its receivers and history, as far as they are seen."""
    notice, visit = seen.notice, reach.visit
    units = {one.unit for one in seen.receipts}
    events = [
        bodies.NoticeEventRow.model_validate(event, from_attributes=True)
        for event in cases.notice_rows.events(notice)
        if seen.whole or event.unit in units or (not event.unit and event.action in ("issue", "revoke"))
    ]
    return bodies.NoticeDetail(
        notice=notice_row(seen, reach.center, cases),
        text=notice.text,
        copies=notice.copies,
        about=notice.about,
        approved_by=notice.approved_by if seen.whole else "",
        issued_by=notice.issued_by if seen.whole else "",
        receipts=[_receipt(seen, one, reach, cases) for one in seen.receipts],
        events=events,
        steps=[step for step in paper_steps(notice, visit.actor) if seen.whole and _granted(visit, step)],
    )


def _granted(visit: Visit, step: str) -> bool:
    return allows(visit.account.role, "notices.draft" if step in _WRITTEN else "notices.decide")


def _receipt(seen: SeenNotice, one: Receipt, reach: Reach, cases: Casework) -> bodies.ReceiptRow:
    notice, visit = seen.notice, reach.visit
    role, steps = visit.account.role, []
    judges = seen.whole and allows(role, "notices.decide") and visit.account.unit != one.unit
    if notice.state == "issued":
        for step in receipt_steps(one, cases.notices.kind(notice)):
            if step in RECEIVERS_STEPS:
                if visit.account.unit == one.unit and allows(role, "notices.answer"):
                    steps.append(step)
            elif judges and visit.actor not in (one.signed_by, one.answered_by):
                steps.append(step)
    made: dict[str, object] = {
        "unit_name": cases.registry.unit_name(one.unit),
        "overdue": notice.state == "issued" and one.overdue(reach.center.clock()),
        "files": list(one.files),
        "steps": steps,
    }
    names = [name for name in bodies.ReceiptRow.model_fields if name not in made]
    return bodies.ReceiptRow.model_validate({**{name: getattr(one, name) for name in names}, **made})
