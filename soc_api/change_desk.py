"""What becomes of changes: refused or forgotten ones are undone, shorter retention begins when agreed to."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from detection.store.state import Engine
from soc_api.audit import entry
from soc_api.audit_store import AuditStore
from soc_api.change_store import OPEN, Change, ChangeStore, Kind

BEAT_SECONDS: Final = 30.0
RETENTION: Final = "storage.retention_days"
_SYSTEM: Final = "system:changes"

Undo = Callable[[Change, datetime], None]


class ChangeDesk:
    """Versions and what undoes them; safe to share between threads."""

    def __init__(
        self, engine: Engine, audit: AuditStore, undo: Mapping[Kind, Undo], begin: Mapping[Kind, Undo]
    ) -> None:
        self.store = ChangeStore(engine)
        self._audit = audit
        self._undo = undo
        self._begin = begin

    def decide(self, number: int, approve: bool, *, decider: str, note: str, now: datetime) -> Change:
        """Confirm, or refuse and undo. Raises Refused (change-not-found, change-own, change-state)."""
        before = self.store.change(number)
        after = self.store.decide(number, approve, decider=decider, note=note, now=now)
        if not approve and before.state == "provisional":
            self._undone(after, now)
        if approve and before.state == "waiting" and after.kind in self._begin:
            self._begin[after.kind](after, now)
        return after

    def beat(self, now: datetime) -> None:
        """Undo what nobody confirmed in time."""
        for one in self.store.rows(states=("provisional",)):
            if one.due is not None and one.due <= now:
                self._audit.record(
                    entry(
                        time=now,
                        actor=_SYSTEM,
                        source="local",
                        action="change.expire",
                        about=f"change:{one.id} {one.about}",
                        result="accepted",
                    )
                )
                self.store.expire(one.id, now)
                self._undone(one, now)

    def _undone(self, one: Change, now: datetime) -> None:
        """Back to what two persons last agreed to; a later change that holds decides about itself."""
        versions = self.store.of(one.about)
        later = any(other.id > one.id and other.state in ("provisional", "confirmed") for other in versions)
        if one.kind not in self._undo or later:
            return
        agreed = next((other.after for other in versions if other.state in ("confirmed", "recorded")), None)
        before = versions[-1].before if agreed is None else agreed
        self._undo[one.kind](msgspec.structs.replace(one, before=before), now)


def retention_days(store: ChangeStore, days: int) -> int:
    """The days in force when center.toml says ``days``; never fewer than a second person agreed to."""
    rows = store.rows(kind="retention")
    held = next((one for one in rows if one.state in ("confirmed", "recorded")), None)
    return days if held is None else max(days, int(held.after))


def note_retention(store: ChangeStore, days: int, now: datetime) -> int:
    """The days in force when center.toml says ``days``: longer at once, shorter once agreed to."""
    rows = store.rows(kind="retention")
    held = next((one for one in rows if one.state in ("confirmed", "recorded")), None)
    if held is None:
        store.add(
            "retention", RETENTION, None, days, reason="", author="local:center", now=now, state="recorded"
        )
        return days
    in_force = int(held.after)
    if days == in_force:
        return days
    if not any(one.state in OPEN and one.after == days for one in rows):
        store.add(
            "retention",
            RETENTION,
            in_force,
            days,
            reason="center.toml",
            author="local:center",
            now=now,
            state="recorded" if days > in_force else "waiting",
        )
    return max(days, in_force)
