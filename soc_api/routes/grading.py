"""The self-assessment: results per item and object, scores of systems and units, statements in two voices."""

from typing import Annotated, Any, Final

from fastapi import Path

from compliance.catalogue import Item
from compliance.grading import ItemResult, Statement, asking_checks, checks_of
from compliance.report.model import DISCLAIMER
from compliance.scoring import ItemVerdict, item_verdicts, points, read_2021
from compliance.verdict_rule import rule_words
from soc_api.errors import text
from soc_api.grading_bodies import (
    GradingPage,
    GroupRow,
    ItemDetail,
    ItemRow,
    ItemStatementOrder,
    ItemStatementPage,
    ItemStatementReview,
    ItemStatementRow,
    ItemStatementWithdrawal,
    ResultRow,
    ScoreBody,
    TrendPage,
    TrendRow,
    UnitGrading,
)
from soc_api.routes.guard import conflicts, needs, router
from soc_api.routes.recorded import recorded
from soc_api.routes.registry import Number, Reach, SystemId, UnitCode, Within

grading = router("grading")

ItemId = Annotated[str, Path(pattern=r"^L[1-4]-[0-9a-z.]{3,24}$")]
_REFUSES: Final = conflicts("The statement is one's own, or has been decided already")


@grading.get(
    "/systems/{system}/grading",
    summary="Every item of a graded system",
    response_model=GradingPage,
    responses=_REFUSES,
    openapi_extra=needs("grading.read"),
)
def page(system: SystemId, reach: Within) -> GradingPage:
    """What is known now, by the rule that is printed; nobody's word is 未知."""
    assessment = reach.desk.assessment
    found = assessment.assess(reach.system(system), reach.center.clock())
    verdicts = item_verdicts(found.items, found.results)
    total, grade = read_2021(found.items, verdicts, assessment.rule)
    by_item = {item.id: item for item in found.items}
    return GradingPage(
        score=ScoreBody.model_validate(found.score, from_attributes=True),
        rule=text(rule_words(assessment.rule)),
        score_2021=total,
        grade_2021=grade,
        points=[
            GroupRow.model_validate(one, from_attributes=True)
            for one in points(found.items, verdicts, assessment.rule)
        ],
        items=[_item(by_item[one.item], one) for one in verdicts],
        disclaimer=text(DISCLAIMER),
    )


@grading.get(
    "/systems/{system}/grading/trend",
    summary="Scores by day",
    response_model=TrendPage,
    responses=_REFUSES,
    openapi_extra=needs("grading.read"),
)
def trend(system: SystemId, reach: Within) -> TrendPage:
    """The last score of each day, up to a year."""
    days = reach.desk.statements.days(reach.system(system).id)
    return TrendPage(
        rows=[
            TrendRow(
                day=one.time.date(),
                rate=one.rate,
                decided=one.decided,
                conclusion=one.conclusion,
                high_risks=one.high_risks,
                major_open=one.major_open,
            )
            for one in days
        ]
    )


@grading.get(
    "/systems/{system}/grading/{item}",
    summary="One item on each of its objects",
    response_model=ItemDetail,
    responses=_REFUSES,
    openapi_extra=needs("grading.read"),
)
def detail(system: SystemId, item: ItemId, reach: Within) -> ItemDetail:
    """Which checks speak of it, what they say of each object, and what people have stated."""
    assessment = reach.desk.assessment
    asked = assessment.catalogue.item(item)
    found = assessment.assess(reach.system(system), reach.center.clock())
    results = [one for one in found.results if one.item == item]
    (verdict,) = item_verdicts([asked], results)
    statements = [one for one in reach.desk.statements.statements(system) if one.item == item]
    return ItemDetail(
        item=_item(asked, verdict),
        hint=asked.hint,
        checks=list(checks_of(asked, assessment.catalogue, asking_checks(assessment.checks))),
        kinds=list(assessment.catalogue.kinds(asked)),
        results=[_result(one) for one in results],
        statements=[_statement(one) for one in statements],
    )


