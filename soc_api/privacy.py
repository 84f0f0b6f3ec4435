"""Who sees names: the roles the center's configuration names, and whoever said why, for some minutes.

A reveal belongs to one session, is kept in memory alone, and ends with the session, by hand or by time.
"""

import threading
from datetime import datetime, timedelta
from typing import Final

import msgspec

from soc_api.bodies import Role
from soc_api.identity import Visit
from soc_api.pseudonyms import Pseudonyms

MINUTES_MAX: Final = 30
REVEALS_MAX: Final = 1_000


class Reveal(msgspec.Struct, frozen=True):
    """Names are shown to one session until then, for a reason."""

    until: datetime
    reason: str


class Privacy:
    """Safe to share between threads; ``roles`` see names always ([privacy] of center.toml)."""

    def __init__(self, key: bytes, roles: frozenset[Role] = frozenset()) -> None:
        self.pseudonyms = Pseudonyms(key)
        self.roles = roles
        self._lock = threading.Lock()
        self._open: dict[str, Reveal] = {}

    def shows(self, visit: Visit, now: datetime) -> bool:
        """Whether the visitor sees names now."""
        return visit.account.role in self.roles or self.reveal_of(visit, now) is not None

    def reveal_of(self, visit: Visit, now: datetime) -> Reveal | None:
        """The session's own reveal, if it still holds."""
        found = self._open.get(visit.token_digest)
        return found if found is not None and now < found.until else None

    def reveal(self, visit: Visit, reason: str, minutes: int, now: datetime) -> Reveal:
        """Show names to this session for some minutes, no longer than it lasts."""
        until = min(now + timedelta(minutes=min(minutes, MINUTES_MAX)), visit.expires)
        with self._lock:
            held = {name: one for name, one in self._open.items() if now < one.until}
            while len(held) >= REVEALS_MAX:
                del held[next(iter(held))]
            held[visit.token_digest] = made = Reveal(until, reason)
            self._open = held
        return made

    def hide(self, visit: Visit) -> None:
        """Show pseudonyms to this session again."""
        with self._lock:
            self._open = {name: one for name, one in self._open.items() if name != visit.token_digest}
