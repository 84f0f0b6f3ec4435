"""Audit around an action: a line before it, and a second one where it was not done after all."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from crypto.words import LiuheError
from soc_api.audit import entry
from soc_api.context import Center
from soc_api.identity import Visit

ACCEPTED: Final = "accepted"


@contextmanager
def recorded(center: Center, visit: Visit, action: str, about: str) -> Iterator[None]:
    """Tell of an action before it is done. Raises LiuheError (audit-unwritable): then it is not begun."""
    _tell(center, visit, action, about, ACCEPTED)
    try:
        yield
    except Exception as error:
        code = error.code if isinstance(error, LiuheError) else "internal"
        _tell(center, visit, action, about, f"failed: {code}")
        raise


def _tell(center: Center, visit: Visit, action: str, about: str, result: str) -> None:
    center.audit.record(
        entry(
            time=center.clock(),
            actor=visit.actor,
            source=visit.source,
            action=action,
            about=about,
            result=result,
        )
    )
