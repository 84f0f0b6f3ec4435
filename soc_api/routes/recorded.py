"""Audit around an action: a line before it, and a second one where it was not done after all."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from crypto.words import LiuheError
from soc_api.audit import entry, state_digest
from soc_api.context import Center
from soc_api.identity import Visit

ACCEPTED: Final = "accepted"
DONE: Final = "done"


def taken(visit: Visit, now: datetime) -> str:
    """Who took a file and when, for the name of one that goes out byte for byte (P-33)."""
    return f"{visit.account.username}-{now:%Y%m%dT%H%M%SZ}"


class Act:
    """An action under way: what it made of its object may be told of it."""

    def __init__(self) -> None:
        self.states: tuple[str, str] | None = None

    def changed(self, before: Any, after: Any) -> None:
        """The object before and after, None where it was not there; the line keeps their SM3."""
        self.states = state_digest(before), state_digest(after)


@contextmanager
def recorded(center: Center, visit: Visit, action: str, about: str) -> Iterator[Act]:
    """Tell of an action before it is done. Raises LiuheError (audit-unwritable): then it is not begun.

    Where the action tells what it ``changed``, a second line carries the digests.
    """
    _tell(center, visit, action, about, ACCEPTED)
    act = Act()
    try:
        yield act
    except Exception as error:
        code = error.code if isinstance(error, LiuheError) else "internal"
        _tell(center, visit, action, about, f"failed: {code}")
        raise
    if act.states is not None:
        _tell(center, visit, action, about, DONE, act.states)


def _tell(
    center: Center,
    visit: Visit,
    action: str,
    about: str,
    result: str,
    states: tuple[str, str] = ("", ""),
) -> None:
    center.audit.record(
        entry(
            time=center.clock(),
            actor=visit.actor,
            source=visit.source,
            action=action,
            about=about,
            result=result,
            before=states[0],
            after=states[1],
        )
    )
