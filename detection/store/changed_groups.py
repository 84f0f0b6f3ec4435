"""Alert groups in the order they changed: what a program that follows the queue reads, and webhooks send."""

from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Engine, and_, or_

from detection.store.alert_group import AlertGroup
from detection.store.entity_heat import groups_with_heat
from detection.store.group_query import GroupFilter, narrowed
from detection.store.group_store import group_of
from detection.store.tables import alert_groups

ROWS_MAX: Final = 500

Place = tuple[int, str]  # of a change: the revision and the group's id
START: Final[Place] = (0, "")


class Changes(msgspec.Struct, frozen=True):
    """Groups as they are now, each at its last change; ``place`` is where to go on, the same at the end."""

    rows: tuple[AlertGroup, ...]
    place: Place


def changed_groups(engine: Engine, after: Place, wanted: GroupFilter, now: datetime, limit: int) -> Changes:
    """The groups of the filter that changed after a place. Raises BadInput as the filter does."""
    columns = alert_groups.c
    later = or_(columns.revision > after[0], and_(columns.revision == after[0], columns.id > after[1]))
    query = groups_with_heat().where(later, *narrowed(wanted, now)).order_by(columns.revision, columns.id)
    with engine.connect() as connection:
        found = connection.execute(query.limit(max(1, min(limit, ROWS_MAX)))).mappings()
        rows = tuple(group_of(row) for row in found)
    return Changes(rows, (rows[-1].revision, rows[-1].id) if rows else after)
