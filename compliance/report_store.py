"""Reports in tables and files: editions with state, texts and signatures; files are checked when read."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, get_args

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, RowMapping, delete, func, insert, select, update

from compliance.ledger_files import replace_file
from compliance.ledgered_store import end
from compliance.report.model import STEPS, Scope, Section, Signature, State, Step
from compliance.report.times import minute
from compliance.report_signing import OwnSignature
from compliance.report_tables import report_orders, report_sections, report_signatures, reports
from crypto.sm3 import sm3_hex
from crypto.words import LiuheError, Refused, Words
from detection.store.progress_store import bump, counter
from detection.store.state import writing
from detection.store.tables import from_micros, micros

ReportKind = Literal["pdf", "xlsx", "docx", "p7s", "model"]
Action = Literal["made", "edited", "prepare", "review", "approve", "returned"]
KINDS: Final[tuple[ReportKind, ...]] = get_args(ReportKind)
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,37}")
ABOUT: Final = ("month", "scope", "unit", "edition", "corrects", "due")  # what no act changes
_OPEN: Final = ("draft", "prepared", "reviewed")


class ReportRow(msgspec.Struct, frozen=True, kw_only=True):
    """One edition; a correction is the next edition. A digest is '' where there is no such file."""

    id: str
    month: str
    scope: Scope
    unit: str
    edition: int
    created: datetime
    actor: str
    state: State
    revision: int
    corrects: str
    due: str
    pdf_sm3: str
    xlsx_sm3: str
    docx_sm3: str
    p7s_sm3: str
    model_sm3: str
    content_sm3: str
    leaf: int


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of a report's leaf: what was done, and all that is needed to enter it again.

    ``order`` 0 is none; ``files`` are the SM3 of the files as they are after the act.
    """

    report: str
    action: Action
    month: str
    scope: Scope
    unit: str
    edition: int
    revision: int
    state: State
    corrects: str = ""
    due: str = ""
    order: int = 0
    name: str = ""
    note: str = ""
    content: str
    files: dict[str, str]
    texts: dict[str, str] = {}
    own: OwnSignature | None = None  # of a step: the person's own signature; None is that of a session


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A report another process asked for; ``unit`` '' is the center's own."""

    number: int
    month: str
    scope: Scope
    unit: str
    actor: str


def report_id(month: str, scope: Scope, unit: str, edition: int) -> str:
    """The report's name in addresses and on disk, at most 64 characters.

    A unit is named by any text; one that could be a path, or would not fit, stands there by its digest.
    """
    plain = _PLAIN.fullmatch(unit) is not None
    name = unit if plain else sm3_hex(unit.encode())[:16]
    return f"{month}-{'' if scope == 'unit' else scope + '.'}{name}-{edition}"


