"""Notices (通报): drafted, reviewed and issued; signed for, answered, checked and cleared per receiver."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final, Literal

import msgspec
from fastapi import Path, Query, Response

from compliance.notice_acts import Draft
from compliance.notice_store import NoticeQuery
from compliance.report.notice_paper import answer_paper, notice_paper
from compliance.report.paper import MEDIA_TYPES, Paper, PaperForm, render_paper
from compliance.report.times import ZONE
from crypto.transfer.request import refuse_state_secrets
from crypto.words import BadInput, Refused, Words
from soc_api.bodies import Text
from soc_api.enforcement_rows import Enforcing
from soc_api.evidence_scope import need_file
from soc_api.incident_rows import Cases, paper_mark, veiled_paper
from soc_api.notice_bodies import (
    NoticeDetail,
    NoticeDraft,
    NoticeKindRow,
    NoticePage,
    NoticeRulesBody,
    PaperDecision,
    PaperStepOrder,
    ReceiptDecision,
    ReceiptStepOrder,
    ReceiverRow,
    ScorePage,
    ScoreRow,
)
from soc_api.notice_rows import Own, SeenNotice, cut, notice_detail, notice_row
from soc_api.routes.guard import Veiled, conflicts, needs, router
from soc_api.routes.recorded import recorded
from soc_api.routes.registry import Reach, Within

notices = router("notices")

REFUSES: Final = conflicts("The notice is not in the state this starts from, or it takes another person")
SPAN_DAYS_MAX: Final = 732  # of scores
_PAPERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA_TYPES.values()}
    },
    **REFUSES,
}
Unit = Annotated[str, Path(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$")]
State = Literal["", "draft", "review", "approved", "issued", "closed", "withdrawn", "revoked"]


@notices.get("/notices", summary="Notices", response_model=NoticePage, openapi_extra=needs("notices.read"))
def page(
    cases: Cases,
    reach: Within,
    state: State = "",
    kind: Annotated[str, Query(max_length=16)] = "",
    box: Literal["", "sent", "received"] = "",
    incident: Annotated[str, Query(pattern=r"^(20\d\d-\d{6,12})?$")] = "",
    q: Annotated[str, Query(max_length=200)] = "",
    overdue: bool = False,
    before: Annotated[int, Query(ge=0, le=2**53)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> NoticePage:
    """Those of one's units and those they received; newest first."""
    own = reach.visit.account.unit
    asked = NoticeQuery(
        units=reach.scope.units,
        state=state,
        kind=kind,
        issuer=own if box == "sent" else "",
        received=own if box == "received" else "",
        incident=incident,
        text=q,
        overdue=reach.center.clock() if overdue else None,
        before=before,
        limit=limit,
    )
    found = cases.notice_rows.page(asked)
    rows = [notice_row(cut(one, reach), reach.center, cases) for one in found]
    return NoticePage(rows=rows, next=found[-1].id if len(found) == limit else 0)


@notices.post(
    "/notices",
    summary="Draft a notice",
    response_model=NoticeDetail,
    status_code=201,
    responses=REFUSES,
    openapi_extra=needs("notices.draft"),
)
def draft(body: NoticeDraft, cases: Cases, reach: Within) -> NoticeDetail:
    """Of one's own unit, to units below it; a feedback sheet to one above."""
    given = _given(body, cases, reach)
    visit = reach.visit
    with recorded(reach.center, visit, "notice.draft", f"unit:{visit.account.unit} {body.kind}"):
        made = cases.notices.draft(given, visit.account.unit, visit.actor, reach.center.clock())
    return notice_detail(cut(made, reach), reach, cases)


@notices.get(
    "/notices/rules",
    summary="Kinds of notices, and whom they can go to",
    response_model=NoticeRulesBody,
    openapi_extra=needs("notices.read"),
)
def rules(cases: Cases, reach: Within) -> NoticeRulesBody:
    """As data; the units below one's own, and above it."""
    tree, own = cases.registry.tree(), reach.visit.account.unit
    below = [one for one in tree.units() if one.code in tree.subtree(own) - {own} and not one.retired]
    above = [one for one in tree.path(own) if one.code != own]
    return NoticeRulesBody(
        kinds=[
            NoticeKindRow(
                id=one.id,
                name=Text(zh=one.zh, en=one.en),
                mark=one.mark,
                answer=one.answer,
                sign_hours=one.sign_hours,
                days=one.days,
                upward=one.upward,
            )
            for one in cases.rules.notices.kinds
        ],
        below=[ReceiverRow(code=one.code, name=one.name) for one in below],
        above=[ReceiverRow(code=one.code, name=one.name) for one in above],
    )


