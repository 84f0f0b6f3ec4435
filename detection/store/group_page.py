"""Pages of the queue in any order, how many rows there are, and what they are made of.

A page is found from the cursor of another one and an offset, so that a list of 100,000 rows can be looked at
anywhere; groups that change meanwhile move to the front and are shown there.
"""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal, get_args

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Row,
    Select,
    case,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.sql import visitors

from crypto.words import BadInput, Words
from detection.alert import SEVERITIES
from detection.store.alert_group import AlertGroup
from detection.store.entity_heat import ABOUT, groups_with_heat
from detection.store.group_query import bad_argument
from detection.store.group_store import group_of, with_members
from detection.store.tables import CLOSED_ROWS, OPEN_ROWS, TOP_ROWS, alert_groups, entity_heats, from_micros

Sort = Literal["latest", "risk", "count", "severity"]
Facet = Literal["severity", "state", "detector", "unit", "owner", "rule", "entity"]
SORTS: Final[tuple[Sort, ...]] = get_args(Sort)
FACETS: Final[tuple[Facet, ...]] = get_args(Facet)
PAGE_MAX: Final = 500
BUCKETS_MAX: Final = 500
UNIQUE_ROWS: Final = 30_000  # of more than these nobody counts how many hosts and users they are about
BROAD_ROWS: Final = 2_000  # more than these are not collected and sorted for a page
# Unless few are where the walk begins: of closed ones most are judged harmless, and so the coldest.
COLD_ROWS: Final = 30_000

