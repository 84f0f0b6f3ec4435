"""The append-only audit log in the state database: append, read, and verify the chain.

``append`` writes within the caller's transaction, so an action and its line commit together;
``record`` writes one line by itself, before the action it announces. Where the line cannot be written
(LiuheError audit-unwritable) the action is not done either.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    RowMapping,
    Select,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from crypto.words import BadInput, LiuheError, Words
from detection.store.progress_store import bump
from detection.store.state import writing
from detection.store.tables import from_micros, micros
from soc_api.audit import FORMAT, GENESIS, Entry, Line, chained, follows
from soc_api.tables import accounts, audit_attempts, audit_head, audit_log

PAGE_MAX: Final = 500
_HEAD: Final = "audit"
_CHUNK: Final = 1_000


class AuditFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What lines are sought by; a text ending in ``*`` stands for all that begin with it, "" for all."""

    since: datetime | None = None
    until: datetime | None = None  # before it
    actor: str = ""
    action: str = ""
    source: str = ""
    about: str = ""  # anywhere in the object
    result: str = ""
    units: frozenset[str] | None = None  # lines of their accounts; None: everybody's, the center's own too


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody tried to change a line past the center."""

    id: int
    verb: str
    line: int


class Refusals(msgspec.Struct, frozen=True, kw_only=True):
    """Acts that were not done because they could not be audited."""

    count: int
    first: datetime
    last: datetime


class AuditPage(msgspec.Struct, frozen=True, kw_only=True):
    """Lines, newest first; ``next`` is the cursor of the following page, '' at the end."""

    rows: tuple[Line, ...]
    next: str


class AuditStore:
    """The audit log over one state database; safe to share between threads and processes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._refused: Refusals | None = None

    def refused(self, now: datetime) -> None:
        """Count an act that was refused because its line could not be written."""
        with self._lock:
            before = self._refused
            first, count = (now, 0) if before is None else (before.first, before.count)
            self._refused = Refusals(count=count + 1, first=first, last=now)

    def refusals(self) -> Refusals | None:
        """What was refused since it was last settled."""
        return self._refused

    def forget_refusals(self, count: int) -> None:
        """``count`` of them have a line now."""
        with self._lock:
            left = self._refused.count - count if self._refused is not None else 0
            if self._refused is not None and left > 0:
                self._refused = msgspec.structs.replace(self._refused, count=left)
            else:
                self._refused = None

    def record(self, said: Entry) -> Line:
        """Write one line; durable on return. Raises LiuheError (audit-unwritable)."""
        with recording(self._engine) as connection:
            return append(connection, said)

    def page(self, *, cursor: str = "", limit: int = 100, sought: AuditFilter | None = None) -> AuditPage:
        """A page, newest first. Raises BadInput (audit-cursor)."""
        limit = max(1, min(limit, PAGE_MAX))
        rows = select(audit_log).order_by(audit_log.c.sequence.desc()).limit(limit + 1)
        rows = rows.where(*_where(sought or AuditFilter()))
        if cursor:
            rows = rows.where(audit_log.c.sequence < _place(cursor))
        with self._engine.connect() as connection:
            found = [_line(row) for row in connection.execute(rows).mappings()]
        following = str(found[limit - 1].sequence) if len(found) > limit else ""
        return AuditPage(rows=tuple(found[:limit]), next=following)

    def since(self, sequence: int, limit: int = _CHUNK) -> Sequence[Line]:
        """Lines after ``sequence``, oldest first: what a job still has to put into the ledger."""
        rows = select(audit_log).where(audit_log.c.sequence > sequence)
        with self._engine.connect() as connection:
            found = connection.execute(rows.order_by(audit_log.c.sequence).limit(limit)).mappings()
            return [_line(row) for row in found]

    def export(self, sought: AuditFilter) -> Iterator[tuple[Line, str]]:
        """Every line sought with the digest of the line before it, oldest first, read in pieces.

        What is written meanwhile is left out.
        """
        before = audit_log.alias("before")
        beside = before.c.sequence == audit_log.c.sequence - 1
        chosen = select(audit_log, before.c.digest.label("previous")).outerjoin(before, beside)
        with self._engine.connect() as connection:
            last = connection.scalar(select(func.max(audit_log.c.sequence))) or 0
        after, where = 0, [audit_log.c.sequence <= last, *_where(sought)]
        while True:
            rows = chosen.where(audit_log.c.sequence > after, *where)
            with self._engine.connect() as connection:
                found = connection.execute(rows.order_by(audit_log.c.sequence).limit(_CHUNK)).mappings()
                lines = [(_line(row), row["previous"] or GENESIS) for row in found]
            yield from lines
            if len(lines) < _CHUNK:
                return
            after = lines[-1][0].sequence

    def attempts(self) -> Sequence[Attempt]:
        """What was tried against the log and is no line yet."""
        with self._engine.connect() as connection:
            found = connection.execute(select(audit_attempts).order_by(audit_attempts.c.id).limit(_CHUNK))
            return [Attempt(id=row.id, verb=row.verb, line=row.line) for row in found]

    def settle(self, attempts: Sequence[Attempt], said: Entry) -> Line:
        """Make one line of attempts and forget them, together."""
        with recording(self._engine) as connection:
            numbers = [one.id for one in attempts]
            connection.execute(delete(audit_attempts).where(audit_attempts.c.id.in_(numbers)))
            return append(connection, said)

    def actors_of(self, units: frozenset[str]) -> frozenset[str]:
        """The accounts of these units, as lines name them."""
        with self._engine.connect() as connection:
            return frozenset(connection.scalars(_people(units)))

    def about(self, named: str, limit: int = 200) -> list[Line]:
        """The first lines about one object, oldest first."""
        rows = select(audit_log).where(audit_log.c.object == named)
        with self._engine.connect() as connection:
            found = connection.execute(rows.order_by(audit_log.c.sequence).limit(limit)).mappings()
            return [_line(row) for row in found]

    def broken_at(self) -> int | None:
        """The first line that does not follow from the one before it; None when the chain holds.

        Lines missing at the end are told by the head: the number after the last line is returned.
        """
        with self._engine.connect() as connection:
            head = connection.execute(select(audit_head)).mappings().first()
        previous: Line | None = None
        while lines := self.since(previous.sequence if previous else 0):
            for line in lines:
                if not follows(previous, line):
                    return previous.sequence + 1 if previous else 1
                previous = line
        last = previous.sequence if previous else 0
        # Lines written after the head was read are fine; lines the head knows and the log lacks are not.
        return last + 1 if head is not None and head["sequence"] > last else None


