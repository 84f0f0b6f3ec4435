"""The port of detection: what takes events and makes alerts. Pure, in event time, without a clock.

A detector gives the same alerts for the same events in the same order, however they are cut into batches.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from detection.alert import Alert
from sensors.event import Event


class Detector(Protocol):
    """Takes events in the order they were received."""

    name: str

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        """The alerts these events complete. Raises FeedFailed where one event could not be taken."""
        ...


@runtime_checkable
class Timed(Protocol):
    """A detector that also claims something about silence, and so must be told the time."""

    def tick(self, now: datetime) -> list[Alert]:
        """The alerts that are due at ``now``."""
        ...


class FeedFailed(Exception):
    """One event could not be taken: those before it were, those after it were not.

    ``alerts`` are those the earlier events completed; ``index`` is the place of the failing event.
    """

    def __init__(self, index: int, alerts: list[Alert], cause: Exception) -> None:
        super().__init__(f"event {index}: {type(cause).__name__}: {cause}")
        self.index = index
        self.alerts = alerts
        self.cause = cause


def feed_each(take: Callable[[Event], Iterable[Alert]], events: Sequence[Event]) -> list[Alert]:
    """Feed events one by one. Raises FeedFailed at the first that ``take`` cannot bear."""
    alerts: list[Alert] = []
    for index, event in enumerate(events):
        try:
            alerts.extend(take(event))
        except Exception as error:
            raise FeedFailed(index, alerts, error) from error
    return alerts
