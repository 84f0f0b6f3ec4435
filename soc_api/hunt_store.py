"""Saved views of the hunt page, and drafts of rules, in the state database."""

from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Engine, RowMapping, func, insert, select, update

from crypto.words import BadInput, Refused, Words
from detection.store.progress_store import bump
from detection.store.state import writing
from detection.store.tables import from_micros, micros
from soc_api.hunt_tables import rule_drafts as drafts
from soc_api.saved_view_store import SavedView, SavedViewStore

SETTINGS_CHARS_MAX: Final = 8_192
DRAFTS_MAX: Final = 200  # shown, and waiting of one person

_encode: Final = msgspec.json.Encoder(order="sorted").encode
_settings: Final = msgspec.json.Decoder(dict[str, str])


class HuntView(msgspec.Struct, frozen=True, kw_only=True):
    """A saved view; ``own``: of the person who asks."""

    id: int
    name: str
    owner: str
    shared: bool
    own: bool
    settings: dict[str, str]
    time: datetime


class RuleDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that waits for a decision, or has one."""

    id: int
    rule: str
    title: str
    text: str
    author: str
    unit: str
    time: datetime
    state: str
    decider: str
    reason: str
    decided: datetime | None


class HuntStore:
    """Safe to share between threads and processes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._views = SavedViewStore(engine, "hunt")

    def views(self, owner: str, role: str, unit: str) -> list[HuntView]:
        """One's own, and those shared with the role within the unit, by name."""
        return [_view(view, owner) for view in self._views.views(owner, role, unit)]

    def save_view(
        self, name: str, settings: dict[str, str], *, owner: str, role: str, unit: str, now: datetime
    ) -> HuntView:
        """Keep a view; '' as ``role`` shares it with nobody. One of the same name and owner is replaced.

        Raises BadInput (view-size), Refused (view-full).
        """
        text = _encode(settings).decode()
        if len(text) > SETTINGS_CHARS_MAX or not name.strip():
            raise BadInput(
                "view-size",
                Words("视图的名称为空,或内容过大", "the view has no name, or holds too much"),
                Words("请起个名称,缩短语句", "name it, and shorten its query"),
                field="settings",
            )
        view = SavedView(name=name.strip(), owner=owner, role=role, unit=unit, settings=text, time=now)
        return _view(msgspec.structs.replace(view, id=self._views.save(view)), owner)

    def remove_view(self, view: int, owner: str) -> None:
        """Forget one of one's own. Raises Refused (view-not-found)."""
        self._views.forget(view, owner)

    def drafts(self, units: frozenset[str] | None = None) -> list[RuleDraft]:
        """The newest drafts of some units (None: of all)."""
        query = select(drafts).order_by(drafts.c.id.desc()).limit(DRAFTS_MAX)
        if units is not None:
            query = query.where(drafts.c.unit.in_(units))
        with self._engine.connect() as connection:
            return [_draft(row) for row in connection.execute(query).mappings()]

    def draft(self, number: int) -> RuleDraft:
        """One of them. Raises Refused (draft-not-found)."""
        with self._engine.connect() as connection:
            row = connection.execute(select(drafts).where(drafts.c.id == number)).mappings().first()
        if row is None:
            raise Refused(
                "draft-not-found",
                Words("没有这个规则草稿", "there is no such draft"),
                Words("请刷新列表", "reload the list"),
                field=str(number),
            )
        return _draft(row)

    def save_draft(
        self, rule: str, title: str, text: str, *, author: str, unit: str, now: datetime
    ) -> RuleDraft:
        """Keep a draft. Raises Refused (drafts-full) where one person has too many waiting."""
        waiting = select(func.count()).select_from(drafts)
        waiting = waiting.where(drafts.c.author == author, drafts.c.state == "draft")
        with writing(self._engine) as connection:
            if (connection.scalar(waiting) or 0) >= DRAFTS_MAX:
                raise Refused(
                    "drafts-full",
                    Words("待审定的草稿太多", "too many drafts wait for a decision"),
                    Words("请先请安全管理员审定", "ask the security administrator to decide about them"),
                )
            values = {"rule": rule, "title": title, "text": text, "author": author, "unit": unit}
            key = connection.execute(insert(drafts).values(time=micros(now), **values)).inserted_primary_key
            bump(connection, "rules")
        assert key is not None
        return self.draft(int(key[0]))

    def decide_draft(self, number: int, state: str, *, decider: str, reason: str, now: datetime) -> RuleDraft:
        """Accept or refuse one that waits. Raises Refused (draft-not-found, draft-state, draft-own)."""
        before = self.draft(number)
        if before.author == decider:
            raise Refused(
                "draft-own",
                Words("不能审定自己起草的规则", "nobody decides about a draft of one's own"),
                Words("请由另一位安全管理员审定", "ask another security administrator"),
            )
        values = {"state": state, "decider": decider, "reason": reason, "decided": micros(now)}
        with writing(self._engine) as connection:
            done = connection.execute(
                update(drafts).where(drafts.c.id == number, drafts.c.state == "draft").values(**values)
            )
            if not done.rowcount:
                raise Refused(
                    "draft-state",
                    Words("该草稿已经审定", "the draft has been decided about already"),
                    Words("可能他人刚刚操作,请刷新", "somebody else may just have acted, reload"),
                )
            bump(connection, "rules")
        return self.draft(number)


def _view(view: SavedView, owner: str) -> HuntView:
    return HuntView(
        id=view.id,
        name=view.name,
        owner=view.owner,
        shared=bool(view.role),
        own=view.owner == owner,
        settings=_settings.decode(view.settings),
        time=view.time,
    )


def _draft(row: RowMapping) -> RuleDraft:
    values = dict(row)
    values["time"] = from_micros(row["time"])
    values["decided"] = None if row["decided"] is None else from_micros(row["decided"])
    return RuleDraft(**values)
