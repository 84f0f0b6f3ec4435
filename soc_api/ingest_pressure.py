"""How many batches each sensor may have under way, from how the center itself gets on; pure, no clock.

Full credit as a rule, one batch while the committer's queue is filling, none while the log cannot be written
or detection lags far behind. What stopped at the upper mark goes on below the lower one only, so that credit
does not flutter.
"""

from typing import Final

CREDIT_BATCHES: Final = 4  # of one connection, under way and not yet acknowledged
QUEUE_SHARE: Final = 0.75  # of the committer's queue
LAG_EVENTS_HIGH: Final = 500_000
LAG_EVENTS_LOW: Final = 250_000


class Pressure:
    """Keeps only whether detection lags."""

    def __init__(self, lag_high: int = LAG_EVENTS_HIGH, lag_low: int = LAG_EVENTS_LOW) -> None:
        self._lag_high: Final = lag_high
        self._lag_low: Final = lag_low
        self._lagging = False

    def credit(self, *, queue_share: float, lag_events: int, failing: bool) -> int:
        """What every connection gets now.

        ``queue_share`` is how full the committer's queue is (0 to 1), ``lag_events`` how many stored events
        detection has not seen, ``failing`` whether the last attempt to store failed.
        """
        self._lagging = lag_events >= (self._lag_low if self._lagging else self._lag_high)
        if failing or self._lagging:
            return 0
        return 1 if queue_share >= QUEUE_SHARE else CREDIT_BATCHES
