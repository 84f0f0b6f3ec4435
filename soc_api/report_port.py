"""What the routes ask of the desk of reports; values carry what their bodies need (see compliance_port)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

from compliance.report_signing import OwnSignature

ReportKind = Literal["pdf", "xlsx", "docx", "p7s"]
ReportScope = Literal["unit", "system"]
ReportStep = Literal["prepare", "review", "approve"]
Audience = Literal["police", "cyberspace", "cryptography", "data"]


class ReportRowValue(Protocol):
    """bodies.ReportRow."""

    @property
    def id(self) -> str: ...
    @property
    def month(self) -> str: ...
    @property
    def scope(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def edition(self) -> int: ...
    @property
    def created(self) -> datetime: ...
    @property
    def actor(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def revision(self) -> int: ...
    @property
    def corrects(self) -> str: ...
    @property
    def due(self) -> str: ...
    @property
    def pdf_sm3(self) -> str: ...
    @property
    def xlsx_sm3(self) -> str: ...
    @property
    def docx_sm3(self) -> str: ...
    @property
    def p7s_sm3(self) -> str: ...
    @property
    def content_sm3(self) -> str: ...
    @property
    def leaf(self) -> int: ...


class ReportSectionValue(Protocol):
    """bodies.ReportSection: one chapter and what a person wrote into it."""

    @property
    def section(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def author(self) -> str: ...
    @property
    def changed(self) -> str: ...


class ReportSignatureValue(Protocol):
    """bodies.ReportSignature: who took a step, when, and the record of it."""

    @property
    def step(self) -> str: ...
    @property
    def actor(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def time(self) -> str: ...
    @property
    def leaf(self) -> int: ...
    @property
    def key(self) -> str: ...


class ReportDetailValue(Protocol):
    """bodies.ReportDetail; ``next`` is the step that is due, '' where none is."""

    @property
    def report(self) -> ReportRowValue: ...
    @property
    def sections(self) -> Sequence[ReportSectionValue]: ...
    @property
    def signatures(self) -> Sequence[ReportSignatureValue]: ...
    @property
    def next(self) -> str: ...


class ReportSeriesValue(Protocol):
    """One row of numbers of a chart."""

    @property
    def name(self) -> str: ...
    @property
    def values(self) -> Sequence[float | None]: ...


class ReportChartValue(Protocol):
    """bodies.ReportChart: a picture of the report as numbers."""

    @property
    def kind(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def labels(self) -> Sequence[str]: ...
    @property
    def series(self) -> Sequence[ReportSeriesValue]: ...
    @property
    def unit(self) -> str: ...
    @property
    def limit(self) -> float: ...
    @property
    def mark(self) -> float: ...


class KitValue(Protocol):
    """A kit as made."""

    @property
    def name(self) -> str: ...
    @property
    def data(self) -> bytes: ...


class ReportService(Protocol):
    """The desk of reports as the API sees it. Called from several threads at a time; calls may take seconds.

    Errors as with ``compliance_port.ComplianceService``.
    """

    def reports(self) -> Sequence[ReportRowValue]:
        """All reports, newest month first, then newest edition."""

    def report_detail(self, report: str) -> ReportDetailValue:
        """One edition with texts and signatures. Raises Refused (report-not-found)."""

    def report_charts(self, report: str) -> Sequence[ReportChartValue]:
        """The pictures of an edition as numbers. Raises Refused (report-not-found)."""

    def make_report(
        self, month: str, actor: str, now: datetime, *, scope: ReportScope = "unit", unit: str = ""
    ) -> ReportRowValue:
        """Draft the report of ``month`` (YYYY-MM), a new edition where there is one; durable on return.

        Raises BadInput (report-month) for a month that has not begun, Refused (unit-not-found).
        """

    def edit_report(
        self, report: str, texts: Mapping[str, str], actor: str, now: datetime
    ) -> ReportDetailValue:
        """Write into chapters of a draft. Raises Refused (report-state), BadInput (report-section)."""

    def sign_report(
        self,
        report: str,
        step: ReportStep,
        *,
        content: str,
        actor: str,
        name: str,
        now: datetime,
        own: OwnSignature | None = None,
    ) -> ReportDetailValue:
        """Take a step, under one's own signature where ``own`` is given.

        Raises Refused (report-state, report-changed, report-same-person, report-key, attestation-signature).
        """

    def report_draft(self, report: str, step: ReportStep, content: str, actor: str, now: datetime) -> bytes:
        """The bytes a person signs for a step. Raises Refused (report-state, report-changed)."""

    def return_report(self, report: str, reason: str, actor: str, now: datetime) -> ReportDetailValue:
        """Send a report that is not issued back to draft. Raises Refused (report-state)."""

    def report_file(self, report: str, kind: ReportKind) -> bytes:
        """The bytes of a report, checked against their recorded SM3. Raises Refused (report-not-found)."""

    def inspection_kit(self, audience: Audience, system: str, actor: str, now: datetime) -> KitValue:
        """The kit for an inspection of a system. Raises Refused (system-not-found)."""

    def revision(self) -> int:
        """A number that changes whenever the page of reports would look different: one cheap read."""
