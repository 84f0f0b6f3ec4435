"""Reports made: their numbers in the state database, their files in the data folder, checked when read."""

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

import msgspec
from sqlalchemy import Engine, RowMapping, func, insert, select, update

from compliance.ledger_files import replace_file
from compliance.ledgered_store import end
from compliance.report_tables import report_orders, reports
from crypto.sm3 import sm3_hex
from crypto.words import LiuheError, Refused, Words
from detection.store.progress_store import bump, counter
from detection.store.state import writing
from detection.store.tables import from_micros, micros

ReportKind = Literal["pdf", "xlsx"]
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,47}")


class ReportRow(msgspec.Struct, frozen=True, kw_only=True):
    """One report; its edition never changes, a correction is the next edition."""

    id: str
    month: str
    unit: str
    edition: int
    created: datetime
    actor: str
    pdf_sm3: str
    xlsx_sm3: str
    leaf: int


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of a report's leaf: all that is needed to enter the report again; ``order`` 0 is none."""

    report: str
    month: str
    unit: str
    edition: int
    order: int
    pdf: str
    xlsx: str

    def row(self, actor: str, created: datetime, leaf: int) -> ReportRow:
        """The report as it is entered."""
        return ReportRow(
            id=self.report,
            month=self.month,
            unit=self.unit,
            edition=self.edition,
            created=created,
            actor=actor,
            pdf_sm3=self.pdf,
            xlsx_sm3=self.xlsx,
            leaf=leaf,
        )


def report_id(month: str, unit: str, edition: int) -> str:
    """The report's name in addresses and on disk, at most 64 characters.

    A unit is named by any text; one that could be a path, or would not fit, stands there by its digest.
    """
    plain = _PLAIN.fullmatch(unit) is not None
    return f"{month}-{unit if plain else sm3_hex(unit.encode())[:16]}-{edition}"


class ReportStore:
    """Reports over one state database and one folder."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine = engine
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def next_edition(self, month: str, unit: str) -> int:
        """The edition the next report of a month gets, from 1."""
        query = select(func.max(reports.c.edition)).where(reports.c.month == month, reports.c.unit == unit)
        with self._engine.connect() as connection:
            return (connection.scalar(query) or 0) + 1

    def write_file(self, report: str, kind: ReportKind, data: bytes) -> None:
        """Put one file of a report on disk, durable on return."""
        replace_file(self._path(report, kind), data)

    def add(self, row: ReportRow, order: int = 0) -> None:
        """Record a report whose files are on disk, as the answer to ``order`` where there is one.

        Ends the report that was begun (see ledgered_store).
        """
        with writing(self._engine) as connection:
            values = msgspec.structs.asdict(row) | {"created": micros(row.created)}
            connection.execute(insert(reports).values(values))
            answer = {"report": row.id, "error": "", "finished": micros(row.created)}
            connection.execute(update(report_orders).where(report_orders.c.id == order).values(answer))
            end(connection, "report")
            bump(connection, "reports")

    def all(self) -> Sequence[ReportRow]:
        """Newest month first, then newest edition."""
        order = reports.c.month.desc(), reports.c.edition.desc()
        with self._engine.connect() as connection:
            return [_row(row) for row in connection.execute(select(reports).order_by(*order)).mappings()]

    def file(self, report: str, kind: ReportKind) -> bytes:
        """The bytes of a report. Raises Refused (report-not-found), LiuheError (report-damaged)."""
        with self._engine.connect() as connection:
            row = connection.execute(select(reports).where(reports.c.id == report)).mappings().first()
        if row is None:
            raise Refused(
                "report-not-found",
                Words("没有这份报告", "there is no such report"),
                Words("请刷新列表", "reload the list"),
                field=report,
            )
        path = self._path(report, kind)
        try:
            data = path.read_bytes()
        except OSError:
            data = b""
        if sm3_hex(data) != row[f"{kind}_sm3"]:
            raise LiuheError(
                "report-damaged",
                Words("报告文件与登记的 SM3 不符", "the report's file differs from its recorded SM3"),
                Words("请从备份恢复,或生成更正版", "restore it from a backup or make a new edition"),
                field=str(path),
            )
        return data

    def order(self, month: str, actor: str, now: datetime) -> int:
        """Ask the process that holds the ledger for a report; the order's number."""
        with writing(self._engine) as connection:
            values = {"month": month, "actor": actor, "ordered": micros(now)}
            done = connection.execute(insert(report_orders).values(values))
            key = done.inserted_primary_key
        assert key is not None
        return int(key[0])

    def open_orders(self) -> Sequence[tuple[int, str, str]]:
        """(number, month, actor) of orders not finished, oldest first."""
        columns = report_orders.c.id, report_orders.c.month, report_orders.c.actor
        query = select(*columns).where(report_orders.c.finished.is_(None)).order_by(report_orders.c.id)
        with self._engine.connect() as connection:
            return [(number, month, actor) for number, month, actor in connection.execute(query)]

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
        """Grows with every report."""
        with self._engine.connect() as connection:
            return counter(connection, "reports")

    def _path(self, report: str, kind: ReportKind) -> Path:
        return self._folder / f"{report}.{kind}"


def _row(row: RowMapping) -> ReportRow:
    return ReportRow(**(dict(row) | {"created": from_micros(row["created"])}))
