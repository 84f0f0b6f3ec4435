"""Acts: what people and gates did, written in the transaction that does it and ledgered by a job after it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import Column, ColumnElement, Connection, Engine, Table, func, insert, select, update

from compliance.enforcement_tables import acts
from compliance.evidence import EvidenceKind
from compliance.ledger import NewEvidence
from detection.store.progress_store import bump, counter
from detection.store.state import writing
from detection.store.tables import from_micros, micros

ACTS_MAX: Final = 500  # given to the ledger at a time
SUMMARY_CHARS_MAX: Final = 200
ACT_KINDS: Final[tuple[EvidenceKind, ...]] = ("attestation", "decision", "order", "incident", "notice")
REVISION: Final = "enforcement"  # the counter that grows with every act

Told = TypeVar("Told", bound=msgspec.Struct)  # an event of an order, an incident, a notice

# How columns of events are read that are kept otherwise than they are told.
_READ: Final[Mapping[str, Callable[[Any], Any]]] = {
    "time": from_micros,
    "at": from_micros,
    "attachments": lambda text: tuple(text.split()),
}
_encoder: Final = msgspec.json.Encoder(order="sorted")


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One act; ``subject`` is unique, ``payload`` becomes the payload of the leaf."""

    kind: EvidenceKind
    time: datetime
    actor: str
    subject: str
    summary: str
    payload: bytes


class TakenAct(msgspec.Struct, frozen=True, kw_only=True):
    """An act as it was written; numbers follow the order in which acts were committed."""

    id: int
    kind: str
    time: datetime
    payload: bytes


class ActsStore:
    """Acts over one state database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def waiting(self, kind: EvidenceKind) -> Sequence[tuple[int, NewEvidence]]:
        """Acts of a kind without a leaf, oldest first: the feed of the ledgering job."""
        query = select(acts).where(acts.c.kind == kind, acts.c.leaf.is_(None)).order_by(acts.c.id)
        with self._engine.connect() as connection:
            rows = connection.execute(query.limit(ACTS_MAX)).mappings().all()
        return [
            (
                row["id"],
                NewEvidence(
                    kind=kind,
                    actor=row["actor"],
                    subject=row["subject"],
                    summary=row["summary"],
                    payload=row["payload"],
                    time=from_micros(row["time"]),
                ),
            )
            for row in rows
        ]

    def after(self, act: int) -> list[TakenAct]:
        """Acts of every kind after one, oldest first, ACTS_MAX at most."""
        query = select(acts.c.id, acts.c.kind, acts.c.time, acts.c.payload).where(acts.c.id > act)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(acts.c.id).limit(ACTS_MAX)).all()
        return [
            TakenAct(id=row.id, kind=row.kind, time=from_micros(row.time), payload=row.payload)
            for row in rows
        ]

    def last(self) -> int:
        """The number of the last act; 0 before the first."""
        with self._engine.connect() as connection:
            return int(connection.scalar(select(func.coalesce(func.max(acts.c.id), 0))) or 0)

    def revision(self) -> int:
        """Grows with every act and every leaf given to one."""
        with self._engine.connect() as connection:
            return counter(connection, REVISION)

    def placed(self, leaves: Sequence[tuple[int, int]]) -> None:
        """Note the leaves acts have got: (act, leaf)."""
        with writing(self._engine) as connection:
            for act, leaf in leaves:
                connection.execute(update(acts).where(acts.c.id == act).values(leaf=leaf))
            bump(connection, REVISION)


def add_act(connection: Connection, act: Act) -> int:
    """Write an act within an open transaction; its id."""
    bump(connection, REVISION)  # first: it holds other writers off, so that numbers follow commits
    values = {
        "id": next_number(connection, acts.c.id),
        "kind": act.kind,
        "time": micros(act.time),
        "actor": act.actor,
        "subject": act.subject,
        "summary": one_line(act.summary),
        "payload": act.payload,
    }
    connection.execute(insert(acts).values(values))
    return int(values["id"])


def told_events(
    engine: Engine, events: Table, of: ColumnElement[bool], shape: type[Told], *order: Column[Any]
) -> list[Told]:
    """The events of one object, each with the leaf its act has got, None where it waits for one.

    ``shape`` has fields named as the columns of ``events``, and ``leaf``.
    """
    query = select(events, acts.c.leaf).join(acts, acts.c.id == events.c.act).where(of)
    with engine.connect() as connection:
        rows = connection.execute(query.order_by(*order, events.c.id)).mappings().all()
    names = shape.__struct_fields__
    return [shape(**{name: _READ.get(name, _as_is)(row[name]) for name in names}) for row in rows]


def changed_since(
    engine: Engine,
    table: Table,
    events: Table,
    of: Column[int],
    after: int,
    limit: int,
    where: Iterable[ColumnElement[bool]] = (),
) -> list[tuple[int, str]]:
    """(event, body) of what has events after one, each once and at its last event, in the order of these.

    Numbers of events follow commits: who reads on from the last one misses nothing, whoever writes meanwhile.
    """
    later = events.alias("later")
    newer = select(later.c.id).where(later.c[of.name] == of, later.c.id > events.c.id).exists()
    query = select(events.c.id, table.c.body).join(table, table.c.id == of)
    query = query.where(events.c.id > after, ~newer, *where).order_by(events.c.id).limit(limit)
    with engine.connect() as connection:
        return [(row.id, row.body) for row in connection.execute(query)]


def _as_is(value: Any) -> Any:
    return value


def next_number(connection: Connection, column: Column[int]) -> int:
    """The number after the highest; rows of these tables are never deleted, so none comes twice."""
    return int(connection.scalar(select(func.coalesce(func.max(column), 0))) or 0) + 1


def canonical(value: object) -> bytes:
    """A value as the canonical JSON that lies in the ledger."""
    return _encoder.encode(value)


def one_line(text: str) -> str:
    """Text fit for a summary: a reason may quote what a host sent, the ledger takes printable text only."""
    shown = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
    return shown[:SUMMARY_CHARS_MAX]