@notices.get(
    "/notices/scores",
    summary="How units do with notices",
    response_model=ScorePage,
    openapi_extra=needs("notices.read"),
)
def scores(cases: Cases, reach: Within, first: date | None = None, last: date | None = None) -> ScorePage:
    """By the rule of rules/incidents/notices.yaml; of notices issued in these days, this year by default."""
    now = reach.center.clock()
    today = now.astimezone(ZONE).date()
    begins, ends = first or today.replace(month=1, day=1), last or today
    if not timedelta(0) <= ends - begins <= timedelta(days=SPAN_DAYS_MAX):
        raise BadInput(
            "notice-malformed",
            Words("起止日期不合理", "these days are no span"),
            Words(f"至多 {SPAN_DAYS_MAX} 日", f"{SPAN_DAYS_MAX} days at most"),
            field="first",
        )
    found = cases.notices.scores(_midnight(begins), _midnight(ends) + timedelta(days=1), now)
    rows = [
        ScoreRow(unit_name=cases.registry.unit_name(one.unit), **msgspec.structs.asdict(one))
        for one in found
        if reach.scope.holds(one.unit)
    ]
    rule = msgspec.to_builtins(cases.rules.notices.score)
    return ScorePage(first=begins, last=ends, rule=rule, rows=rows)


@notices.get(
    "/notices/{notice}",
    summary="One notice",
    response_model=NoticeDetail,
    responses=REFUSES,
    openapi_extra=needs("notices.read"),
)
def detail(seen: Own, cases: Cases, reach: Within) -> NoticeDetail:
    """With its receivers and what happened; a receiver sees its own part."""
    return notice_detail(seen, reach, cases)


@notices.put(
    "/notices/{notice}",
    summary="Write it anew",
    response_model=NoticeDetail,
    responses=REFUSES,
    openapi_extra=needs("notices.draft"),
)
def rewrite(seen: Own, body: NoticeDraft, cases: Cases, reach: Within) -> NoticeDetail:
    """While it is a draft; whoever writes in it neither reviews nor issues it."""
    number = _whole(seen, reach)
    given = _given(body, cases, reach)
    with recorded(reach.center, reach.visit, "notice.rewrite", f"notice:{number}") as act:
        done = cases.notices.rewrite(number, given, reach.visit.actor, reach.center.clock())
        act.changed(msgspec.to_builtins(seen.notice), msgspec.to_builtins(done))
    return notice_detail(cut(done, reach), reach, cases)


@notices.post(
    "/notices/{notice}/steps",
    summary="Submit or withdraw it",
    response_model=NoticeDetail,
    responses=REFUSES,
    openapi_extra=needs("notices.draft"),
)
def step(seen: Own, body: PaperStepOrder, cases: Cases, reach: Within) -> NoticeDetail:
    """送审, 撤稿."""
    return _paper_step(seen, body, cases, reach)


@notices.post(
    "/notices/{notice}/decide",
    summary="Review, issue or revoke it",
    response_model=NoticeDetail,
    responses=REFUSES,
    openapi_extra=needs("notices.decide"),
)
def decide(seen: Own, body: PaperDecision, cases: Cases, reach: Within) -> NoticeDetail:
    """审核 by another person than who wrote it, 签发 by a third; the number is given then."""
    return _paper_step(seen, body, cases, reach)


@notices.post(
    "/notices/{notice}/receivers/{unit}/steps",
    summary="Sign for it, handle it, answer it",
    response_model=NoticeDetail,
    responses=REFUSES,
    openapi_extra=needs("notices.answer"),
)
def receive(
    seen: Own, unit: Unit, body: ReceiptStepOrder, cases: Cases, reach: Within, enforcement: Enforcing
) -> NoticeDetail:
    """签收, 处置, 反馈: by an account of the unit it was sent to."""
    if reach.visit.account.unit != unit:
        raise Refused(
            "notice-receiver",
            Words("须由接收单位自己的账号办理", "an account of the receiving unit does this"),
            Words("请由该单位人员登录办理", "have somebody of that unit do it"),
            field=unit,
        )
    refuse_state_secrets((), (body.note,))
    for digest in body.files:
        enforcement.statements.file(digest)
        need_file(reach.center, reach.visit, enforcement, digest)
    number, center, visit = seen.notice.id, reach.center, reach.visit
    with recorded(center, visit, f"notice.{body.step}", f"notice:{number} unit:{unit}"):
        done = cases.notices.receipt(
            number, unit, body.step, body.note, visit.actor, center.clock(), files=body.files
        )
    return notice_detail(cut(done, reach), reach, cases)


