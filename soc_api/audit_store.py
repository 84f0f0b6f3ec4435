"""The append-only audit log in the state database: append, read, and verify the chain.

``append`` writes within the caller's transaction, so an action and its line commit together;
``record`` writes one line by itself, before the action it announces. Where the line cannot be written
(LiuheError audit-unwritable) the action is not done either.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Engine, RowMapping, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from crypto.words import BadInput, LiuheError, Words
from detection.store.state import writing
from detection.store.tables import from_micros, micros
from soc_api.audit import GENESIS, Entry, Line, chained
from soc_api.tables import audit_head, audit_log

PAGE_MAX: Final = 500
_HEAD: Final = "audit"
_CHUNK: Final = 1_000


class AuditPage(msgspec.Struct, frozen=True, kw_only=True):
    """Lines, newest first; ``next`` is the cursor of the following page, '' at the end."""

    rows: tuple[Line, ...]
    next: str


class AuditStore:
    """The audit log over one state database; safe to share between threads and processes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def record(self, said: Entry) -> Line:
        """Write one line; durable on return. Raises LiuheError (audit-unwritable)."""
        with recording(self._engine) as connection:
            return append(connection, said)

    def page(self, *, cursor: str = "", limit: int = 100) -> AuditPage:
        """A page, newest first. Raises BadInput (audit-cursor)."""
        limit = max(1, min(limit, PAGE_MAX))
        rows = select(audit_log).order_by(audit_log.c.sequence.desc()).limit(limit + 1)
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
        last, digest = 0, GENESIS
        while lines := self.since(last):
            for line in lines:
                if line.sequence != last + 1 or line.digest != chained(digest, line.sequence, line.entry):
                    return last + 1
                last, digest = line.sequence, line.digest
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


def append(connection: Connection, said: Entry) -> Line:
    """Chain one line within an open write transaction (``writing``)."""
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
        ),
        digest=row["digest"],
    )
