"""What events brought lately: names of fields and values for the completion of a query."""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from detection.condition import Always, Atom, Condition, any_of
from detection.facts import Facts
from detection.store.event_store import EventStore
from detection.store.survey import Question
from sensors.event import Event

EVENTS: Final = 500  # looked at
ROWS_MAX: Final = 200  # names or values given
SECONDS_MAX: Final = 0.3  # a person is typing: better few values than late ones
_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(9999, 1, 1, tzinfo=UTC)


class Recent:
    """The newest events of some units (None: of all), as ``detection.query.completion`` asks for them."""

    def __init__(self, store: EventStore, units: frozenset[str] | None = None) -> None:
        self._store = store
        self._units = units

    def recent_names(self) -> list[tuple[str, int]]:
        """Names of fields with how many of the newest events have them, most frequent first."""
        return _counted(name for event in self._newest(Always(True)) for name in Facts(event).names())

    def recent_values(self, names: Sequence[str]) -> list[tuple[str, int]]:
        """Values of the fields in the newest events that have one, with their number, most frequent first."""
        facts = map(Facts, self._newest(any_of(Atom(name, "exists") for name in names)))
        return _counted(text for one in facts for name in names for text in one.texts(name))

    def _newest(self, condition: Condition) -> Sequence[Event]:
        end = time.monotonic() + SECONDS_MAX
        asked = Question(
            condition=condition, since=_FIRST, until=_LAST, units=self._units, limit=EVENTS, slots=0
        )
        found: Sequence[Event] = ()
        for progress in self._store.survey(asked, lambda: time.monotonic() > end):
            found = found if progress.events is None else progress.events
        return found


def _counted(texts: Iterable[str]) -> list[tuple[str, int]]:
    counts = Counter(texts)
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:ROWS_MAX]