@grading.get(
    "/systems/{system}/statements",
    summary="Statements of a system",
    response_model=ItemStatementPage,
    responses=_REFUSES,
    openapi_extra=needs("grading.read"),
)
def statements(system: SystemId, reach: Within) -> ItemStatementPage:
    """All of them, decided or not."""
    found = reach.desk.statements.statements(reach.system(system).id)
    return ItemStatementPage(rows=[_statement(one) for one in found])


@grading.post(
    "/systems/{system}/statements",
    summary="State something of an item",
    response_model=ItemStatementRow,
    status_code=201,
    responses=_REFUSES,
    openapi_extra=needs("grading.state"),
)
def propose(system: SystemId, body: ItemStatementOrder, reach: Within) -> ItemStatementRow:
    """Not applicable and why, a verdict no check gives, or a mitigated risk; it waits for another person."""
    reach.system(system)
    reach.desk.assessment.catalogue.item(body.item)
    now = reach.center.clock()
    said = Statement(system=system, author=reach.visit.actor, made=now, **body.model_dump())
    with recorded(reach.center, reach.visit, "grading.state", f"system:{system}/{body.item}"):
        after = reach.desk.statements.propose(said, now)
    return _statement(after)


@grading.post(
    "/statements/{statement}/review",
    summary="Confirm or refuse a statement",
    response_model=ItemStatementRow,
    responses=_REFUSES,
    openapi_extra=needs("grading.review"),
)
def review(statement: Number, body: ItemStatementReview, reach: Within) -> ItemStatementRow:
    """By another person than its author; a confirmed one counts at once."""
    _within(reach, statement)
    with recorded(reach.center, reach.visit, "grading.review", f"statement:{statement}"):
        after = reach.desk.statements.review(
            statement,
            confirm=body.confirm,
            reviewer=reach.visit.actor,
            note=body.note,
            now=reach.center.clock(),
        )
    return _statement(after)


@grading.post(
    "/statements/{statement}/withdraw",
    summary="Take a statement back",
    response_model=ItemStatementRow,
    responses=_REFUSES,
    openapi_extra=needs("grading.state"),
)
def withdraw(statement: Number, body: ItemStatementWithdrawal, reach: Within) -> ItemStatementRow:
    """It stays on record and counts no longer."""
    _within(reach, statement)
    with recorded(reach.center, reach.visit, "grading.withdraw", f"statement:{statement}"):
        after = reach.desk.statements.withdraw(
            statement, actor=reach.visit.actor, note=body.note, now=reach.center.clock()
        )
    return _statement(after)


@grading.get(
    "/units/{unit}/grading",
    summary="A unit and those below it",
    response_model=UnitGrading,
    responses=_REFUSES,
    openapi_extra=needs("grading.read"),
)
def unit(unit: UnitCode, reach: Within) -> UnitGrading:
    """The last kept scores of their systems, added up."""
    below = reach.desk.registry.tree().subtree(reach.unit(unit))
    assessment = reach.desk.assessment
    found = assessment.unit(unit, below)
    values: dict[str, Any] = {name: getattr(found, name) for name in found.__struct_fields__}
    values["layers"] = [GroupRow.model_validate(one, from_attributes=True) for one in found.layers]
    return UnitGrading(**values, rule=text(rule_words(assessment.rule)), disclaimer=text(DISCLAIMER))


def _within(reach: Reach, statement: int) -> None:
    reach.system(reach.desk.statements.statement(statement).system)


def _item(item: Item, verdict: ItemVerdict) -> ItemRow:
    values = {name: getattr(item, name) for name in ItemRow.model_fields if hasattr(item, name)}
    values |= {
        "high_risk_cases": list(item.high_risk_cases),
        "major_risk_triggers": list(item.major_risk_triggers),
        "verdict": verdict.verdict,
        "risk": verdict.risk,
        "objects": verdict.objects,
        "stale_at": verdict.stale_at,
    }
    return ItemRow(**values)


def _result(result: ItemResult) -> ResultRow:
    return ResultRow.model_validate(result, from_attributes=True)


def _statement(statement: Statement) -> ItemStatementRow:
    return ItemStatementRow.model_validate(statement, from_attributes=True)
