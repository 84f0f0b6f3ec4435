"""The port every source implements: something that watches the world and emits observations."""

import threading
from collections.abc import Callable, Sequence
from typing import Literal, Protocol, runtime_checkable

from crypto.words import Words
from sensors.event import Observation

# What becomes of a source: "paused" by the sensor's own limits, "missing" a capability.
SourceCondition = Literal["starting", "running", "missing", "failed", "stopped", "paused"]
Emit = Callable[[Sequence[Observation]], None]


class Source(Protocol):
    """One thing that is watched; ``sensors.sensor`` runs each in a thread of its own."""

    @property
    def name(self) -> str:
        """Unique in its sensor and short: "processes", "capture:lo"."""
        ...

    def missing(self) -> Words | None:
        """Which capability is missing here and how to grant it; None where the source can run."""
        ...

    def run(self, emit: Emit, stop: threading.Event) -> None:
        """Watch until ``stop``; at most a second later this returns.

        ``emit`` blocks while the spool is full. On a host sensor it returns once the observations are
        durable, so that a source may then save its cursor; on a network sensor once they are buffered.
        An exception ends this run only: it is reported and the source started again, later each time.
        """
        ...


@runtime_checkable
class Resuming(Protocol):
    """A source with a cursor of its own: ``emit`` returns to it once the observations are durable."""

    resumes: bool


@runtime_checkable
class Reduced(Protocol):
    """A source that can go on with less than it wants: ``reduced`` says what it does without, and why."""

    reduced: Words | None
