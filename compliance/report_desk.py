"""The desk where reports are made, edited, signed by three people and issued.

draft -> prepared (编制) -> reviewed (审核) -> issued (批准); before it is issued a report may be sent back to
draft, which takes its signatures off. Three different people sign, each the same numbers and texts. What is
issued never changes: a correction is a new edition that names the one it takes over from. Every act is a leaf
of the ledger first and a row after it; what a crash leaves in between is entered later.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from compliance.attestation_store import AttestationStore
from compliance.inspection import Audience
from compliance.inspection_kit import Kit, inspection_kit
from compliance.ledger import NewEvidence
from compliance.ledgered_store import LedgeredStore
from compliance.registry_store import RegistryStore
from compliance.report.blocks import Chart, charts_of
from compliance.report.chapters import CHAPTERS, SECTIONS, document_of
from compliance.report.content import content_sm3, model_bytes
from compliance.report.docx import render_docx
from compliance.report.model import STEPS, Edition, Report, Scope, Section, Signature, Step
from compliance.report.monthly import monthly
from compliance.report.pdf import render_pdf
from compliance.report.times import minute, month_bounds, month_of, months_before
from compliance.report.xlsx import render_xlsx
from compliance.report_figures_store import FiguresStore
from compliance.report_signing import OwnSignature, StepStatement, check_step, step_bytes
from compliance.report_sources import DeskParts, sources_of
from compliance.report_store import Act, Order, ReportKind, ReportRow, ReportStore, report_id, step_of
from crypto.sm3 import sm3_hex
from crypto.words import BadInput, LiuheError, Refused, Words

TEXT_CHARS_MAX: Final = 8_000
NAME_CHARS_MAX: Final = 64
DRAFTS_MAX: Final = 5  # of one turn of the jobs
_model: Final = msgspec.json.Decoder(Report)


class SectionView(msgspec.Struct, frozen=True, kw_only=True):
    """One chapter and what a person wrote into it."""

    section: str
    title: str
    text: str
    author: str
    changed: str


class ReportDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One edition with its texts and signatures; ``next`` is the step that is due, '' where none is."""

    report: ReportRow
    sections: tuple[SectionView, ...]
    signatures: tuple[Signature, ...]
    next: str


