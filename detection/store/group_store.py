"""Alerts into groups and groups out of rows: the statements under AlertStore, each in an open transaction."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, RowMapping, and_, bindparam, case, func, insert, select, text, update

from crypto.words import Refused, Words
from detection.alert import SEVERITIES, Alert
from detection.store.alert_group import AlertGroup, folded, opened, withheld, woken
from detection.store.entity_heat import groups_with_heat, settle
from detection.store.tables import MERGED_ROWS, alert_groups, alert_history, alerts, from_micros, micros

BODIES_MAX: Final = 100  # alerts of a group kept with their events; older ones keep only id and time
_CHUNK: Final = 500  # names in one IN (...): below SQLite's limit of 999 in old builds
_SYSTEM: Final = "system:pipeline"

_encoder: Final = msgspec.json.Encoder()


def unknown(connection: Connection, raised: Sequence[Alert]) -> list[Alert]:
    """Those alerts the store does not hold yet, each id once as it was told last, in the order given."""
    latest = {alert.id: alert for alert in raised}
    for some in _chunks(list(latest)):
        known = connection.scalars(select(alerts.c.id).where(alerts.c.id.in_(some)))
        for identifier in known:
            del latest[identifier]
    return list(latest.values())


def revised(connection: Connection, raised: Sequence[Alert], fresh: Sequence[Alert]) -> list[Alert]:
    """Those alerts the store holds that say something else now: events that came late changed them."""
    new = {alert.id for alert in fresh}
    latest = {alert.id: alert for alert in raised if alert.id not in new}
    changed: list[Alert] = []
    for some in _chunks(list(latest)):
        rows = connection.execute(select(alerts.c.id, alerts.c.body).where(alerts.c.id.in_(some)))
        changed += [
            latest[row.id]
            for row in rows
            if row.body is not None and bytes(row.body) != _encoder.encode(latest[row.id])
        ]
    return changed


def rewrite(connection: Connection, changed: Sequence[Alert], revision: int) -> None:
    """Let known alerts say what they say now, and their groups be fetched again."""
    for alert in changed:
        values = {"time": micros(alert.time), "body": _encoder.encode(alert)}
        connection.execute(update(alerts).where(alerts.c.id == alert.id).values(**values))
    for some in _chunks([alert.id for alert in changed]):
        groups = select(alerts.c.group_id).where(alerts.c.id.in_(some))
        connection.execute(
            update(alert_groups).where(alert_groups.c.id.in_(groups)).values(revision=revision)
        )


def keep(connection: Connection, fresh: Sequence[Alert], revision: int, now: datetime) -> None:
    """Write alerts the store does not hold yet and fold them into their groups."""
    by_key: dict[str, list[Alert]] = defaultdict(list)
    for alert in fresh:
        by_key[alert.group].append(alert)
    newest = _newest_instances(connection, list(by_key))
    inserted: list[dict[str, object]] = []
    updated: list[dict[str, object]] = []
    told: list[tuple[str, datetime, str, str, str]] = []
    rows: list[dict[str, object]] = []
    full: list[str] = []  # groups with more bodies than are kept
    for key, members in by_key.items():
        found = newest.get(key)
        if found is None or found.state == "closed":
            group = opened(members[0], 1 if found is None else found.generation + 1)
            group = withheld(group, members)
            inserted.append(_as_row(folded(group, members, revision, now)))
            told.append((group.id, now, _SYSTEM, "opened", "" if found is None else f"after {found.id}"))
        else:
            group = found
            after = woken(group, folded(group, members, revision, now), members)
            if after.snoozed_until != group.snoozed_until:
                note = "" if group.withheld else f"{group.severity} -> {after.severity}"
                told.append((group.id, now, _SYSTEM, "woken", note))
            updated.append({f"new_{k}": v for k, v in _as_row(after).items()})
        rows += _alert_rows(group.id, members, now)
        if group.count + len(members) > BODIES_MAX:
            full.append(group.id)
    if inserted:
        connection.execute(insert(alert_groups), inserted)
    if updated:
        connection.execute(_UPDATE, updated)
    _raise_parents(connection, newest.values(), by_key, revision)
    if told:
        tell(connection, told)
    settle(connection, {(alert.unit, alert.entity.lower()) for alert in fresh})
    connection.execute(insert(alerts), rows)
    for identifier in full:
        _forget_old_bodies(connection, identifier)


def tell(connection: Connection, told: Iterable[tuple[str, datetime, str, str, str]]) -> None:
    """Append (group, time, actor, action, note) to the history."""
    names = "group_id", "time", "actor", "action", "note"
    rows = [dict(zip(names, (group, micros(time), *rest), strict=True)) for group, time, *rest in told]
    connection.execute(insert(alert_history), rows)


def group_row(connection: Connection, group: str, *, lock: bool = False) -> RowMapping:
    """The row of a group, locked until commit on request. Raises Refused (alert-not-found)."""
    query = groups_with_heat().where(alert_groups.c.id == group)
    found = connection.execute(query.with_for_update(of=alert_groups) if lock else query).mappings().first()
    if found is None:
        raise Refused(
            "alert-not-found",
            Words("没有这个告警组", "there is no such alert group"),
            Words("请刷新告警列表后重试", "reload the list of alerts and try again"),
            field="group",
        )
    return found


def group_of(row: RowMapping) -> AlertGroup:
    """The domain value of a row of alert_groups; ``with_members`` adds what merged groups count."""
    names = AlertGroup.__struct_fields__
    values = {name: row[name] for name in names if name in row}
    values["title"] = Words(row["title_zh"], row["title_en"])
    values["reason"] = Words(row["reason_zh"], row["reason_en"])
    values["first_seen"] = from_micros(row["first_seen"])
    values["last_seen"] = from_micros(row["last_seen"])
    values["latest"] = from_micros(row["latest"])
    values["snoozed_until"] = from_micros(row["snoozed_until"]) if row["snoozed_until"] else None
    values["attack"] = msgspec.json.decode(row["attack"], type=tuple[str, ...])
    values["clauses"] = msgspec.json.decode(row["clauses"], type=tuple[str, ...])
    values.setdefault("total", row["count"])
    return AlertGroup(**values)


def with_members(connection: Connection, shown: Sequence[AlertGroup]) -> list[AlertGroup]:
    """The groups with what those merged into them add to their total and to the time they span."""
    parents = [group.id for group in shown if group.members]
    added: dict[str, RowMapping] = {}
    for some in _chunks(parents):
        columns = alert_groups.c
        sums = func.sum(columns.count).label("total"), func.min(columns.first_seen).label("first")
        query = select(columns.parent, *sums).where(text(MERGED_ROWS), columns.parent.in_(some))
        query = query.group_by(columns.parent)
        added |= {row["parent"]: row for row in connection.execute(query).mappings()}
    return [
        msgspec.structs.replace(
            group,
            total=group.count + int(added[group.id]["total"]),
            first_seen=min(group.first_seen, from_micros(int(added[group.id]["first"]))),
        )
        if group.id in added
        else group
        for group in shown
    ]


def decide(connection: Connection, changes: Mapping[str, Mapping[str, str | int]], revision: int) -> None:
    """Write what people decided: of each group what changed, nothing else, as each column has its indexes."""
    alike: dict[tuple[str, ...], list[dict[str, str | int]]] = defaultdict(list)
    for group, decided in changes.items():
        row = {f"new_{name}": value for name, value in decided.items()}
        alike[tuple(sorted(decided))].append(row | {"of": group, "now": revision})
    for names, rows in alike.items():
        change = update(alert_groups).where(alert_groups.c.id == bindparam("of"))
        values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
        connection.execute(change.values(revision=bindparam("now"), **values), rows)


def settle_parents(connection: Connection, parents: Iterable[str], revision: int) -> None:
    """After groups were merged or split: how many members each parent has, and when one spoke last."""
    member = alert_groups.alias()
    mine = and_(text(MERGED_ROWS), member.c.parent == alert_groups.c.id)  # as the index says it
    latest = select(func.max(member.c.latest)).where(mine).scalar_subquery()
    own = alert_groups.c.last_seen
    for parent in parents:
        connection.execute(
            update(alert_groups)
            .where(alert_groups.c.id == parent)
            .values(
                members=select(func.count()).where(mine).scalar_subquery(),
                latest=case((func.coalesce(latest, 0) > own, latest), else_=own),
                revision=revision,
            )
        )


_UPDATE: Final = (
    update(alert_groups)
    .where(alert_groups.c.id == bindparam("new_id"))
    .values(
        {
            name: bindparam(f"new_{name}")
            for name in (
                *("title_zh", "title_en", "severity", "sensor", "count", "first_seen", "last_seen"),
                *("reason_zh", "reason_en", "attack", "clauses", "revision"),
                *("rank", "heat", "latest", "sought", "snoozed_until"),
            )
        }
    )
)


def _raise_parents(
    connection: Connection,
    groups: Iterable[AlertGroup],
    fresh: Mapping[str, Sequence[Alert]],
    revision: int,
) -> None:
    """What comes to a merged group moves the one it is merged into."""
    for group in groups:
        if group.parent and group.state != "closed":
            time = micros(max(alert.time for alert in fresh[group.key]))
            latest = alert_groups.c.latest
            connection.execute(
                update(alert_groups)
                .where(alert_groups.c.id == group.parent)
                .values(latest=case((latest < time, time), else_=latest), revision=revision)
            )


def _newest_instances(connection: Connection, keys: list[str]) -> dict[str, AlertGroup]:
    newest: dict[str, AlertGroup] = {}
    for some in _chunks(keys):
        query = select(alert_groups).where(alert_groups.c.key.in_(some)).order_by(alert_groups.c.generation)
        for row in connection.execute(query.with_for_update()).mappings():
            newest[row["key"]] = group_of(row)
    return newest


def _alert_rows(group: str, members: Sequence[Alert], now: datetime) -> Iterator[dict[str, object]]:
    newest_first = sorted(members, key=lambda alert: (alert.time, alert.id), reverse=True)
    for place, alert in enumerate(newest_first):
        body = _encoder.encode(alert) if place < BODIES_MAX else None
        yield {
            "id": alert.id,
            "group_id": group,
            "time": micros(alert.time),
            "detected": micros(now),
            "body": body,
        }


def _forget_old_bodies(connection: Connection, group: str) -> None:
    kept = alerts.c.group_id == group, alerts.c.body.is_not(None)
    old = (
        select(alerts.c.id)
        .where(*kept)
        .order_by(alerts.c.time.desc(), alerts.c.id.desc())
        .offset(BODIES_MAX)
        .limit(BODIES_MAX)
    )
    connection.execute(update(alerts).where(alerts.c.id.in_(old)).values(body=None))


def _as_row(group: AlertGroup) -> dict[str, object]:
    row = msgspec.structs.asdict(group)
    del row["total"], row["members"], row["parent"]  # the alerts say nothing of these
    del row["entity_heat"]
    row["title_zh"], row["title_en"] = group.title
    row["reason_zh"], row["reason_en"] = group.reason
    del row["title"], row["reason"]
    row["first_seen"] = micros(group.first_seen)
    row["last_seen"] = micros(group.last_seen)
    row["latest"] = micros(max(group.last_seen, group.latest or group.last_seen))
    row["snoozed_until"] = micros(group.snoozed_until) if group.snoozed_until else 0
    row["attack"] = _encoder.encode(group.attack).decode()
    row["clauses"] = _encoder.encode(group.clauses).decode()
    row["rank"] = SEVERITIES.index(group.severity)
    row["entity_key"] = group.entity.lower()
    texts = (*group.title, group.entity, group.rule, group.sensor, group.unit, *group.reason)
    row["sought"] = " ".join(texts).lower()
    return row


def _chunks(names: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(names), _CHUNK):
        yield names[start : start + _CHUNK]
