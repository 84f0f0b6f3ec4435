"""The sink of the pipeline and the alert queue: alerts, groups, history and the cursor in one transaction.

``commit`` writes what a batch of events led to (alerts, inventory, detector states) together with the log
position reached. After a crash the pipeline reads on from that position, so nothing is lost; alert ids are
deterministic, so what is replayed nevertheless changes nothing; a known alert that says something else now,
because an event came late, is rewritten. One pipeline writes; any number of people
change states and any number of processes read at the same time.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, Engine, func, select, text

from detection.alert import SEVERITIES, Alert
from detection.exceptions import Withheld
from detection.store.act import REASON_CHARS_MAX, Act, refusal
from detection.store.act_store import AlertActs
from detection.store.alert_group import (
    WITHHELD,
    AlertDetail,
    AlertGroup,
    AlertPage,
    AlertRecord,
    HistoryRecord,
)
from detection.store.entity_heat import groups_with_heat
from detection.store.exception_store import keep_withheld
from detection.store.group_page import (
    BROAD_ROWS,
    Bucket,
    Facet,
    Sort,
    is_dear,
    read_buckets,
    read_count,
    read_page,
)
from detection.store.group_query import GroupFilter, Keys, narrowed
from detection.store.group_store import (
    group_of,
    group_row,
    keep,
    revised,
    rewrite,
    unknown,
    with_members,
)
from detection.store.inventory_store import record
from detection.store.progress_store import advance, bump, counter, keep_snapshot, position_of, snapshot
from detection.store.state import writing
from detection.store.tables import MERGED_ROWS, alert_groups, alert_history, alerts, from_micros, micros
from sensors.event import Event

DETAIL_ALERTS_MAX: Final = 20
HISTORY_MAX: Final = 200
MEMBERS_MAX: Final = 200
_TOTALS_MAX: Final = 64  # counts remembered while nothing changes
_CHUNK: Final = 500  # names in one IN (...)
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
        self._totals: dict[object, int] = {}

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
        """A page of all groups, newest first, merged ones and those asleep too; '' means any."""
        only = None if units is None else frozenset(units)
        wanted = GroupFilter(state=state, severity=severity, detector=detector, q=q, units=only)
        return self.queue(wanted, datetime.now(UTC), cursor=cursor, limit=limit)

    def queue(
        self,
        wanted: GroupFilter,
        now: datetime,
        *,
        sort: Sort = "latest",
        cursor: str = "",
        offset: int = 0,
        limit: int = 50,
        keys_of_system: Keys | None = None,
        whole: bool = True,
    ) -> AlertPage:
        """A page of the filter's groups, ``offset`` rows behind the cursor; highest of ``sort`` first.

        The cursor is the place of the last row shown, so a following page repeats no row that did not move.
        Without ``whole`` nothing is counted that must be read row by row: the page is then not ``exact`` and
        ``count`` tells the total. Raises BadInput naming the parameter at fault.
        """
        conditions = narrowed(wanted, now, keys_of_system=keys_of_system)
        with self._engine.connect() as connection:
            revision = counter(connection, "alerts")
            known = (wanted, revision, now.replace(second=0, microsecond=0), keys_of_system is None)
            total = self._totals.get(known)
            if total is None and not is_dear(conditions):
                total = self._remember(known, read_count(connection, conditions))
            found = read_page(
                connection, conditions, sort=sort, cursor=cursor, offset=offset, limit=limit, total=total
            )
            total = found.total
            if total is None and whole:
                total = read_count(connection, conditions)
        if total is not None:
            self._remember(known, total)
        return AlertPage(
            rows=tuple(found.rows),
            total=BROAD_ROWS + 1 if total is None else total,
            exact=total is not None,
            revision=revision,
            next=found.next,
        )

    def count(self, wanted: GroupFilter, now: datetime, *, keys_of_system: Keys | None = None) -> int:
        """How many groups the filter holds. Raises BadInput."""
        conditions = narrowed(wanted, now, keys_of_system=keys_of_system)
        with self._engine.connect() as connection:
            revision = counter(connection, "alerts")
            known = (wanted, revision, now.replace(second=0, microsecond=0), keys_of_system is None)
            total = self._totals.get(known)
            return self._remember(known, read_count(connection, conditions)) if total is None else total

    def _remember(self, known: object, total: int) -> int:
        self._totals[known] = total
        while len(self._totals) > _TOTALS_MAX:
            self._totals.pop(next(iter(self._totals)), None)
        return total

    def buckets(
        self, wanted: GroupFilter, now: datetime, by: Facet, *, keys_of_system: Keys | None = None
    ) -> list[Bucket]:
        """The filter's groups by the values of a field, most first. Raises BadInput."""
        conditions = narrowed(wanted, now, keys_of_system=keys_of_system)
        with self._engine.connect() as connection:
            return read_buckets(connection, conditions, by)

    def detail(self, group: str) -> AlertDetail:
        """A group with its newest alerts and history. Raises Refused (alert-not-found)."""
        kept = select(alerts.c.body, alerts.c.detected).where(
            alerts.c.group_id == group, alerts.c.body.is_not(None)
        )
        told = select(alert_history).where(alert_history.c.group_id == group)
        columns = alert_groups.c
        merged = (
            groups_with_heat()
            .where(text(MERGED_ROWS), columns.parent == group)
            .order_by(columns.latest.desc())
        )
        with self._engine.connect() as connection:
            (shown,) = with_members(connection, [group_of(group_row(connection, group))])
            members = connection.execute(merged.limit(MEMBERS_MAX)).mappings().all() if shown.members else []
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
            members=tuple(group_of(row) for row in members),
        )

    def unit_of(self, group: str) -> str:
        """The unit a group belongs to. Raises Refused (alert-not-found)."""
        with self._engine.connect() as connection:
            return str(group_row(connection, group)["unit"])

    def units_of(self, groups: Sequence[str]) -> set[str]:
        """The units that groups belong to. Raises Refused (alert-not-found) where one is not there."""
        found: dict[str, str] = {}
        with self._engine.connect() as connection:
            for start in range(0, len(groups), _CHUNK):
                some = alert_groups.c.id.in_(groups[start : start + _CHUNK])
                rows = connection.execute(select(alert_groups.c.id, alert_groups.c.unit).where(some))
                found |= {row.id: row.unit for row in rows}
        if absent := set(groups) - found.keys():
            raise refusal("alert-not-found", min(absent))
        return set(found.values())

    def acknowledge(self, group: str, actor: str, now: datetime) -> AlertGroup:
        """new -> acknowledged; ``actor`` becomes the owner. Raises Refused (alert-not-found, alert-state)."""
        return AlertActs(self._engine).single(Act(action="acknowledge"), group, actor, now)[0]

    def close(self, group: str, actor: str, classification: str, reason: str, now: datetime) -> AlertGroup:
        """new or acknowledged -> closed, with a judgement. Raises Refused (alert-state), BadInput."""
        act = Act(action="close", classification=classification, reason=reason)
        return AlertActs(self._engine).single(act, group, actor, now)[0]

    def reopen(self, group: str, actor: str, now: datetime, note: str = "") -> AlertGroup:
        """closed -> acknowledged, unless a newer instance of the same group is there already."""
        act = Act(action="reopen", reason=note[:REASON_CHARS_MAX])
        return AlertActs(self._engine).single(act, group, actor, now)[0]

    def revision(self) -> int:
        """A number that grows with every change of any group; equal means nothing changed."""
        with self._engine.connect() as connection:
            return counter(connection, "alerts")

    def counts(self, units: frozenset[str] | None = None) -> AlertCounts:
        """How many groups of ``units`` there are by state, and open ones by severity; none withheld."""
        columns = alert_groups.c.state, alert_groups.c.rank
        told = alert_groups.c.snoozed_until != micros(WITHHELD)
        counted = select(*columns, func.count().label("n")).where(*_within(units), told).group_by(*columns)
        states: dict[str, int] = defaultdict(int)
        severities: dict[str, int] = defaultdict(int)
        with self._engine.connect() as connection:
            for state, rank, number in connection.execute(counted):
                states[state] += number
                if state != "closed":
                    severities[SEVERITIES[rank]] += number
        return AlertCounts(states=dict(states), open_severities=dict(severities))

    def per_hour(self, now: datetime, hours: int = 24, units: frozenset[str] | None = None) -> list[int]:
        """Alerts (not groups) of ``units`` in each of the last ``hours`` hours to ``now``, oldest first."""
        start = micros(now - timedelta(hours=hours))
        slot = ((alerts.c.time - start) // _HOUR_MICROS).label("slot")
        counted = (
            select(slot, func.count())
            .where(alerts.c.time >= start, alerts.c.time < micros(now))
            .group_by(slot)
        )
        if units is not None:
            within = select(alert_groups.c.id).where(*_within(units))
            counted = counted.where(alerts.c.group_id.in_(within))
        numbers = [0] * hours
        with self._engine.connect() as connection:
            for place, number in connection.execute(counted):
                numbers[int(place)] += number
        return numbers


def _within(units: frozenset[str] | None) -> list[ColumnElement[bool]]:
    return [] if units is None else [alert_groups.c.unit.in_(sorted(units))]
