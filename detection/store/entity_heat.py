"""The risk of each entity, kept with every change of its groups: one row of ``entity_heats`` per entity.

An entity is one of a unit: hosts of two units may have one name. What counts: every group about it that is
not judged harmless, open or not, asleep, merged or not. A group closed as false, harmless or a test no
longer counts from the moment it is closed, and again when that is undone or it is reopened; a true one
counts on and fades. The row is worked out anew from its groups, never added to or taken from, so no order
of commits, acts and replays leaves it wrong. Everything here runs inside an open transaction.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any, Final

from sqlalchemy import Connection, ScalarSelect, Select, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql

from detection.risk import COLD, summed
from detection.store.tables import alert_groups, entity_heats

HARMLESS: Final = ("false_positive", "benign_positive", "test")
Entity = tuple[str, str]  # its unit, its name in lower case
_CHUNK: Final = 500  # names in one IN (...): below SQLite's limit of 999 in old builds

_C: Final = alert_groups.c
_H: Final = entity_heats.c
ABOUT: Final = (_H.entity_key == _C.entity_key) & (_H.unit == _C.unit)
_heat: Final[ScalarSelect[Any]] = select(_H.heat).where(ABOUT).correlate(alert_groups).scalar_subquery()
_CHANGE: Final = update(entity_heats).where(_H.id == bindparam("about")).values(heat=bindparam("now"))


def groups_with_heat() -> Select[Any]:
    """The rows of the queue, each with the heat of its entity as ``entity_heat``."""
    return select(alert_groups, func.coalesce(_heat, COLD).label("entity_heat"))


def settle(connection: Connection, entities: Collection[Entity]) -> None:
    """Work out the risk of entities whose groups changed; those not known yet are made.

    Their rows are locked before the groups are read: of two transactions about one entity, the second
    one sees what the first one wrote.
    """
    wanted = sorted(set(entities))
    for start in range(0, len(wanted), _CHUNK):
        some = wanted[start : start + _CHUNK]
        known = _locked(connection, some)
        if missing := [entity for entity in some if entity not in known]:
            _make(connection, missing)
            known |= _locked(connection, missing)
        before = dict(known.values())
        counted: dict[int, list[float]] = defaultdict(list)
        query = select(_H.id, _C.heat).join(alert_groups, ABOUT)
        query = query.where(_H.id.in_(before), _C.classification.not_in(HARMLESS))
        for identifier, heat in connection.execute(query):
            counted[identifier].append(heat)
        after = {identifier: summed(counted[identifier]) for identifier in before}
        changed = [
            {"about": identifier, "now": heat}
            for identifier, heat in after.items()
            if heat != before[identifier]
        ]
        if changed:
            connection.execute(_CHANGE, changed)


def _locked(connection: Connection, entities: Iterable[Entity]) -> dict[Entity, tuple[int, float]]:
    """The rows that are there, locked until commit; by name alone, which finds them in the index."""
    wanted = set(entities)
    query = select(entity_heats).where(_H.entity_key.in_(sorted({key for _, key in wanted})))
    rows = connection.execute(query.order_by(_H.id).with_for_update())
    return {
        (row.unit, row.entity_key): (row.id, row.heat) for row in rows if (row.unit, row.entity_key) in wanted
    }


def _make(connection: Connection, entities: Iterable[Entity]) -> None:
    rows = [{"unit": unit, "entity_key": key, "heat": COLD} for unit, key in entities]
    if connection.dialect.name == "postgresql":  # somebody else may make them in this moment
        connection.execute(postgresql.insert(entity_heats).on_conflict_do_nothing(), rows)
    else:
        connection.execute(insert(entity_heats), rows)
