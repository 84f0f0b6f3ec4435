"""Bodies of the report routes: part of the contract of bodies.py, in a file of their own."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from soc_api.bodies import Body
from soc_api.enforcement_bodies import SignedOrder

ReportState = Literal["draft", "prepared", "reviewed", "issued", "superseded"]


class ReportRow(Body):
    """One edition of a report; its number never changes, a correction gets a new edition.

    A digest is '' where there is no such file; ``content_sm3`` is what people sign.
    """

    id: str
    month: str
    scope: Literal["unit", "system"]
    unit: str
    edition: int
    created: datetime
    actor: str
    state: ReportState
    revision: int
    corrects: str
    due: str
    pdf_sm3: str
    xlsx_sm3: str
    docx_sm3: str
    p7s_sm3: str
    content_sm3: str
    leaf: int


class ReportPage(Body):
    """GET /api/v1/reports."""

    rows: list[ReportRow]


class ReportSection(Body):
    """One chapter and what a person wrote into it; times are Beijing time as printed."""

    section: str
    title: str
    text: str
    author: str
    changed: str


class ReportSignature(Body):
    """Who took a step, when, and the ledger index of the record.

    ``key`` is the fingerprint of the person's own SM2 key where it signed, '' where a session did.
    """

    step: Literal["prepare", "review", "approve"]
    actor: str
    name: str
    time: str
    leaf: int
    key: str


class ReportDetail(Body):
    """GET /api/v1/reports/{report}; ``next`` is the step that is due, '' where none is."""

    report: ReportRow
    sections: list[ReportSection]
    signatures: list[ReportSignature]
    next: Literal["prepare", "review", "approve", ""]


class ReportSeries(Body):
    """One row of numbers of a chart, one for each label; null where nothing is known."""

    name: str
    values: list[float | None]


class ReportChart(Body):
    """A picture of the report as numbers, in the words of the report; ``limit`` ends the axis, 0 fits it.

    ``mark`` is a line across, such as the days the law asks for; 0 where there is none.
    """

    kind: Literal["radar", "line", "bars", "stack", "funnel", "spans"]
    title: str
    labels: list[str]
    series: list[ReportSeries]
    unit: str
    limit: float
    mark: float


class ReportCharts(Body):
    """GET /api/v1/reports/{report}/charts, in the order of the report."""

    rows: list[ReportChart]


class ReportOrder(Body):
    """POST /api/v1/reports; ``unit`` is a unit's code or a system's id, '' the center's own unit."""

    month: str = Field(pattern=r"^20\d\d-(0[1-9]|1[0-2])$")
    scope: Literal["unit", "system"] = "unit"
    unit: str = Field(default="", max_length=128)


class ReportTexts(Body):
    """PUT /api/v1/reports/{report}/sections: texts by chapter, others stay as they are."""

    texts: dict[str, str] = Field(min_length=1, max_length=20)


class ReportSigning(Body):
    """POST /api/v1/reports/{report}/prepare, review, approve: the SM3 of what was read.

    ``own`` is the draft of the step under the person's own signature; without it the session signs.
    """

    content_sm3: str = Field(pattern=r"^[0-9a-f]{64}$")
    own: SignedOrder | None = None


class ReportStepOrder(Body):
    """POST /api/v1/reports/{report}/draft: the step one means to take, and the SM3 of what was read."""

    step: Literal["prepare", "review", "approve"]
    content_sm3: str = Field(pattern=r"^[0-9a-f]{64}$")


class ReportReturn(Body):
    """POST /api/v1/reports/{report}/return: why."""

    reason: str = Field(min_length=1, max_length=1000)


class InspectionOrder(Body):
    """POST /api/v1/inspections: who comes, and which system they look at."""

    audience: Literal["police", "cyberspace", "cryptography", "data"]
    system: str = Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$")
