"""How many requests an account may make in a while: a fixed number in each window, two numbers an account."""

import threading
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final

REQUESTS_MAX: Final = 600  # a console that fetches every page at once needs a tenth of it
WINDOW: Final = timedelta(seconds=10)
ACCOUNTS_MAX: Final = 10_000


class Pace:
    """Kept in memory; safe to share between threads. The account asked for longest ago is forgotten first."""

    def __init__(self, requests_max: int = REQUESTS_MAX, window: timedelta = WINDOW) -> None:
        self._requests_max, self._window = requests_max, window
        self._counts: OrderedDict[str, tuple[datetime, int]] = OrderedDict()
        self._lock = threading.Lock()

    def admits(self, account: str, now: datetime) -> bool:
        """Count one request of ``account``; False where it had its share of this window already."""
        with self._lock:
            began, count = self._counts.get(account, (now, 0))
            if not timedelta() <= now - began < self._window:
                began, count = now, 0
            self._counts[account] = began, count + 1
            self._counts.move_to_end(account)
            if len(self._counts) > ACCOUNTS_MAX:
                self._counts.popitem(last=False)
            return count < self._requests_max
