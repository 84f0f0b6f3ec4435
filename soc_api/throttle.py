"""A bounded count of attempts per network address, so that no address can try passwords at speed."""

import threading
from collections import OrderedDict, deque
from datetime import datetime, timedelta
from typing import Final

ATTEMPTS_MAX: Final = 30  # logins per address and window: a shift logging in behind one proxy still fits
WINDOW: Final = timedelta(minutes=1)
SOURCES_MAX: Final = 10_000


class Throttle:
    """Attempts of the last window per address, kept in memory: a restart forgets them, locks it does not."""

    def __init__(self, attempts_max: int = ATTEMPTS_MAX, window: timedelta = WINDOW) -> None:
        self._attempts_max = attempts_max
        self._window = window
        self._attempts: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def admits(self, source: str, now: datetime) -> bool:
        """Count one attempt of ``source``; False where it had its share already."""
        with self._lock:
            times = self._attempts.setdefault(source, deque(maxlen=self._attempts_max))
            self._attempts.move_to_end(source)
            while len(self._attempts) > SOURCES_MAX:
                self._attempts.popitem(last=False)
            while times and now - times[0] > self._window:
                times.popleft()
            if len(times) >= self._attempts_max:
                return False
            times.append(now)
            return True
