"""Acts of long ago lose the list of their groups: how many were done and refused stays, and each history."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine, and_, delete, exists, select

from detection.store.act_tables import alert_act_items, alert_acts
from detection.store.state import writing
from detection.store.tables import micros

KEPT: Final = timedelta(days=30)
CHUNK_ITEMS: Final = 5_000  # deleted in one transaction


def forget_items(engine: Engine, now: datetime) -> bool:
    """Delete some items of the oldest acts that ended long ago; False where none is left."""
    acts, items = alert_acts.c, alert_act_items.c
    over = acts.finished < micros(now - KEPT), acts.state.in_(("done", "undone"))
    left = exists().where(items.act == acts.id)
    with writing(engine) as connection:
        act = connection.scalar(select(acts.id).where(*over, left).order_by(acts.id).limit(1))
        if act is None:
            return False
        some = select(items.group_id).where(items.act == act).order_by(items.group_id).limit(CHUNK_ITEMS)
        connection.execute(delete(alert_act_items).where(and_(items.act == act, items.group_id.in_(some))))
    return True
