"""Notices over one state database: each step is an event of the notice and an act with a leaf to come.

A number is given within the transaction that issues the notice, under the lock every writer takes first: per
issuer and year they have no hole, whatever dies on the way.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, func, insert, or_, select, update

from compliance.acts_store import Act, add_act, canonical, changed_since, next_number, told_events
from compliance.case_tables import notice_events, notice_receivers
from compliance.case_tables import notices as table
from compliance.incident_rules import NoticeRules
from compliance.notice import ENDED, Notice, NoticeStep
from compliance.report.times import ZONE
from crypto.words import Refused, Words
from detection.store.progress_store import bump, counter
from detection.store.state import writing
from detection.store.tables import micros

PAGE_MAX: Final = 500
SCORED_MAX: Final = 20_000  # notices of a span that scores are made of
REVISION: Final = "notices"  # the counter that grows with every change
_notice: Final = msgspec.json.Decoder(Notice)


class NoticeEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What happened; ``leaf`` is None while a job has not placed it."""

    time: datetime
    unit: str
    actor: str
    action: str
    note: str
    leaf: int | None


class NoticeQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which notices; None and '' ask for nothing. ``units`` are those the asker sees.

    ``received`` is a unit whose inbox is asked for.
    """

    units: frozenset[str] | None = None
    state: str = ""
    kind: str = ""
    issuer: str = ""
    received: str = ""
    incident: str = ""
    text: str = ""
    overdue: datetime | None = None
    before: int = 0
    limit: int = 100


class NoticeStore:
    """Notices over one state database."""

    def __init__(self, engine: Engine, rules: NoticeRules) -> None:
        self._engine = engine
        self._rules = rules

    def add(self, step: NoticeStep, actor: str, now: datetime) -> Notice:
        """Keep a new one."""
        with writing(self._engine) as connection:
            bump(connection, REVISION)
            return self._put(connection, step, actor, now)

    def change(self, notice: int, act: Callable[[Notice], NoticeStep], actor: str, now: datetime) -> Notice:
        """One step of one notice. Raises what ``act`` raises, Refused (notice-not-found)."""
        with writing(self._engine) as connection:
            bump(connection, REVISION)  # first: it holds other writers off, so that numbers have no hole
            return self._put(connection, act(_get(connection, notice)), actor, now)

    def get(self, notice: int) -> Notice:
        """One notice. Raises Refused (notice-not-found)."""
        with self._engine.connect() as connection:
            return _get(connection, notice)

    def page(self, asked: NoticeQuery) -> list[Notice]:
        """Those asked for, newest first."""
        query = select(table.c.body).where(*_where(asked)).limit(max(1, min(asked.limit, PAGE_MAX)))
        with self._engine.connect() as connection:
            return [_notice.decode(body) for body in connection.scalars(query.order_by(table.c.id.desc()))]

    def changed(self, after: int, asked: NoticeQuery) -> tuple[list[Notice], int]:
        """Those asked for that changed after an event, by their last change; the last event read."""
        of, limit = notice_events.c.notice, min(asked.limit, PAGE_MAX)
        found = changed_since(self._engine, table, notice_events, of, after, limit, _where(asked))
        return [_notice.decode(body) for _, body in found], found[-1][0] if found else after

    def issued_between(self, start: datetime, end: datetime) -> list[Notice]:
        """Those issued in [start, end): what scores are made of."""
        query = select(table.c.body).where(table.c.issued >= micros(start), table.c.issued < micros(end))
        with self._engine.connect() as connection:
            return [_notice.decode(body) for body in connection.scalars(query.limit(SCORED_MAX))]

    def running(self) -> list[Notice]:
        """Those that are out and not closed: what reminders look at."""
        query = select(table.c.body).where(table.c.state == "issued").order_by(table.c.id)
        with self._engine.connect() as connection:
            return [_notice.decode(body) for body in connection.scalars(query)]

    def events(self, notice: Notice) -> list[NoticeEvent]:
        """What happened to a notice, oldest first."""
        of = notice_events.c.notice == notice.id
        return told_events(self._engine, notice_events, of, NoticeEvent)

    def revision(self) -> int:
        """Grows with every change."""
        with self._engine.connect() as connection:
            return counter(connection, REVISION)

    def _put(self, connection: Connection, step: NoticeStep, actor: str, now: datetime) -> Notice:
        before = step.notice
        stamp: dict[str, object] = {"updated": now, "revision": before.revision + 1}
        if not before.id:
            stamp["id"] = next_number(connection, table.c.id)
        if step.action == "issue":
            stamp |= self._numbered(connection, before, now)
        notice = msgspec.structs.replace(before, **stamp)
        if before.id:
            connection.execute(update(table).where(table.c.id == notice.id).values(_row(notice)))
            connection.execute(delete(notice_receivers).where(notice_receivers.c.notice == notice.id))
        else:
            connection.execute(insert(table).values(_row(notice)))
        connection.execute(insert(notice_receivers), _receivers(notice))
        _tell(connection, notice, step, actor, now)
        return notice

    def _numbered(self, connection: Connection, notice: Notice, now: datetime) -> dict[str, object]:
        """年份 in Beijing, and the number after the highest of the issuer and year."""
        year = now.astimezone(ZONE).year
        held = select(func.coalesce(func.max(table.c.serial), 0)).where(
            table.c.issuer == notice.issuer, table.c.year == year
        )
        serial = int(connection.scalar(held) or 0) + 1
        kind = self._rules.kind(notice.kind)
        mark = kind.mark if kind is not None else ""
        return {"year": year, "serial": serial, "number": f"{mark}〔{year}〕{serial}号"}


def _get(connection: Connection, notice: int) -> Notice:
    body = connection.scalar(select(table.c.body).where(table.c.id == notice).with_for_update())
    if body is None:
        raise Refused(
            "notice-not-found",
            Words("没有这份通报", "there is no such notice"),
            Words("请从列表中选择", "choose one from the list"),
            field=str(notice),
        )
    return _notice.decode(body)


def _where(asked: NoticeQuery) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if asked.units is not None:
        units = sorted(asked.units)
        addressed = select(notice_receivers.c.notice).where(notice_receivers.c.unit.in_(units))
        where.append(
            or_(table.c.issuer.in_(units), and_(table.c.issued.is_not(None), table.c.id.in_(addressed)))
        )
    named = {name: getattr(asked, name) for name in ("state", "kind", "issuer")}
    where += [table.c[name] == value for name, value in named.items() if value]
    if asked.received:
        inbox = select(notice_receivers.c.notice).where(notice_receivers.c.unit == asked.received)
        where += [table.c.id.in_(inbox), table.c.issued.is_not(None)]
    if asked.incident:
        where.append(table.c.body.contains(f'"incident":"{asked.incident}"', autoescape=True))
    if asked.text:
        where.append(table.c.body.contains(asked.text, autoescape=True))
    if asked.overdue is not None:
        late = select(notice_receivers.c.notice).where(
            notice_receivers.c.due < micros(asked.overdue), notice_receivers.c.closed.is_(None)
        )
        where += [table.c.state == "issued", table.c.id.in_(late)]
    if asked.before:
        where.append(table.c.id < asked.before)
    return where


def _row(notice: Notice) -> dict[str, object]:
    return {
        "id": notice.id,
        "issuer": notice.issuer,
        "kind": notice.kind,
        "state": notice.state,
        "year": notice.year or None,
        "serial": notice.serial or None,
        "updated": micros(notice.updated),
        "issued": None if notice.issued is None else micros(notice.issued),
        "body": canonical(notice).decode(),
    }


def _receivers(notice: Notice) -> list[dict[str, object]]:
    """A row each; ``due`` is what is owed next, ``closed`` when nothing is owed any more."""
    rows: list[dict[str, object]] = []
    for one in notice.receipts:
        due = one.sign_due if one.signed is None else one.due
        done = one.answered if one.due is not None else one.signed
        if one.state in ENDED:
            done = one.cleared or notice.closed
        elif one.signed is None:
            done = None
        rows.append(
            {
                "notice": notice.id,
                "unit": one.unit,
                "state": one.state,
                "due": None if due is None else micros(due),
                "closed": None if done is None else micros(done),
            }
        )
    return rows


def _tell(connection: Connection, notice: Notice, step: NoticeStep, actor: str, now: datetime) -> None:
    event = next_number(connection, notice_events.c.id)
    receipt = notice.receipt(step.unit) if step.unit else None
    head = ("id", "number", "state", "kind", "issuer")  # of what a receiver did
    said = {name: getattr(notice, name) for name in head} if step.unit else notice
    act = Act(
        kind="notice",
        time=now,
        actor=actor,
        subject=f"notice:{notice.id}/{event}",
        summary=f"{step.action}: {notice.kind} {notice.number} {step.unit}".rstrip(),
        payload=canonical({"notice": said, "action": step.action, "note": step.note, "receipt": receipt}),
    )
    values = {
        "id": event,
        "notice": notice.id,
        "unit": step.unit,
        "time": micros(now),
        "actor": actor,
        "action": step.action,
        "note": step.note,
        "act": add_act(connection, act),
    }
    connection.execute(insert(notice_events).values(values))
