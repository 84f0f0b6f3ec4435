"""Bodies of the self-assessment's routes: items with their results, scores, statements in two voices."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from compliance.grading import Risk, StatementState
from compliance.registry import Extension
from compliance.verdict_rule import Conclusion
from soc_api.bodies import Body, Text, Verdict


class GroupRow(Body):
    """A domain, layer or control point: items per verdict, and 符合率 in percent."""

    name: str
    counts: dict[Verdict, int]
    rate: float | None


class MajorRiskRow(Body):
    """A 重大风险隐患, counted before rectification."""

    trigger: str
    item: str
    object: str
    first_seen: date
    rectified: date | None


class ScoreBody(Body):
    """What a graded system comes to; a self-check, never an assessment result."""

    system: str
    unit: str
    grade: str
    level: int
    time: datetime
    rule: str
    template: str
    items: int
    results: int
    counts: dict[Verdict, int]
    rate: float | None
    decided: float
    conclusion: Conclusion
    domains: list[GroupRow]
    layers: list[GroupRow]
    high_risks: int
    mitigated: int
    major_risks: list[MajorRiskRow]
    major_open: int


class ItemRow(Body):
    """One item with its verdict over all objects."""

    id: str
    reference: str
    level: int
    extension: Extension | Literal["general"]
    domain: str
    point: str
    summary: str
    dimension: Literal["S", "A", "G"]
    unit: str
    layer: str
    high_risk_cases: list[str]
    major_risk_triggers: list[str]
    verdict: Verdict
    risk: Risk
    objects: int
    stale_at: datetime | None


class GradingPage(Body):
    """GET /api/v1/systems/{system}/grading."""

    score: ScoreBody
    rule: Text
    score_2021: float
    grade_2021: str
    points: list[GroupRow]
    items: list[ItemRow]
    disclaimer: Text


class ResultRow(Body):
    """One item on one object: the verdict, who says so, the leaves behind it, and until when."""

    item: str
    object: str
    verdict: Verdict
    reason: Text
    by: list[str]
    leaves: list[int]
    stale_at: datetime | None
    risk: Risk
    mitigation: str
    statement: int | None


class ItemStatementRow(Body):
    """What a person states of an item; it counts once another person has confirmed it."""

    number: int
    system: str
    object: str
    item: str
    verdict: Literal["", "符合", "部分符合", "不符合", "不适用"]
    risk: Literal["", "low", "medium"]
    reason: str
    mitigation: str
    author: str
    made: datetime
    valid_until: datetime | None
    state: StatementState
    reviewer: str
    reviewed: datetime | None
    review: str


class ItemDetail(Body):
    """GET /api/v1/systems/{system}/grading/{item}: why this verdict, and what would change it."""

    item: ItemRow
    hint: str
    checks: list[str]
    kinds: list[str]
    results: list[ResultRow]
    statements: list[ItemStatementRow]


class ItemStatementPage(Body):
    """GET /api/v1/systems/{system}/statements, newest first."""

    rows: list[ItemStatementRow]


class ItemStatementOrder(Body):
    """POST /api/v1/systems/{system}/statements: a verdict, or a lower risk with its mitigation, or both."""

    item: str = Field(min_length=1, max_length=32)
    object: str = Field(default="", max_length=160)
    verdict: Literal["", "符合", "部分符合", "不符合", "不适用"] = ""
    risk: Literal["", "low", "medium"] = ""
    reason: str = Field(min_length=4, max_length=2000)
    mitigation: str = Field(default="", max_length=2000)
    valid_until: datetime | None = None


class ItemStatementReview(Body):
    """POST /api/v1/statements/{statement}/review."""

    confirm: bool
    note: str = Field(default="", max_length=2000)


class ItemStatementWithdrawal(Body):
    """POST /api/v1/statements/{statement}/withdraw."""

    note: str = Field(min_length=2, max_length=2000)


class TrendRow(Body):
    """The last score of a day."""

    day: date
    rate: float | None
    decided: float
    conclusion: Conclusion
    high_risks: int
    major_open: int


class TrendPage(Body):
    """GET /api/v1/systems/{system}/grading/trend, oldest first."""

    rows: list[TrendRow]


class UnitGrading(Body):
    """GET /api/v1/units/{unit}/grading: the last scores of the unit and of those below it together."""

    unit: str
    systems: int
    by_level: dict[int, int]
    conclusions: dict[Conclusion, int]
    counts: dict[Verdict, int]
    rate: float | None
    layers: list[GroupRow]
    high_risks: int
    major_risks: int
    major_rectified: int
    rule: Text
    disclaimer: Text
