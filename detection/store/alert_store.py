"""The sink of the pipeline and the alert queue: alerts, groups, history and the cursor in one transaction.

``commit`` writes what a batch of events led to (alerts, inventory, detector states) together with the log
position reached. After a crash the pipeline reads on from that position, so nothing is lost; alert ids are
deterministic, so what is replayed nevertheless changes nothing; a known alert that says something else now,
because an event came late, is rewritten. One pipeline writes; any number of people
change states and any number of processes read at the same time.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, get_args

import msgspec
from sqlalchemy import ColumnElement, Engine, and_, func, or_, select, update

from crypto.words import BadInput, Refused, Words
from detection.alert import SEVERITIES, Alert, Detector
from detection.exceptions import Withheld
from detection.store.alert_group import (
    CLASSIFICATIONS,
    STATES,
    AlertDetail,
    AlertGroup,
    AlertPage,
    AlertRecord,
    HistoryRecord,
    State,
)
from detection.store.exception_store import keep_withheld
from detection.store.group_store import (
    generation_max,
    group_of,
    group_row,
    keep,
    revised,
    rewrite,
    tell,
    unknown,
)
from detection.store.inventory_store import record
from detection.store.progress_store import advance, bump, counter, keep_snapshot, position_of, snapshot
from detection.store.state import writing
from detection.store.tables import alert_groups, alert_history, alerts, from_micros, micros
from sensors.event import Event

DETAIL_ALERTS_MAX: Final = 20
HISTORY_MAX: Final = 200
PAGE_MAX: Final = 500
QUERY_CHARS_MAX: Final = 200
REASON_CHARS_MAX: Final = 2_000
_HOUR_MICROS: Final = 3_600_000_000

_decoder: Final = msgspec.json.Decoder(Alert)


class Committed(msgspec.Struct, frozen=True, kw_only=True):
    """What a commit changed: the alerts that were new, and the revision of the store after it."""

    alerts: tuple[Alert, ...]
    revision: int


class AlertCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Groups by state, and the open ones (new or acknowledged) by severity; absent means 0."""

    states: dict[str, int]
    open_severities: dict[str, int]