class ReportDesk:
    """See the module; safe between threads, one act at a time."""

    def __init__(self, parts: DeskParts) -> None:
        self._parts = parts
        self._registry = RegistryStore(parts.engine)
        self._figures = FiguresStore(parts.engine)
        self._store = ReportStore(parts.engine, parts.folder)
        self._ledgered = LedgeredStore(parts.engine)
        self._lock = threading.Lock()

    # --- reading

    def reports(self) -> Sequence[ReportRow]:
        """All reports, newest month first."""
        return self._store.all()

    def report_detail(self, report: str) -> ReportDetail:
        """One edition. Raises Refused (report-not-found)."""
        row = self._store.get(report)
        texts = {one.section: one for one in self._store.sections(report)}
        blank = Section(section="", text="", author="", changed="")
        return ReportDetail(
            report=row,
            sections=tuple(
                SectionView(
                    section=chapter.key,
                    title=chapter.title,
                    text=texts.get(chapter.key, blank).text,
                    author=texts.get(chapter.key, blank).author,
                    changed=texts.get(chapter.key, blank).changed,
                )
                for chapter in CHAPTERS
            ),
            signatures=self._store.signatures(report),
            next=step_of(row.state) or "",
        )

    def report_charts(self, report: str) -> tuple[Chart, ...]:
        """The pictures of an edition as numbers. Raises as ``report_model``."""
        return charts_of(document_of(self.report_model(report)))

    def report_file(self, report: str, kind: ReportKind) -> bytes:
        """The bytes of a report, checked against their SM3."""
        return self._store.file(report, kind)

    def report_model(self, report: str) -> Edition:
        """An edition with its numbers. Raises Refused (report-not-found), LiuheError (report-damaged)."""
        row = self._store.get(report)
        return Edition(
            report=_model.decode(self._store.file(report, "model")),
            state=row.state,
            sections=self._store.sections(report),
            signatures=self._store.signatures(report),
        )

    def revision(self) -> int:
        """Changes whenever the page of reports would."""
        return self._store.revision()

    # --- acts

    def make_report(
        self, month: str, actor: str, now: datetime, *, scope: Scope = "unit", unit: str = ""
    ) -> ReportRow:
        """Draft the report of a month; a new edition where there is one. ``unit`` '' is the center's own.

        Raises BadInput (report-month), Refused (unit-not-found, system-not-found).
        """
        asked = Order(number=0, month=month, scope=scope, unit=unit, actor=actor)
        with self._lock:
            self._recover()
            return self._make(asked, now)

    def edit_report(self, report: str, texts: Mapping[str, str], actor: str, now: datetime) -> ReportDetail:
        """Write into chapters of a draft. Raises Refused (report-state), BadInput (report-section)."""
        for section, text in texts.items():
            if section not in SECTIONS or len(text) > TEXT_CHARS_MAX or not _printable(text):
                raise BadInput(
                    "report-section",
                    Words(
                        f"章节 {section!r} 不存在或文字过长", f"no chapter {section!r}, or too long a text"
                    ),
                    Words(f"不超过 {TEXT_CHARS_MAX} 字", f"at most {TEXT_CHARS_MAX} characters"),
                    field=section,
                )
        with self._lock:
            self._recover()
            row = self._in_state(report, "draft")
            edition = self.report_model(report)
            old = {one.section: one for one in edition.sections}
            fresh = {
                section: Section(section=section, text=text, author=actor, changed=minute(now))
                for section, text in texts.items()
            }
            sections = tuple(one for _, one in sorted((old | fresh).items()))
            changed = msgspec.structs.replace(edition, sections=sections)
            act = self._next(row, "edited", "draft", texts=dict(texts))
            self._do(act, changed, actor, now)
        return self.report_detail(report)

    def sign_report(
        self,
        report: str,
        step: Step,
        *,
        content: str,
        actor: str,
        name: str,
        now: datetime,
        own: OwnSignature | None = None,
    ) -> ReportDetail:
        """Take a step as a person; ``content`` is the SM3 of what they read, ``own`` their own signature.

        Raises Refused (report-state, report-changed, report-same-person, report-key, attestation-signature).
        """
        before, after = STEPS[step]
        with self._lock:
            self._recover()
            row = self._in_state(report, before)
            edition = self.report_model(report)
            if content != row.content_sm3:
                raise _changed(report)
            if any(one.actor == actor for one in edition.signatures):
                raise _refused(
                    "report-same-person",
                    "编制、审核、批准须为三人",
                    "three different people sign a report",
                    report,
                )
            if own is not None:
                keys = AttestationStore(self._parts.engine)
                own = check_step(keys, own, report=report, step=step, content=content, actor=actor, now=now)
            signature = Signature(
                step=step,
                actor=actor,
                name=name[:NAME_CHARS_MAX],
                time=minute(now),
                leaf=self._parts.ledger.size,
                key=own.key if own else "",
            )
            signatures = (*edition.signatures, signature)
            changed = msgspec.structs.replace(edition, state=after, signatures=signatures)
            self._do(self._next(row, step, after, name=signature.name, own=own), changed, actor, now)
        return self.report_detail(report)

    def report_draft(self, report: str, step: Step, content: str, actor: str, now: datetime) -> bytes:
        """The bytes a person signs for a step. Raises Refused (report-state, report-changed)."""
        if self._in_state(report, STEPS[step][0]).content_sm3 != content:
            raise _changed(report)
        made = StepStatement(report=report, step=step, content=content, actor=actor, made=now)
        return step_bytes(made)

    def return_report(self, report: str, reason: str, actor: str, now: datetime) -> ReportDetail:
        """Send a report that is not issued back to draft. Raises Refused (report-state)."""
        with self._lock:
            self._recover()
            row = self._in_state(report, "prepared", "reviewed")
            edition = msgspec.structs.replace(self.report_model(report), state="draft", signatures=())
            self._do(self._next(row, "returned", "draft", note=reason), edition, actor, now)
        return self.report_detail(report)

    def inspection_kit(self, audience: Audience, system: str, actor: str, now: datetime) -> Kit:
        """The kit for an inspection, with a leaf that says who took it. Raises Refused (system-not-found)."""
        kit = inspection_kit(
            self._parts, self._parts.inspections[audience], audience=audience, system=system, now=now
        )
        entry = NewEvidence(
            kind="report",
            actor=actor,
            subject=f"inspection:{kit.name}",
            summary=f"inspection kit for {audience}, {len(kit.data)} bytes",
            payload=sm3_hex(kit.data).encode(),
        )
        self._parts.ledger.append([entry], now)
        return kit

    # --- work that comes by itself

    def work_orders(self, now: datetime) -> int:
        """Make the reports other processes ordered; how many orders were answered."""
        with self._lock:
            self._recover()  # an order whose report is there already must not get a second one
        orders = self._store.open_orders()
        for order in orders:
            try:
                with self._lock:
                    self._make(order, now)
            except LiuheError as error:
                self._store.finish(order.number, now, error=str(error))
            except Exception as error:
                # Answered all the same: an order that can't be made must not hold up those behind it.
                self._store.finish(order.number, now, error=repr(error))
                raise
        return len(orders)

    def draft_due(self, actor: str, now: datetime) -> Sequence[ReportRow]:
        """Draft last month's reports that nobody has: of the center's unit and of the units below it.

        A few at a time: other jobs wait meanwhile, and the next turn goes on.
        """
        month = months_before(month_of(now), 2)[0]
        _, end = month_bounds(month)
        tree = self._registry.tree()
        known = {(row.scope, row.unit) for row in self._store.all() if row.month == month}
        made: list[ReportRow] = []
        for code in (self._parts.unit, *tree.children(self._parts.unit)):
            systems = [one.id for one in self._registry.systems(tree.subtree(code))]
            if ("unit", code) not in known and self._figures.registered_before(systems, end):
                made.append(self.make_report(month, actor, now, unit=code))
            if len(made) == DRAFTS_MAX:
                break
        return made

    # --- the ways of it

    def _make(self, order: Order, now: datetime) -> ReportRow:
        start, _ = month_bounds(order.month)
        if start > now:
            raise BadInput(
                "report-month",
                Words("该月尚未开始", "that month has not begun"),
                Words("请选择本月或更早的月份", "choose this month or an earlier one"),
                field="month",
            )
        unit = order.unit or self._parts.unit
        about = order.month, order.scope, unit
        edition, corrects = self._store.next_edition(*about), self._store.last_issued(*about)
        identifier = report_id(*about, edition)
        sources = sources_of(self._parts, order.scope, unit)
        self._parts.ledger.checkpoint(now)
        report = monthly(
            sources, identifier=identifier, month=order.month, edition=edition, corrects=corrects, now=now
        )
        act = Act(
            report=identifier,
            action="made",
            month=order.month,
            scope=order.scope,
            unit=unit,
            edition=edition,
            revision=0,
            state="draft",
            corrects=corrects,
            due=report.due,
            order=order.number,
            content="",
            files={},
        )
        self._do(act, Edition(report=report, state="draft"), order.actor, now)
        return self._store.get(identifier)

    def _do(self, act: Act, edition: Edition, actor: str, now: datetime) -> None:
        """Render, write, ledger, enter: an act is there as a whole or not at all."""
        document = document_of(edition)
        files: dict[ReportKind, bytes] = {
            "docx": render_docx(document, fonts=self._parts.fonts),
            "xlsx": render_xlsx(edition),
            "pdf": render_pdf(document, fonts=self._parts.fonts),
            "model": model_bytes(edition),
        }
        if act.state == "issued":
            if self._parts.seal is None:
                raise _refused(
                    "report-key", "本中心没有签名密钥", "this center has no key to sign with", act.report
                )
            files["p7s"] = self._parts.seal(files["pdf"], now)
        done = msgspec.structs.replace(
            act,
            content=content_sm3(edition),
            files=self._store.write_files(act.report, act.revision, files),
        )
        entry = NewEvidence(
            kind="report",
            actor=actor,
            subject=f"report:{done.report}/{done.revision}",
            summary=f"{done.action}: monthly report {done.month}, edition {done.edition}, {done.state}",
            payload=msgspec.json.encode(done, order="sorted"),
        )
        self._ledgered.begin("report", self._parts.ledger.size)
        leaf = self._parts.ledger.append([entry], now)[0]
        self._store.enter(done, actor, now, leaf)
        self._parts.ledger.checkpoint(now)
        if done.revision:
            self._store.drop_files(done.report, done.revision - 1)

    def _recover(self) -> None:
        """Enter acts whose leaf is there although an earlier attempt died before it entered them."""
        for actor, time, leaf, act in list(self._unsettled()):
            self._store.enter(act, actor, time, leaf)

    def _unsettled(self) -> Iterator[tuple[str, datetime, int, Act]]:
        begun, ledger = self._ledgered.begun("report"), self._parts.ledger
        if begun is None:
            return
        for record in map(ledger.record, range(begun, ledger.size)):
            if record.kind == "report" and record.subject.rpartition("/")[2].isdigit():
                act = msgspec.json.decode(ledger.payload_of(record), type=Act)
                yield record.actor, record.time, record.sequence, act

    def _in_state(self, report: str, *wanted: str) -> ReportRow:
        row = self._store.get(report)
        if row.state not in wanted or not row.model_sm3:
            raise _refused(
                "report-state",
                f"报告当前状态为 {row.state},不能这样做",
                f"the report is {row.state}: this can't be done",
                report,
            )
        return row

    def _next(self, row: ReportRow, action: str, state: str, **more: object) -> Act:
        values = {"action": action, "state": state, "revision": row.revision + 1, **more}
        about = {
            name: getattr(row, name) for name in ("month", "scope", "unit", "edition", "corrects", "due")
        }
        return msgspec.convert({"report": row.id, "content": "", "files": {}, **about, **values}, Act)


def _printable(text: str) -> bool:
    return all(sign.isprintable() or sign in "\n\t" for sign in text)


def _changed(report: str) -> Refused:
    return _refused(
        "report-changed", "报告内容已变,与所见不同", "the report is not what was read any more", report
    )


def _refused(code: str, zh: str, en: str, field: str) -> Refused:
    return Refused(
        code, Words(zh, en), Words("请刷新报告页后再试", "reload the report and try again"), field=field
    )
