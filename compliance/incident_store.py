"""Incidents over one state database: each step is an event of the incident and an act with a leaf to come."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, delete, func, insert, select, update

from compliance.acts_store import Act, add_act, canonical, changed_since, next_number, told_events
from compliance.case_tables import incident_alerts, incident_events
from compliance.case_tables import incidents as table
from compliance.incident import ACTIVE, Incident, Step, next_due
from compliance.incident_rules import Clocks
from crypto.words import Refused, Words
from detection.store.progress_store import bump, counter
from detection.store.state import writing
from detection.store.tables import micros

PAGE_MAX: Final = 500
REVISION: Final = "incidents"  # the counter that grows with every change
_incident: Final = msgspec.json.Decoder(Incident)
_FAMILIES: Final = ("tasks", "filings", "files")  # told one by one in the acts, not again with each


class IncidentEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to an incident; ``leaf`` is None while a job has not placed it."""

    time: datetime
    at: datetime
    actor: str
    action: str
    note: str
    leaf: int | None


class IncidentQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which incidents; None and '' ask for nothing. ``state`` active is every state that is."""

    units: frozenset[str] | None = None
    state: str = ""
    grade: int = 0
    unit: str = ""
    system: str = ""
    owner: str = ""
    group: str = ""
    text: str = ""
    overdue: datetime | None = None
    before: int = 0
    limit: int = 100


class IncidentFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of what the units hold now."""

    active: int
    overdue: int
    grades: dict[int, int]


class IncidentWork:
    """One write transaction; what is refused within undoes all of it."""

    def __init__(self, connection: Connection, clocks: Clocks, actor: str, now: datetime) -> None:
        self._connection = connection
        self._clocks = clocks
        self._actor = actor
        self._now = now

    def get(self, number: str) -> Incident:
        """One incident, held until the end. Raises Refused (incident-not-found)."""
        body = self._connection.scalar(select(table.c.body).where(table.c.number == number).with_for_update())
        return _read(body, number)

    def put(self, step: Step) -> Incident:
        """Write what an incident is after a step, its event and the act."""
        stamp: dict[str, object] = {"updated": self._now, "revision": step.incident.revision + 1}
        if not step.incident.id:
            number = next_number(self._connection, table.c.id)
            stamp |= {"id": number, "number": f"{step.incident.created.year}-{number:06d}"}
        incident = msgspec.structs.replace(step.incident, **stamp)
        row = _row(incident, self._clocks)
        if step.incident.id:
            self._connection.execute(update(table).where(table.c.id == incident.id).values(row))
        else:
            self._connection.execute(insert(table).values(row))
        self._tell(incident, step)
        return incident

    def link(self, incident: Incident, groups: Sequence[str], *, move: bool = False) -> list[str]:
        """Alert groups join an incident; the numbers of those they were in before.

        Raises Refused (incident-alert-taken) unless they may be moved.
        """
        left = set()
        for group in groups:
            query = (
                select(table.c.id, table.c.number)
                .join(incident_alerts, incident_alerts.c.incident == table.c.id)
                .where(incident_alerts.c.group_id == group)
            )
            held = self._connection.execute(query).first()
            if held is not None and held.id == incident.id:
                continue
            if held is not None and not move:
                raise _taken(group, held.number)
            if held is not None:
                left.add(held.number)
                self._unlink(group)
            values = {"group_id": group, "incident": incident.id, "added": micros(self._now)}
            self._connection.execute(insert(incident_alerts).values(**values, actor=self._actor))
        return sorted(left)

    def unlink(self, incident: Incident, groups: Sequence[str]) -> None:
        """Alert groups leave an incident. Raises Refused (incident-alert-absent)."""
        held = self.groups(incident)
        for group in groups:
            if group not in held:
                raise Refused(
                    "incident-alert-absent",
                    Words("该告警不在此事件中", "that alert is not in this incident"),
                    Words("请刷新后重试", "reload and try again"),
                    field=group,
                )
            self._unlink(group)

    def groups(self, incident: Incident) -> list[str]:
        """The alert groups of an incident, the first to join first."""
        return _groups(self._connection, incident)

    def _unlink(self, group: str) -> None:
        self._connection.execute(delete(incident_alerts).where(incident_alerts.c.group_id == group))

    def _tell(self, incident: Incident, step: Step) -> None:
        event = next_number(self._connection, incident_events.c.id)
        told = {name: getattr(incident, name) for name in Incident.__struct_fields__ if name not in _FAMILIES}
        payload = {"incident": told, "action": step.action, "note": step.note, "detail": dict(step.detail)}
        act = Act(
            kind="incident",
            time=self._now,
            actor=self._actor,
            subject=f"incident:{incident.number}/{event}",
            summary=f"{step.action}: grade {incident.grade} {incident.category} {incident.state}",
            payload=canonical(payload),
        )
        values = {
            "id": event,
            "incident": incident.id,
            "time": micros(self._now),
            "at": micros(step.at or self._now),
            "actor": self._actor,
            "action": step.action,
            "note": step.note,
            "act": add_act(self._connection, act),
        }
        self._connection.execute(insert(incident_events).values(values))