@contextmanager
def recording(engine: Engine) -> Iterator[Connection]:
    """A write transaction for an action and its line. Raises LiuheError (audit-unwritable), nothing done."""
    try:
        with writing(engine) as connection:
            yield connection
    except SQLAlchemyError as error:
        raise _unwritable() from error
    except LiuheError as error:
        raise (_unwritable() if error.code == "state-write" else error) from error.__cause__


def append(connection: Connection, said: Entry, *, counts: str = "") -> Line:
    """Chain one line within an open write transaction (``writing``).

    ``counts`` is the counter that grows with what is done, by which open pages learn of it.
    """
    if counts:
        bump(connection, counts)
    head = connection.execute(
        update(audit_head)
        .where(audit_head.c.name == _HEAD)
        .values(sequence=audit_head.c.sequence + 1)
        .returning(audit_head.c.sequence, audit_head.c.digest)
    ).first()
    if head is None:
        connection.execute(insert(audit_head).values(name=_HEAD, sequence=1, digest=GENESIS))
    sequence, previous = (1, GENESIS) if head is None else (int(head[0]), str(head[1]))
    line = Line(sequence=sequence, entry=said, digest=chained(previous, sequence, said))
    connection.execute(
        insert(audit_log).values(
            sequence=sequence,
            time=micros(said.time),
            actor=said.actor,
            source=said.source,
            action=said.action,
            object=said.object,
            result=said.result,
            digest=line.digest,
            format=FORMAT,
            before=said.before,
            after=said.after,
        )
    )
    connection.execute(update(audit_head).where(audit_head.c.name == _HEAD).values(digest=line.digest))
    return line


def _unwritable() -> LiuheError:
    return LiuheError(
        "audit-unwritable",
        Words("审计日志写不进去,操作未执行", "the audit log cannot be written, so nothing was done"),
        Words(
            "请检查数据目录所在磁盘的空间与权限后重试",
            "check space and permissions of the disk with the data folder, then try again",
        ),
    )


def _where(sought: AuditFilter) -> list[ColumnElement[bool]]:
    table, found = audit_log.c, []
    if sought.since is not None:
        found.append(table.time >= micros(sought.since))
    if sought.until is not None:
        found.append(table.time < micros(sought.until))
    if sought.units is not None:
        found.append(table.actor.in_(_people(sought.units)))
    if sought.about:
        found.append(table.object.contains(sought.about, autoescape=True))
    for column, text in (
        (table.actor, sought.actor),
        (table.action, sought.action),
        (table.source, sought.source),
        (table.result, sought.result),
    ):
        if text.endswith("*"):
            found.append(func.substr(column, 1, len(text) - 1) == text[:-1])
        elif text:
            found.append(column == text)
    return found


def _people(units: frozenset[str]) -> Select[str]:
    return select(literal("user:") + accounts.c.username).where(accounts.c.unit.in_(sorted(units)))


def _place(cursor: str) -> int:
    if cursor.isascii() and cursor.isdigit() and len(cursor) <= 18:
        return int(cursor)
    raise BadInput(
        "audit-cursor",
        Words("翻页位置无效", "not a cursor of this list"),
        Words("请从第一页重新开始", "start again from the first page"),
        field="cursor",
    )


def _line(row: RowMapping | dict[str, Any]) -> Line:
    return Line(
        sequence=row["sequence"],
        entry=Entry(
            time=from_micros(row["time"]),
            actor=row["actor"],
            source=row["source"],
            action=row["action"],
            object=row["object"],
            result=row["result"],
            before=row["before"],
            after=row["after"],
        ),
        digest=row["digest"],
        format=row["format"],
    )