class ReportStore:
    """Reports over one state database and one folder."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine = engine
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def next_edition(self, month: str, scope: Scope, unit: str) -> int:
        """The edition the next report of a month gets, from 1."""
        with self._engine.connect() as connection:
            return (
                connection.scalar(select(func.max(reports.c.edition)).where(*_about(month, scope, unit))) or 0
            ) + 1

    def last_issued(self, month: str, scope: Scope, unit: str) -> str:
        """The newest issued edition of a month, '' where none is."""
        query = select(reports.c.id).where(*_about(month, scope, unit), reports.c.state == "issued")
        with self._engine.connect() as connection:
            return connection.scalar(query.order_by(reports.c.edition.desc()).limit(1)) or ""

    def write_files(self, report: str, revision: int, files: Mapping[ReportKind, bytes]) -> dict[str, str]:
        """Put files of a revision on disk, durable on return; their SM3 by kind."""
        for kind, data in files.items():
            replace_file(self._path(report, revision, kind), data)
        return {kind: sm3_hex(data) for kind, data in files.items()}

    def enter(self, act: Act, actor: str, now: datetime, leaf: int) -> None:
        """Record an act whose files are on disk; ends what was begun (see ledgered_store)."""
        digests: dict[str, object] = {f"{kind}_sm3": act.files.get(kind, "") for kind in KINDS}
        changed: dict[str, object] = {
            "state": act.state,
            "revision": act.revision,
            "content_sm3": act.content,
            "leaf": leaf,
        }
        with writing(self._engine) as connection:
            if act.action == "made":
                self._insert(connection, act, actor, now, changed | digests)
            else:
                here = reports.c.id == act.report
                connection.execute(update(reports).where(here).values(changed | digests))
                _follow(connection, act, actor, now, leaf)
            end(connection, "report")
            bump(connection, "reports")

    def _insert(
        self, connection: Connection, act: Act, actor: str, now: datetime, changed: dict[str, object]
    ) -> None:
        about = _about(act.month, act.scope, act.unit)
        earlier = *about, reports.c.state.in_(_OPEN)
        connection.execute(update(reports).where(*earlier).values(state="superseded"))
        row = {name: getattr(act, name) for name in ABOUT}
        values = row | {"id": act.report, "created": micros(now), "actor": actor} | changed
        connection.execute(insert(reports).values(values))
        answer = {"report": act.report, "error": "", "finished": micros(now)}
        connection.execute(update(report_orders).where(report_orders.c.id == act.order).values(answer))

    def drop_files(self, report: str, revision: int) -> None:
        """Take away the files of a revision that another has taken the place of; the model stays."""
        for kind in KINDS:
            if kind != "model":
                self._path(report, revision, kind).unlink(missing_ok=True)

    def all(self) -> Sequence[ReportRow]:
        """Newest month first, then newest edition."""
        order = reports.c.month.desc(), reports.c.scope, reports.c.unit, reports.c.edition.desc()
        with self._engine.connect() as connection:
            return [_row(row) for row in connection.execute(select(reports).order_by(*order)).mappings()]

    def get(self, report: str) -> ReportRow:
        """One edition. Raises Refused (report-not-found)."""
        with self._engine.connect() as connection:
            row = connection.execute(select(reports).where(reports.c.id == report)).mappings().first()
        if row is None:
            raise Refused(
                "report-not-found",
                Words("没有这份报告", "there is no such report"),
                Words("请刷新列表", "reload the list"),
                field=report,
            )
        return _row(row)

    def sections(self, report: str) -> tuple[Section, ...]:
        """The texts people wrote, by chapter key."""
        query = select(report_sections).where(report_sections.c.report == report)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(report_sections.c.section)).mappings().all()
        return tuple(
            Section(
                section=row["section"],
                text=row["text"],
                author=row["actor"],
                changed=minute(from_micros(row["changed"])),
            )
            for row in rows
        )

    def signatures(self, report: str) -> tuple[Signature, ...]:
        """The signatures in the order of the steps."""
        query = select(report_signatures).where(report_signatures.c.report == report)
        with self._engine.connect() as connection:
            rows = {row["step"]: row for row in connection.execute(query).mappings()}
        return tuple(
            Signature(
                step=step,
                actor=rows[step]["actor"],
                name=rows[step]["name"],
                time=minute(from_micros(rows[step]["signed"])),
                leaf=rows[step]["leaf"],
                key=rows[step]["key"],
            )
            for step in STEPS
            if step in rows
        )

    def file(self, report: str, kind: ReportKind) -> bytes:
        """The bytes of a report. Raises Refused (report-not-found), LiuheError (report-damaged)."""
        row = self.get(report)
        wanted: str = getattr(row, f"{kind}_sm3")
        if not wanted:
            raise Refused(
                "report-not-found",
                Words(f"这份报告没有 {kind} 文件", f"this report has no {kind} file"),
                Words("签名文件在批准后才有", "a signature is there once the report is approved"),
                field=f"{report}.{kind}",
            )
        path = self._path(report, row.revision, kind) if row.model_sm3 else self._folder / f"{report}.{kind}"
        try:
            data = path.read_bytes()
        except OSError:
            data = b""
        if sm3_hex(data) != wanted:
            raise LiuheError(
                "report-damaged",
                Words("报告文件与登记的 SM3 不符", "the report's file differs from its recorded SM3"),
                Words("请从备份恢复,或生成更正版", "restore it from a backup or make a new edition"),
                field=str(path),
            )
        return data

    def order(self, month: str, actor: str, now: datetime, *, scope: Scope = "unit", unit: str = "") -> int:
        """Ask the process that holds the ledger for a report; the order's number."""
        values = {"month": month, "actor": actor, "ordered": micros(now), "scope": scope, "unit": unit}
        with writing(self._engine) as connection:
            key = connection.execute(insert(report_orders).values(values)).inserted_primary_key
        assert key is not None
        return int(key[0])

    def open_orders(self) -> Sequence[Order]:
        """Orders not finished, oldest first."""
        query = select(report_orders).where(report_orders.c.finished.is_(None)).order_by(report_orders.c.id)
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            Order(
                number=row["id"], month=row["month"], scope=row["scope"], unit=row["unit"], actor=row["actor"]
            )
            for row in rows
        ]

    def finish(self, order: int, now: datetime, *, error: str) -> None:
        """Answer an open order with why there is no report; one that has its answer keeps it."""
        still = report_orders.c.id == order, report_orders.c.finished.is_(None)
        values = {"error": error, "finished": micros(now)}
        with writing(self._engine) as connection:
            connection.execute(update(report_orders).where(*still).values(values))

    def answer(self, order: int) -> tuple[str, str] | None:
        """(report, error) of a finished order, None while it is open."""
        query = select(report_orders).where(report_orders.c.id == order)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().one()
        return None if row["finished"] is None else (row["report"], row["error"])

    def revision(self) -> int:
        """Grows with every act on a report."""
        with self._engine.connect() as connection:
            return counter(connection, "reports")

    def _path(self, report: str, revision: int, kind: ReportKind) -> Path:
        if kind == "model":
            return self._folder / f"{report}.json"
        return self._folder / f"{report}.r{revision}.{kind}"


def _follow(connection: Connection, act: Act, actor: str, now: datetime, leaf: int) -> None:
    """The rows beside the report that an act changes."""
    table = report_sections.c
    for section, text in act.texts.items():
        place = table.report == act.report, table.section == section
        connection.execute(delete(report_sections).where(*place))
        row = {"report": act.report, "section": section, "text": text, "actor": actor}
        connection.execute(insert(report_sections).values(row | {"changed": micros(now)}))
    if act.action in STEPS:
        signature = {"report": act.report, "step": act.action, "actor": actor, "name": act.name}
        own = {} if act.own is None else msgspec.structs.asdict(act.own)
        values = signature | own | {"signed": micros(now), "leaf": leaf}
        connection.execute(insert(report_signatures).values(values))
    if act.action == "returned":
        connection.execute(delete(report_signatures).where(report_signatures.c.report == act.report))


def step_of(state: State) -> Step | None:
    """The step that comes next, None where there is none."""
    return next((step for step, (before, _) in STEPS.items() if before == state), None)


def _about(month: str, scope: Scope, unit: str) -> tuple[ColumnElement[bool], ...]:
    return reports.c.month == month, reports.c.scope == scope, reports.c.unit == unit


def _row(row: RowMapping) -> ReportRow:
    return ReportRow(**(dict(row) | {"created": from_micros(row["created"])}))
