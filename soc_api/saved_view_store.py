"""Saved views of the queue and of the hunt, and the people alerts can be assigned to."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

import msgspec
from sqlalchemy import ColumnElement, Engine, delete, func, insert, or_, select, update

from crypto.words import Refused, Words
from detection.store.state import writing
from detection.store.tables import from_micros, micros
from soc_api.saved_view_tables import saved_views
from soc_api.tables import accounts

Page = Literal["alerts", "hunt"]
VIEWS_MAX: Final = 100  # of one person on one page


class SavedView(msgspec.Struct, frozen=True, kw_only=True):
    """A name for an address of a page; ``role`` is whom it is shared with, ``time`` when it was saved."""

    id: int = 0
    name: str
    owner: str
    role: str
    unit: str
    settings: str
    time: datetime


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who has an account."""

    username: str
    display_name: str
    role: str
    unit: str


class SavedViewStore:
    """Views of one page, and people, in one state database; safe to share between threads."""

    def __init__(self, engine: Engine, page: Page) -> None:
        self._engine = engine
        self._page = page

    def views(self, owner: str, role: str, unit: str) -> Sequence[SavedView]:
        """Those a person saved, and those shared with the role within the unit; by name."""
        columns = saved_views.c
        shared = (columns.role == role) & (columns.unit == unit)
        query = select(saved_views).where(columns.page == self._page, or_(columns.owner == owner, shared))
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(columns.name, columns.id)).mappings().all()
        names = SavedView.__struct_fields__
        return [
            SavedView(**{name: row[name] for name in names} | {"time": from_micros(row["time"])})
            for row in rows
        ]

    def save(self, view: SavedView) -> int:
        """Keep a new view, in the place of the owner's own of that name. Raises Refused (view-full)."""
        mine = (saved_views.c.owner == view.owner) & (saved_views.c.page == self._page)
        values = msgspec.structs.asdict(view) | {"page": self._page, "time": micros(view.time)}
        del values["id"]
        with writing(self._engine) as connection:
            connection.execute(delete(saved_views).where(mine, saved_views.c.name == view.name))
            if (connection.scalar(select(func.count()).where(mine)) or 0) >= VIEWS_MAX:
                raise Refused(
                    "view-full",
                    Words(f"最多保存 {VIEWS_MAX} 个视图", f"{VIEWS_MAX} views at most"),
                    Words("请先删除不用的视图", "delete views that are not used"),
                )
            made = connection.execute(insert(saved_views).values(**values))
            key = made.inserted_primary_key
            assert key is not None
            return int(key[0])

    def share(self, view: int, owner: str, role: str) -> None:
        """Let a role of the owner's unit see one's own view. Raises Refused (view-not-found)."""
        with writing(self._engine) as connection:
            mine = self._own(view, owner)
            if not connection.execute(update(saved_views).where(*mine).values(role=role)).rowcount:
                raise _not_found()

    def forget(self, view: int, owner: str) -> None:
        """Delete one's own view. Raises Refused (view-not-found)."""
        with writing(self._engine) as connection:
            mine = self._own(view, owner)
            if not connection.execute(delete(saved_views).where(*mine)).rowcount:
                raise _not_found()

    def people(self, roles: Sequence[str]) -> Sequence[Person]:
        """Accounts in use with one of the roles, by name."""
        columns = accounts.c
        query = select(columns.username, columns.display_name, columns.role, columns.unit)
        wanted = query.where(columns.role.in_(roles), ~columns.disabled)
        with self._engine.connect() as connection:
            rows = connection.execute(wanted.order_by(columns.display_name, columns.username)).mappings()
            return [Person(**row) for row in rows]

    def _own(self, view: int, owner: str) -> list[ColumnElement[bool]]:
        columns = saved_views.c
        return [columns.id == view, columns.owner == owner, columns.page == self._page]


def _not_found() -> Refused:
    return Refused(
        "view-not-found",
        Words("没有这个视图,或不是您保存的", "there is no such view, or it is not yours"),
        Words("请刷新后重试", "reload and try again"),
    )
