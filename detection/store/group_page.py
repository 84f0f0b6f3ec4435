"""Pages of the queue in any order, how many rows there are, and what they are made of.

A page is found from the cursor of another one and an offset, so that a list of 100,000 rows can be looked at
anywhere; groups that change meanwhile move to the front and are shown there.
"""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal, get_args

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, func, literal, select, tuple_

from crypto.words import BadInput, Words
from detection.alert import SEVERITIES
from detection.store.alert_group import AlertGroup
from detection.store.group_query import bad_argument
from detection.store.group_store import group_of, with_members
from detection.store.tables import OPEN_ROWS, alert_groups, from_micros

Sort = Literal["latest", "risk", "count", "severity"]
Facet = Literal["severity", "state", "detector", "unit", "owner", "rule", "entity"]
SORTS: Final[tuple[Sort, ...]] = get_args(Sort)
FACETS: Final[tuple[Facet, ...]] = get_args(Facet)
PAGE_MAX: Final = 500
BUCKETS_MAX: Final = 500
BROAD_ROWS: Final = 2_000  # more than these are not sorted for a page

_C: Final = alert_groups.c
_SORTED: Final[dict[Sort, ColumnElement[Any]]] = {
    "latest": _C.latest,
    "risk": _C.heat,
    "count": _C.count,
    "severity": _C.rank,
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


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """Groups that share a value: how many, their alerts, the worst severity, the last alert."""

    value: str
    title: Words | None  # of a rule
    groups: int
    alerts: int
    worst: str
    severities: dict[str, int]
    latest: datetime


def read_page(
    connection: Connection,
    wanted: Sequence[ColumnElement[bool]],
    *,
    sort: Sort,
    cursor: str,
    offset: int,
    limit: int,
    total: int,
) -> tuple[list[AlertGroup], str]:
    """The rows and the cursor behind them, '' at the end; ``total`` is how many the filter holds.

    Raises BadInput (alert-cursor, alert-argument).
    """
    if sort not in SORTS:
        raise bad_argument("sort", sort, SORTS)
    order = _order(sort)
    query = select(alert_groups).where(*wanted).order_by(*(column.desc() for column in order))
    if total > BROAD_ROWS and any(str(term) == OPEN_ROWS for term in wanted):
        # SQLite would rather collect and sort all rows than walk the index that has them sorted.
        query = query.with_hint(alert_groups, f"INDEXED BY ix_alert_groups_open_{order[0].name}", "sqlite")
    if cursor:
        place = _place(cursor, sort)
        query = query.where(tuple_(*order) < tuple_(*map(literal, place)))
    limit = max(1, min(limit, PAGE_MAX))
    if not total:
        return [], ""
    found = connection.execute(query.offset(offset or None).limit(limit + 1)).mappings().all()
    shown = [group_of(row) for row in found[:limit]]
    following = ""
    if len(found) > limit:
        last = found[limit - 1]
        following = ".".join([*(_written(last[column.name]) for column in order[:-1]), last["id"]])
    return with_members(connection, shown), following


def read_count(connection: Connection, wanted: Sequence[ColumnElement[bool]]) -> int:
    """How many rows the filter holds, exactly."""
    return connection.scalar(select(func.count()).select_from(alert_groups).where(*wanted)) or 0


def read_buckets(
    connection: Connection, wanted: Sequence[ColumnElement[bool]], by: Facet, *, limit: int = BUCKETS_MAX
) -> list[Bucket]:
    """The rows of the filter by the values of a field, most groups first. Raises BadInput."""
    if by not in FACETS:
        raise bad_argument("by", by, FACETS)
    column = _BUCKETED[by]
    often = select(column).where(*wanted).group_by(column).order_by(func.count().desc(), column)
    counted: Select[Any] = (
        select(
            column.label("value"),
            _C.rank,
            func.count().label("groups"),
            func.sum(_C.count).label("alerts"),
            func.max(_C.latest).label("latest"),
        )
        .where(*wanted, column.in_(often.limit(limit)))
        .group_by(column, _C.rank)
    )
    gathered: dict[str, list[Row[Any]]] = {}
    for row in connection.execute(counted):
        gathered.setdefault(_shown(by, row.value), []).append(row)
    buckets = [_bucket(value, rows) for value, rows in gathered.items()]
    buckets.sort(key=lambda one: (-one.groups, one.value))
    return _titled(connection, buckets[:limit]) if by == "rule" else buckets[:limit]


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


def _order(sort: Sort) -> list[ColumnElement[Any]]:
    return [_C.latest, _C.id] if sort == "latest" else [_SORTED[sort], _C.latest, _C.id]


def _written(value: object) -> str:
    return value.hex().replace(".", "_") if isinstance(value, float) else str(value)


def _place(cursor: str, sort: Sort) -> list[Any]:
    *numbers, identifier = cursor.split(".")
    wanted = len(_order(sort)) - 1
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
