"""Saved views of the queue, and the people alerts can be assigned to."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Engine, delete, func, insert, or_, select, update

from crypto.words import Refused, Words
from detection.store.state import writing
from detection.store.tables import micros
from soc_api.alert_view_tables import alert_views
from soc_api.tables import accounts

VIEWS_MAX = 50  # of one person


class SavedView(msgspec.Struct, frozen=True, kw_only=True):
    """A name for an address of the queue; ``role`` is whom it is shared with."""

    id: int = 0
    name: str
    owner: str
    role: str
    unit: str
    settings: str


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who has an account."""

    username: str
    display_name: str
    role: str
    unit: str


class AlertViewStore:
    """Views and people of one state database; safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def views(self, owner: str, role: str, unit: str) -> Sequence[SavedView]:
        """Those a person saved, and those shared with the role within the unit; by name."""
        columns = alert_views.c
        shared = (columns.role == role) & (columns.unit == unit)
        query = select(alert_views).where(or_(columns.owner == owner, shared))
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(columns.name, columns.id)).mappings().all()
        names = SavedView.__struct_fields__
        return [SavedView(**{name: row[name] for name in names}) for row in rows]

    def save(self, view: SavedView, now: datetime) -> int:
        """Keep a new view, in the place of the owner's own of that name. Raises Refused (view-full)."""
        mine = alert_views.c.owner == view.owner
        values = msgspec.structs.asdict(view)
        del values["id"]
        with writing(self._engine) as connection:
            connection.execute(delete(alert_views).where(mine, alert_views.c.name == view.name))
            if (connection.scalar(select(func.count()).where(mine)) or 0) >= VIEWS_MAX:
                raise Refused(
                    "view-full",
                    Words(f"最多保存 {VIEWS_MAX} 个视图", f"{VIEWS_MAX} views at most"),
                    Words("请先删除不用的视图", "delete views that are not used"),
                )
            made = connection.execute(insert(alert_views).values(time=micros(now), **values))
            key = made.inserted_primary_key
            assert key is not None
            return int(key[0])

    def share(self, view: int, owner: str, role: str) -> None:
        """Let a role of the owner's unit see one's own view. Raises Refused (view-not-found)."""
        with writing(self._engine) as connection:
            mine = alert_views.c.id == view, alert_views.c.owner == owner
            if not connection.execute(update(alert_views).where(*mine).values(role=role)).rowcount:
                raise _not_found()

    def forget(self, view: int, owner: str) -> None:
        """Delete one's own view. Raises Refused (view-not-found)."""
        with writing(self._engine) as connection:
            mine = alert_views.c.id == view, alert_views.c.owner == owner
            if not connection.execute(delete(alert_views).where(*mine)).rowcount:
                raise _not_found()

    def people(self, roles: Sequence[str]) -> Sequence[Person]:
        """Accounts in use with one of the roles, by name."""
        columns = accounts.c
        query = select(columns.username, columns.display_name, columns.role, columns.unit)
        wanted = query.where(columns.role.in_(roles), ~columns.disabled)
        with self._engine.connect() as connection:
            rows = connection.execute(wanted.order_by(columns.display_name, columns.username)).mappings()
            return [Person(**row) for row in rows]


def _not_found() -> Refused:
    return Refused(
        "view-not-found",
        Words("没有这个视图,或不是您保存的", "there is no such view, or it is not yours"),
        Words("请刷新后重试", "reload and try again"),
    )