_C: Final = alert_groups.c
_H: Final = entity_heats.c
# What the rows are sorted by; the last two of each are the same. One entity's groups stand together.
_ORDERS: Final[dict[Sort, tuple[ColumnElement[Any], ...]]] = {
    "latest": (_C.latest, _C.id),
    "risk": (_H.heat, _H.id, _C.latest, _C.id),
    "count": (_C.count, _C.latest, _C.id),
    "severity": (_C.rank, _C.latest, _C.id),
}
_BUCKETED: Final[dict[Facet, ColumnElement[Any]]] = {
    "severity": _C.rank,
    "state": _C.state,
    "detector": _C.detector,
    "unit": _C.unit,
    "owner": _C.owner,
    "rule": _C.rule,
    "entity": _C.entity_key,
}
# What the index of facets holds; and what finds few rows by an index of its own.
_FACETED: Final = frozenset(
    ("parent", "state", "snoozed_until", "rank", "detector", "unit", "owner", "rule", "entity_key")
) | {"latest", "count"}
_SELECTIVE: Final = frozenset({"id", "rule", "owner", "entity_key", "latest"})


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """Groups that share a value: how many, their alerts, the worst severity, the last alert.

    ``hosts`` and ``users`` are how many different ones the groups are about, by their entities (a login is
    about a user and a host); None of single entities, and where there are more groups than are looked at
    one by one.
    """

    value: str
    title: Words | None  # of a rule
    groups: int
    alerts: int
    worst: str
    severities: dict[str, int]
    latest: datetime
    hosts: int | None = None
    users: int | None = None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A page: its rows, the cursor behind them ('' at the end), and how many rows the filter holds.

    ``total`` is None where that is not known yet, and more than BROAD_ROWS.
    """

    rows: list[AlertGroup]
    next: str
    total: int | None


def read_page(
    connection: Connection,
    wanted: Sequence[ColumnElement[bool]],
    *,
    sort: Sort,
    cursor: str,
    offset: int,
    limit: int,
    total: int | None,
) -> Found:
    """The page; ``total`` is how many rows the filter holds, None where nobody has counted them.

    A broad filter is walked along the index that has its rows sorted, and stops when the page is full;
    the rows of a narrow one are all found at once, and so counted. Raises BadInput (alert-cursor,
    alert-argument).
    """
    if sort not in SORTS:
        raise bad_argument("sort", sort, SORTS)
    place = tuple(_place(cursor, sort)) if cursor else None
    limit = max(1, min(limit, PAGE_MAX))
    most = COLD_ROWS if sort == "risk" and CLOSED_ROWS in map(str, wanted) else BROAD_ROWS
    if total is None or total <= most:
        places = _places(connection, wanted, sort, most)
        if len(places) <= most:
            behind = [one for one in places if place is None or one < place]
            shown = _rows(connection, behind[offset : offset + limit])
            more = len(behind) > offset + limit
            return Found(
                rows=shown, next=_cursor(behind[offset + limit - 1]) if more else "", total=len(places)
            )
    query = _walk(wanted, sort, place).offset(offset or None).limit(limit + 1)
    found = connection.execute(query).mappings().all()
    last = [found[limit - 1][f"place_{at}"] for at in range(len(_ORDERS[sort]))] if len(found) > limit else []
    shown = [group_of(row) for row in found[:limit]]
    return Found(rows=with_members(connection, shown), next=_cursor(last) if last else "", total=total)


def _walk(wanted: Sequence[ColumnElement[bool]], sort: Sort, place: Sequence[Any] | None) -> Select[Any]:
    """The rows behind a place, in order, along indexes: SQLite would rather collect and sort all of them."""
    order = _ORDERS[sort]
    query = groups_with_heat().add_columns(*(one.label(f"place_{at}") for at, one in enumerate(order)))
    query = query.where(*wanted).order_by(*(column.desc() for column in order))
    if place is not None:
        query = query.where(tuple_(*order) < tuple_(*map(literal, place)))
    if sort == "risk":
        query = query.select_from(entity_heats.join(alert_groups, ABOUT))
        if place is not None:  # what the index of heats is entered by
            query = query.where(tuple_(*order[:2]) <= tuple_(*map(literal, place[:2])))
        query = query.with_hint(entity_heats, "INDEXED BY ix_entity_heats_heat", "sqlite")
        return query.with_hint(alert_groups, "INDEXED BY ix_alert_groups_entity", "sqlite")
    if walked := _walked(wanted, order[0].name):
        query = query.with_hint(alert_groups, f"INDEXED BY {walked}", "sqlite")
    return query


def read_count(connection: Connection, wanted: Sequence[ColumnElement[bool]]) -> int:
    """How many rows the filter holds, exactly."""
    return connection.scalar(_scanned(select(func.count()).select_from(alert_groups), wanted)) or 0


def is_dear(wanted: Sequence[ColumnElement[bool]]) -> bool:
    """Whether counting must read whole rows: the filter asks for more than the index of facets holds."""
    return not _columns(wanted) <= _FACETED


def _places(
    connection: Connection, wanted: Sequence[ColumnElement[bool]], sort: Sort, most: int
) -> list[tuple[Any, ...]]:
    """Where the rows of the filter stand, first to last; more than one too many are not looked for."""
    query = select(*_ORDERS[sort])
    if sort == "risk":
        query = query.select_from(alert_groups.join(entity_heats, ABOUT))
    found = connection.execute(_scanned(query, wanted).limit(most + 1))
    return sorted((tuple(row) for row in found), reverse=True)


def _rows(connection: Connection, places: Sequence[tuple[Any, ...]]) -> list[AlertGroup]:
    found = {}
    if places:
        query = groups_with_heat().where(_C.id.in_([place[-1] for place in places]))
        found = {row["id"]: group_of(row) for row in connection.execute(query).mappings()}
    return with_members(connection, [found[place[-1]] for place in places if place[-1] in found])


def _scanned(query: Select[Any], wanted: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """Rows in the order they lie where whole rows are read anyhow: SQLite would jump there and back."""
    query = query.where(*wanted)
    if is_dear(wanted) and not _columns(wanted) & _SELECTIVE:
        return query.with_hint(alert_groups, "NOT INDEXED", "sqlite")
    return query


def _columns(wanted: Sequence[ColumnElement[bool]]) -> set[str]:
    return {one.name for term in wanted for one in visitors.iterate(term) if isinstance(one, Column)}


def _walked(wanted: Sequence[ColumnElement[bool]], name: str) -> str:
    """The index that has the rows of the filter sorted by the column, '' where none has."""
    said = {str(term) for term in wanted}
    if OPEN_ROWS in said:
        return f"ix_alert_groups_open_{name}"
    if said.isdisjoint({TOP_ROWS, CLOSED_ROWS}):
        return ""
    if name == "latest":
        return f"ix_alert_groups_{'closed_latest' if CLOSED_ROWS in said else 'latest_id'}"
    return f"ix_alert_groups_top_{name}"


def read_buckets(
    connection: Connection, wanted: Sequence[ColumnElement[bool]], by: Facet, *, limit: int = BUCKETS_MAX
) -> list[Bucket]:
    """The rows of the filter by the values of a field, most groups first. Raises BadInput."""
    if by not in FACETS:
        raise bad_argument("by", by, FACETS)
    column = _BUCKETED[by]
    counted: Select[Any] = select(
        column.label("value"),
        _C.rank,
        func.count().label("groups"),
        func.sum(_C.count).label("alerts"),
        func.max(_C.latest).label("latest"),
    )
    parts = _scanned(counted, wanted).group_by(column, _C.rank).cte("parts").prefix_with("MATERIALIZED")
    value = parts.c.value
    often = select(value).group_by(value).order_by(func.sum(parts.c.groups).desc(), value).limit(limit)
    rows = connection.execute(select(parts).where(value.in_(often))).all()
    gathered: dict[str, list[Row[Any]]] = {}
    for row in rows:
        gathered.setdefault(_shown(by, row.value), []).append(row)
    buckets = [_bucket(value, some) for value, some in gathered.items()]
    if by != "entity" and sum(bucket.groups for bucket in buckets) <= UNIQUE_ROWS:
        unique = _scanned(select(column.label("value"), *_named(_C.unit, _C.entity_key)), wanted)
        named = {_shown(by, row[0]): row for row in connection.execute(unique.group_by(column))}
        buckets = [
            msgspec.structs.replace(one, hosts=named[one.value][1], users=named[one.value][2])
            for one in buckets
            if one.value in named
        ]
    buckets.sort(key=lambda one: (-one.groups, one.value))
    return _titled(connection, buckets[:limit]) if by == "rule" else buckets[:limit]


def _named(
    unit: ColumnElement[str], key: ColumnElement[str]
) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """How many hosts and users of units the entities name, as host:NAME, user:NAME and user:NAME@HOST."""
    at = func.length(func.rtrim(key, func.replace(key, "@", "")))  # of the last @, 0 where there is none
    is_host, is_user = key.startswith("host:"), key.startswith("user:")
    ends = case((at > 0, at - 1), else_=func.length(key))
    host = case((is_host, func.substr(key, 6)), (is_user & (at > 0), func.substr(key, at + 1)))
    user = case((is_user, func.substr(key, 6, ends - 5)))
    apart = unit + " "  # hosts of two units may have one name
    return func.count((apart + host).distinct()), func.count((apart + user).distinct())


def _bucket(value: str, rows: Sequence[Row[Any]]) -> Bucket:
    return Bucket(
        value=value,
        title=None,
        groups=sum(row.groups for row in rows),
        alerts=int(sum(row.alerts for row in rows)),
        worst=SEVERITIES[max(row.rank for row in rows)],
        severities={SEVERITIES[row.rank]: row.groups for row in rows},
        latest=from_micros(max(row.latest for row in rows)),
    )


def _titled(connection: Connection, buckets: Sequence[Bucket]) -> list[Bucket]:
    titled = []
    for bucket in buckets:
        newest = select(_C.title_zh, _C.title_en).where(_C.rule == bucket.value)
        row = connection.execute(newest.order_by(_C.latest.desc()).limit(1)).first()
        title = Words(row.title_zh, row.title_en) if row else None
        titled.append(msgspec.structs.replace(bucket, title=title))
    return titled


def _shown(by: Facet, value: Any) -> str:
    return SEVERITIES[value] if by == "severity" else str(value)


def _written(value: object) -> str:
    return value.hex().replace(".", "_") if isinstance(value, float) else str(value)


def _cursor(place: Sequence[Any]) -> str:
    return ".".join([*map(_written, place[:-1]), place[-1]])


def _place(cursor: str, sort: Sort) -> list[Any]:
    *numbers, identifier = cursor.split(".")
    wanted = len(_ORDERS[sort]) - 1
    try:
        if len(numbers) != wanted or not 0 < len(identifier) <= 64 or not cursor.isascii():
            raise ValueError
        place = [float.fromhex(n.replace("_", ".")) if "x" in n else _whole(n) for n in numbers]
        if not all(math.isfinite(number) for number in place):
            raise ValueError
    except (ValueError, OverflowError):
        raise BadInput(
            "alert-cursor",
            Words("翻页标记无效", "the page cursor is not valid"),
            Words("请从第一页重新查询", "query again from the first page"),
            field="cursor",
        ) from None
    return [*place, identifier]


def _whole(text: str) -> int:
    if not text.isdigit() or len(text) > 18:
        raise ValueError
    return int(text)
