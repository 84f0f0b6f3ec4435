"""Versions of rules' switches, gates' release and retention, each with its second person (P-31).

What can be undone holds at once but provisionally: another person confirms it within a day, or it is undone
by itself. What cannot be undone (a shorter retention deletes) waits until another person has agreed. A change
upon one that is not confirmed gets no day of its own, and who was not agreed with does not try again alone.

waiting -> confirmed | refused          provisional -> confirmed | refused | expired          recorded
"""

import difflib
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import msgspec
from sqlalchemy import Engine, RowMapping, insert, select, update

from crypto.words import Refused, Words
from detection.store.state import writing
from detection.store.tables import from_micros, micros
from soc_api.change_tables import config_changes as changes

Kind = Literal["rule", "gates", "retention", "support"]
State = Literal["waiting", "provisional", "confirmed", "refused", "expired", "recorded"]
CONFIRM_WITHIN: Final = timedelta(hours=24)
ALONE_AGAIN_AFTER: Final = timedelta(days=7)
ROWS_MAX: Final = 1_000
OPEN: Final = ("waiting", "provisional")
_encode: Final = msgspec.json.Encoder(order="sorted").encode


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One version: what it was, what it became, who asked and who agreed."""

    id: int
    kind: Kind
    about: str
    before: Any
    after: Any
    reason: str
    author: str
    time: datetime
    state: State
    due: datetime | None
    decider: str
    note: str
    decided: datetime | None

    def diff(self) -> str:
        """As a unified diff."""
        return "".join(
            difflib.unified_diff(
                _lines(self.before), _lines(self.after), f"{self.about} before", f"{self.about} after"
            )
        )


class ChangeStore:
    """Safe to share between threads and processes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(
        self,
        kind: Kind,
        about: str,
        before: Any,
        after: Any,
        *,
        reason: str,
        author: str,
        now: datetime,
        state: State = "provisional",
        due: datetime | None = None,
    ) -> Change:
        """Keep a version; a provisional one is due in a day, or with the unconfirmed one it changes."""
        if state == "provisional" and due is None:
            held = [one.due for one in self.of(about) if one.state == "provisional" and one.due is not None]
            due = min([*held, now + CONFIRM_WITHIN])
        values = {"kind": kind, "about": about[:256], "reason": reason, "author": author, "state": state}
        values |= {"before": _encode(before).decode(), "after": _encode(after).decode()}
        row = {**values, "time": micros(now), "due": None if due is None else micros(due)}
        with writing(self._engine) as connection:
            key = connection.execute(insert(changes).values(row)).inserted_primary_key
        assert key is not None
        return self.change(int(key[0]))

    def change(self, number: int) -> Change:
        """One of them. Raises Refused (change-not-found)."""
        with self._engine.connect() as connection:
            row = connection.execute(select(changes).where(changes.c.id == number)).mappings().first()
        if row is None:
            raise Refused(
                "change-not-found",
                Words("没有这项变更", "there is no such change"),
                Words("请刷新列表", "reload the list"),
                field=str(number),
            )
        return _change(row)

    def rows(self, *, kind: Kind | None = None, states: tuple[State, ...] = ()) -> list[Change]:
        """The newest first."""
        query = select(changes).order_by(changes.c.id.desc()).limit(ROWS_MAX)
        if kind is not None:
            query = query.where(changes.c.kind == kind)
        if states:
            query = query.where(changes.c.state.in_(states))
        with self._engine.connect() as connection:
            return [_change(row) for row in connection.execute(query).mappings()]

    def of(self, about: str) -> list[Change]:
        """Every version of one thing, the newest first."""
        query = select(changes).where(changes.c.about == about[:256]).order_by(changes.c.id.desc())
        with self._engine.connect() as connection:
            return [_change(row) for row in connection.execute(query.limit(ROWS_MAX)).mappings()]

    def refuse_again(self, about: str, author: str, now: datetime) -> None:
        """Return unless ``author`` changed it of late and nobody agreed. Raises Refused (change-again)."""
        for one in self.of(about):
            if one.state == "confirmed":
                return
            failed = one.state in ("expired", "refused") and one.decided is not None
            if failed and one.author == author and now < (one.decided or now) + ALONE_AGAIN_AFTER:
                raise Refused(
                    "change-again",
                    Words(
                        f"您对此的上次变更未获第二人确认,{ALONE_AGAIN_AFTER.days} 天内不能再次单独变更",
                        f"nobody confirmed your last change of it: not within {ALONE_AGAIN_AFTER.days} days",
                    ),
                    Words("请由另一人提出", "have another person ask for it"),
                    field=about,
                )

    def decide(self, number: int, approve: bool, *, decider: str, note: str, now: datetime) -> Change:
        """Confirm or refuse one that is open. Raises Refused (change-not-found, change-own, change-state)."""
        found = self.change(number)
        if found.author == decider:
            raise Refused(
                "change-own",
                Words("不能复核自己所作的变更", "nobody confirms a change of one's own"),
                Words("请由另一人复核", "ask another person"),
            )
        state: State = "confirmed" if approve else "refused"
        self._end(number, state, decider=decider, note=note, now=now)
        return self.change(number)

    def expire(self, number: int, now: datetime) -> None:
        """Nobody confirmed it in time. Raises Refused (change-state)."""
        self._end(number, "expired", decider="", note="", now=now)

    def _end(self, number: int, state: State, *, decider: str, note: str, now: datetime) -> None:
        values = {"state": state, "decider": decider, "note": note, "decided": micros(now)}
        with writing(self._engine) as connection:
            open_one = changes.c.id == number, changes.c.state.in_(OPEN)
            if not connection.execute(update(changes).where(*open_one).values(**values)).rowcount:
                raise Refused(
                    "change-state",
                    Words("该变更已有结论", "the change has been decided about already"),
                    Words("可能他人刚刚操作,请刷新", "somebody else may just have acted, reload"),
                )


def _lines(value: Any) -> list[str]:
    return [f"{line}\n" for line in msgspec.json.format(_encode(value), indent=2).decode().splitlines()]


def _change(row: RowMapping) -> Change:
    values = dict(row)
    for name in ("before", "after"):
        values[name] = msgspec.json.decode(values[name])
    for name in ("time", "due", "decided"):
        values[name] = None if values[name] is None else from_micros(values[name])
    return Change(**values)