@notices.post(
    "/notices/{notice}/receivers/{unit}/decide",
    summary="Check an answer, clear a receiver",
    response_model=NoticeDetail,
    responses=REFUSES,
    openapi_extra=needs("notices.decide"),
)
def judge(seen: Own, unit: Unit, body: ReceiptDecision, cases: Cases, reach: Within) -> NoticeDetail:
    """复核, 销号: by the issuer's side, never by who signed for it or answered."""
    number = _whole(seen, reach)
    with recorded(reach.center, reach.visit, f"notice.{body.step}", f"notice:{number} unit:{unit}"):
        done = cases.notices.receipt(
            number, unit, body.step, body.note, reach.visit.actor, reach.center.clock()
        )
    return notice_detail(cut(done, reach), reach, cases)


@notices.get(
    "/notices/{notice}/paper/{form}",
    summary="The notice as an official paper",
    response_class=Response,
    responses=_PAPERS,
    openapi_extra=needs("notices.read"),
)
def paper(seen: Own, form: PaperForm, cases: Cases, reach: Within, veil: Veiled) -> Response:
    """DOCX or PDF in the layout of GB/T 9704, marked with who took it and when."""
    notice, now = seen.notice, reach.center.clock()
    kind = cases.notices.kind(notice)
    made = notice_paper(
        notice, kind, cases.registry.unit_name, watermark=paper_mark(reach.visit, now), now=now
    )
    return _file(reach, veiled_paper(made, veil), form, f"notice-{notice.id}")


@notices.get(
    "/notices/{notice}/receivers/{unit}/paper/{form}",
    summary="A receiver's answer as a sheet",
    response_class=Response,
    responses=_PAPERS,
    openapi_extra=needs("notices.read"),
)
def answer_sheet(
    seen: Own, unit: Unit, form: PaperForm, cases: Cases, reach: Within, veil: Veiled
) -> Response:
    """反馈单: DOCX or PDF, marked with who took it and when."""
    receipt = next((one for one in seen.receipts if one.unit == unit), None)
    if receipt is None:
        raise Refused(
            "receiver-not-found",
            Words("该单位不是此通报的接收单位", "that unit is no receiver of this notice"),
            Words("请从接收单位中选择", "choose one of its receivers"),
            field=unit,
        )
    made = answer_paper(
        seen.notice,
        receipt,
        cases.notices.kind(seen.notice),
        cases.registry.unit_name,
        watermark=paper_mark(reach.visit, reach.center.clock()),
    )
    return _file(reach, veiled_paper(made, veil), form, f"notice-{seen.notice.id}-{unit}")


def _paper_step(
    seen: SeenNotice, body: PaperStepOrder | PaperDecision, cases: Cases, reach: Reach
) -> NoticeDetail:
    number = _whole(seen, reach)
    refuse_state_secrets((), (body.note,))
    with recorded(reach.center, reach.visit, f"notice.{body.step}", f"notice:{number}"):
        done = cases.notices.step(number, body.step, body.note, reach.visit.actor, reach.center.clock())
    return notice_detail(cut(done, reach), reach, cases)


def _given(body: NoticeDraft, cases: Cases, reach: Reach) -> Draft:
    """What is written, where all it names may be seen."""
    refuse_state_secrets((), (body.title, body.text))
    if body.incident:
        reach.unit(cases.incident_rows.get(body.incident).unit)
    if body.about and not cut(cases.notice_rows.get(body.about), reach).receipts:
        reach.unit(cases.notice_rows.get(body.about).issuer)
    return Draft(**body.model_dump() | {"receivers": tuple(body.receivers)})


def _whole(seen: SeenNotice, reach: Reach) -> int:
    """The notice's number, where the issuer's unit is within reach. Raises Refused (unit-scope)."""
    reach.unit(seen.notice.issuer)
    return seen.notice.id


def _file(reach: Reach, paper: Paper, form: PaperForm, name: str) -> Response:
    with recorded(reach.center, reach.visit, "notice.download", f"{name}.{form}"):
        data = render_paper(paper, form)
    headers = {"Content-Disposition": f'attachment; filename="liuhe-{name}.{form}"'}
    return Response(data, media_type=MEDIA_TYPES[form], headers=headers)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZONE)