class IncidentStore:
    """Incidents over one state database."""

    def __init__(self, engine: Engine, clocks: Clocks) -> None:
        self._engine = engine
        self._clocks = clocks

    @contextmanager
    def work(self, actor: str, now: datetime) -> Iterator[IncidentWork]:
        """One write transaction."""
        with writing(self._engine) as connection:
            bump(connection, REVISION)  # first: it holds other writers off, so that numbers follow commits
            yield IncidentWork(connection, self._clocks, actor, now)

    def change(self, number: str, act: Callable[[Incident], Step], actor: str, now: datetime) -> Incident:
        """One step of one incident. Raises what ``act`` raises, Refused (incident-not-found)."""
        with self.work(actor, now) as work:
            return work.put(act(work.get(number)))

    def get(self, number: str) -> Incident:
        """One incident. Raises Refused (incident-not-found)."""
        with self._engine.connect() as connection:
            return _read(connection.scalar(select(table.c.body).where(table.c.number == number)), number)

    def groups(self, incident: Incident) -> list[str]:
        """Its alert groups, the first to join first."""
        with self._engine.connect() as connection:
            return _groups(connection, incident)

    def page(self, asked: IncidentQuery) -> list[Incident]:
        """Those asked for, newest first."""
        query = select(table.c.body).where(*_where(asked)).limit(max(1, min(asked.limit, PAGE_MAX)))
        with self._engine.connect() as connection:
            return [_incident.decode(body) for body in connection.scalars(query.order_by(table.c.id.desc()))]

    def changed(self, after: int, asked: IncidentQuery) -> tuple[list[Incident], int]:
        """Those asked for that changed after an event, by their last change; the last event read."""
        of, limit = incident_events.c.incident, min(asked.limit, PAGE_MAX)
        found = changed_since(self._engine, table, incident_events, of, after, limit, _where(asked))
        return [_incident.decode(body) for _, body in found], found[-1][0] if found else after

    def holding(self, groups: Sequence[str], units: frozenset[str] | None) -> dict[str, str]:
        """The number of the incident of these units that holds an alert group, by group."""
        query = (
            select(incident_alerts.c.group_id, table.c.number)
            .join(table, table.c.id == incident_alerts.c.incident)
            .where(
                incident_alerts.c.group_id.in_(list(groups)), *_where(IncidentQuery(units=units, state=""))
            )
        )
        with self._engine.connect() as connection:
            return {row.group_id: row.number for row in connection.execute(query)}

    def figures(self, units: frozenset[str] | None, now: datetime) -> IncidentFigures:
        """Counts of the active ones."""
        where = _where(IncidentQuery(units=units, state="active"))
        grades = select(table.c.grade, func.count()).where(*where).group_by(table.c.grade)
        late = select(func.count()).where(*where, table.c.due < micros(now))
        with self._engine.connect() as connection:
            counted = {int(grade): int(count) for grade, count in connection.execute(grades)}
            overdue = int(connection.scalar(late) or 0)
        return IncidentFigures(active=sum(counted.values()), overdue=overdue, grades=counted)

    def owing(self) -> list[Incident]:
        """Those that owe a report, the soonest first: what reminders look at."""
        query = select(table.c.body).where(table.c.due.is_not(None)).order_by(table.c.due).limit(PAGE_MAX)
        with self._engine.connect() as connection:
            return [_incident.decode(body) for body in connection.scalars(query)]

    def events(self, incident: Incident) -> list[IncidentEvent]:
        """What happened to an incident, oldest first."""
        of = incident_events.c.incident == incident.id
        return told_events(self._engine, incident_events, of, IncidentEvent, incident_events.c.at)

    def revision(self) -> int:
        """Grows with every change."""
        with self._engine.connect() as connection:
            return counter(connection, REVISION)


def _where(asked: IncidentQuery) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if asked.units is not None:
        where.append(table.c.unit.in_(sorted(asked.units)))
    if asked.state:
        where.append(table.c.state.in_(sorted(ACTIVE) if asked.state == "active" else [asked.state]))
    named = {name: getattr(asked, name) for name in ("unit", "system", "owner")}
    where += [table.c[name] == value for name, value in named.items() if value]
    if asked.grade:
        where.append(table.c.grade == asked.grade)
    if asked.group:
        held = select(incident_alerts.c.incident).where(incident_alerts.c.group_id == asked.group)
        where.append(table.c.id.in_(held))
    if asked.text:
        where.append(table.c.body.contains(asked.text, autoescape=True))
    if asked.overdue is not None:
        where.append(table.c.due < micros(asked.overdue))
    if asked.before:
        where.append(table.c.id < asked.before)
    return where


def _groups(connection: Connection, incident: Incident) -> list[str]:
    query = select(incident_alerts.c.group_id).where(incident_alerts.c.incident == incident.id)
    return list(connection.scalars(query.order_by(incident_alerts.c.added, incident_alerts.c.group_id)))


def _read(body: str | None, number: str) -> Incident:
    if body is None:
        raise Refused(
            "incident-not-found",
            Words(f"没有安全事件 {number}", f"there is no incident {number}"),
            Words("请从列表中选择", "choose one from the list"),
            field=number,
        )
    return _incident.decode(body)


def _taken(group: str, number: str) -> Refused:
    return Refused(
        "incident-alert-taken",
        Words(f"告警 {group} 已在事件 {number} 中", f"alert {group} is in incident {number} already"),
        Words("请打开该事件,或将告警移入", "open that incident, or move the alert"),
        field=number,
    )


def _row(incident: Incident, clocks: Clocks) -> dict[str, object]:
    due = next_due(incident, clocks)
    return {
        "id": incident.id,
        "number": incident.number,
        "unit": incident.unit,
        "system": incident.system,
        "state": incident.state,
        "category": incident.category,
        "grade": incident.grade,
        "owner": incident.owner,
        "discovered": micros(incident.discovered),
        "updated": micros(incident.updated),
        "due": None if due is None else micros(due),
        "closed": None if incident.closed is None else micros(incident.closed),
        "body": canonical(incident).decode(),
    }