class AlertStore:
    """The alert queue over one state database; safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def commit(
        self,
        raised: Sequence[Alert],
        events: Sequence[Event],
        position: int | None,
        now: datetime,
        *,
        states: Mapping[str, bytes] | None = None,
        withheld: Sequence[Withheld] = (),
    ) -> Committed:
        """Make durable what a batch led to, all or nothing; returns after the commit.

        ``position`` is the last log sequence whose events are in ``events`` (None for alerts that come from
        no log, such as a silent sensor); it never moves back. ``states`` are detector snapshots as of
        ``position``; ``withheld`` is what exceptions held back.
        """
        with writing(self._engine) as connection:
            fresh = unknown(connection, raised) if raised else []
            changed = revised(connection, raised, fresh) if len(fresh) < len(raised) else []
            if fresh or changed:
                revision = bump(connection, "alerts")
                if fresh:
                    keep(connection, fresh, revision, now)
                rewrite(connection, changed, revision)
            else:
                revision = counter(connection, "alerts")
            record(connection, events)
            keep_withheld(connection, withheld)
            for name, body in sorted((states or {}).items()):
                keep_snapshot(connection, name, body, now)
            if position is not None:
                advance(connection, position, now)
        return Committed(alerts=tuple(fresh), revision=revision)

    def position(self) -> int:
        """The last log sequence whose effects are committed; 0 before the first."""
        with self._engine.connect() as connection:
            return position_of(connection)

    def detector_state(self, name: str) -> bytes | None:
        """The snapshot a detector left with the last commit that carried one."""
        with self._engine.connect() as connection:
            return snapshot(connection, name)

    def page(
        self,
        *,
        state: str = "open",
        severity: str = "",
        detector: str = "",
        q: str = "",
        cursor: str = "",
        limit: int = 50,
        units: Collection[str] | None = None,
    ) -> AlertPage:
        """A page of groups, newest ``last_seen`` first; '' means any. ``units`` None is all of them.

        The cursor is the place of the last row shown: groups that change meanwhile move to the front, so a
        following page never repeats a row. Raises BadInput naming the parameter at fault.
        """
        wanted = _filter(state, severity, detector, q)
        if units is not None:
            wanted.append(alert_groups.c.unit.in_(units))
        place = alert_groups.c.last_seen, alert_groups.c.id
        rows = select(alert_groups).where(*wanted).order_by(place[0].desc(), place[1].desc())
        if cursor:
            time, identifier = _place(cursor)
            rows = rows.where(or_(place[0] < time, and_(place[0] == time, place[1] < identifier)))
        limit = max(1, min(limit, PAGE_MAX))
        with self._engine.connect() as connection:
            found = connection.execute(rows.limit(limit + 1)).mappings().all()
            total = connection.scalar(select(func.count()).select_from(alert_groups).where(*wanted)) or 0
            revision = counter(connection, "alerts")
        shown = [group_of(row) for row in found[:limit]]
        following = f"{found[limit - 1]['last_seen']}.{shown[-1].id}" if len(found) > limit else ""
        return AlertPage(rows=tuple(shown), total=total, revision=revision, next=following)

    def detail(self, group: str) -> AlertDetail:
        """A group with its newest alerts and history. Raises Refused (alert-not-found)."""
        kept = select(alerts.c.body, alerts.c.detected).where(
            alerts.c.group_id == group, alerts.c.body.is_not(None)
        )
        told = select(alert_history).where(alert_history.c.group_id == group)
        with self._engine.connect() as connection:
            shown = group_of(group_row(connection, group))
            bodies = connection.execute(
                kept.order_by(alerts.c.time.desc(), alerts.c.id.desc()).limit(DETAIL_ALERTS_MAX)
            ).all()
            history = connection.execute(told.order_by(alert_history.c.id.desc()).limit(HISTORY_MAX))
            history_rows = history.mappings().all()
        return AlertDetail(
            group=shown,
            alerts=tuple(
                AlertRecord(alert=_decoder.decode(body), detected=from_micros(detected))
                for body, detected in bodies
            ),
            history=tuple(
                HistoryRecord(
                    time=from_micros(row["time"]), actor=row["actor"], action=row["action"], note=row["note"]
                )
                for row in history_rows
            ),
        )

    def unit_of(self, group: str) -> str:
        """The unit a group belongs to. Raises Refused (alert-not-found)."""
        with self._engine.connect() as connection:
            return str(group_row(connection, group)["unit"])

    def acknowledge(self, group: str, actor: str, now: datetime) -> AlertGroup:
        """new -> acknowledged; ``actor`` becomes the owner. Raises Refused (alert-not-found, alert-state)."""
        changed = {"state": "acknowledged", "owner": actor}
        return self._change(group, ("new",), changed, ("acknowledged", actor, ""), now)

    def close(self, group: str, actor: str, classification: str, reason: str, now: datetime) -> AlertGroup:
        """Open -> closed with a judgement and its reason; one without owner becomes ``actor``'s.

        Raises Refused or BadInput.
        """
        if classification not in CLASSIFICATIONS:
            raise _bad("classification", classification, CLASSIFICATIONS)
        reason = reason.strip()
        if not 2 <= len(reason) <= REASON_CHARS_MAX:
            raise _bad("reason", f"{len(reason)}", (f"2-{REASON_CHARS_MAX}",))
        owner = func.coalesce(func.nullif(alert_groups.c.owner, ""), actor)
        changed = {
            "state": "closed",
            "classification": classification,
            "close_reason": reason,
            "owner": owner,
        }
        told = ("closed", actor, f"{classification}: {reason}")
        return self._change(group, ("new", "acknowledged"), changed, told, now)

    def reopen(self, group: str, actor: str, now: datetime, note: str = "") -> AlertGroup:
        """closed -> acknowledged, unless a newer instance of the same group is there already."""
        changed = {"state": "acknowledged", "owner": actor, "classification": "", "close_reason": ""}
        note = note.strip()[:REASON_CHARS_MAX]
        return self._change(group, ("closed",), changed, ("reopened", actor, note), now)

    def revision(self) -> int:
        """A number that grows with every change of any group; equal means nothing changed."""
        with self._engine.connect() as connection:
            return counter(connection, "alerts")

    def counts(self) -> AlertCounts:
        """How many groups there are by state, and open ones by severity."""
        columns = alert_groups.c.state, alert_groups.c.severity
        counted = select(*columns, func.count().label("n")).group_by(*columns)
        states: dict[str, int] = defaultdict(int)
        severities: dict[str, int] = defaultdict(int)
        with self._engine.connect() as connection:
            for state, severity, number in connection.execute(counted):
                states[state] += number
                if state != "closed":
                    severities[severity] += number
        return AlertCounts(states=dict(states), open_severities=dict(severities))

    def per_hour(self, now: datetime, hours: int = 24) -> list[int]:
        """Alerts (not groups) in each of the last ``hours`` hours up to ``now``, oldest first."""
        start = micros(now - timedelta(hours=hours))
        slot = ((alerts.c.time - start) // _HOUR_MICROS).label("slot")
        counted = (
            select(slot, func.count())
            .where(alerts.c.time >= start, alerts.c.time < micros(now))
            .group_by(slot)
        )
        numbers = [0] * hours
        with self._engine.connect() as connection:
            for place, number in connection.execute(counted):
                numbers[int(place)] += number
        return numbers

    def _change(
        self,
        group: str,
        before: tuple[State, ...],
        changed: Mapping[str, object],
        told: tuple[str, str, str],
        now: datetime,
    ) -> AlertGroup:
        action, actor, note = told
        if not actor:
            raise _bad("actor", "", ("user:<name>",))
        with writing(self._engine) as connection:
            found = group_row(connection, group, lock=True)
            if found["state"] not in before:
                raise _wrong_state(action, found["state"], " / ".join(before))
            if found["state"] == "closed" and generation_max(connection, found["key"]) > found["generation"]:
                raise _superseded(group)
            revision = bump(connection, "alerts")
            connection.execute(
                update(alert_groups).where(alert_groups.c.id == group).values(revision=revision, **changed)
            )
            tell(connection, [(group, now, actor, action, note)])
            return group_of(group_row(connection, group))


def _filter(state: str, severity: str, detector: str, q: str) -> list[ColumnElement[bool]]:
    columns = alert_groups.c
    wanted: list[ColumnElement[bool]] = []
    if state == "open":
        wanted.append(columns.state != "closed")
    elif state in STATES:
        wanted.append(columns.state == state)
    elif state != "all":
        raise _bad("state", state, ("open", *STATES, "all"))
    if severity:
        if severity not in SEVERITIES:
            raise _bad("severity", severity, SEVERITIES)
        wanted.append(columns.severity == severity)
    if detector:
        if detector not in get_args(Detector):
            raise _bad("detector", detector, get_args(Detector))
        wanted.append(columns.detector == detector)
    if len(q) > QUERY_CHARS_MAX:
        raise _bad("q", f"{len(q)}", (f"<= {QUERY_CHARS_MAX}",))
    if term := q.strip().lower():
        text = columns.title_zh, columns.title_en, columns.entity, columns.rule, columns.sensor, columns.unit
        said = columns.reason_zh, columns.reason_en
        wanted.append(or_(*(func.lower(column).contains(term, autoescape=True) for column in (*text, *said))))
    return wanted


def _place(cursor: str) -> tuple[int, str]:
    time, point, identifier = cursor.partition(".")
    if not point or not time.isascii() or not time.isdigit() or len(time) > 18 or len(identifier) > 64:
        raise BadInput(
            "alert-cursor",
            Words("翻页标记无效", "the page cursor is not valid"),
            Words("请从第一页重新查询", "query again from the first page"),
            field="cursor",
        )
    return int(time), identifier


def _bad(field: str, given: str, allowed: Sequence[str]) -> BadInput:
    choices = ", ".join(allowed)
    return BadInput(
        "alert-argument",
        Words(f"参数 {field} 的值无效:{given[:80]}", f"invalid {field}: {given[:80]}"),
        Words(f"可用的值:{choices}", f"use one of: {choices}"),
        field=field,
    )


def _wrong_state(action: str, state: str, needed: str) -> Refused:
    return Refused(
        "alert-state",
        Words(f"告警组当前状态是 {state},不能执行此操作", f"the group is {state}, it cannot be {action}"),
        Words(
            f"此操作要求状态为 {needed};可能已有他人处理,请刷新",
            f"it must be {needed}; somebody else may have acted, reload",
        ),
        field="state",
    )


def _superseded(group: str) -> Refused:
    return Refused(
        "alert-superseded",
        Words("该告警组关闭后已有新的同类告警组", "a newer instance of this group exists already"),
        Words("请在新的告警组上处理", "work on the newer instance instead"),
        field=group,
    )
