"""What was told already: one alert per subject and span of event time, remembered within a bound."""

from collections import OrderedDict


class Told:
    """Times of the last alert per subject; the subject told longest ago is forgotten first."""

    __slots__ = ("_keys_max", "_seconds", "times")

    def __init__(self, seconds: float, keys_max: int) -> None:
        self._seconds = seconds
        self._keys_max = keys_max
        self.times: OrderedDict[str, float] = OrderedDict()

    def __contains__(self, subject: str) -> bool:
        return subject in self.times

    def quiet(self, subject: str, time: float) -> bool:
        """Whether the subject was told so lately that it is not due."""
        before = self.times.get(subject)
        return before is not None and abs(time - before) < self._seconds

    def due(self, subject: str, time: float) -> bool:
        """Whether the subject may be told at ``time``; if so it counts as told."""
        if self.quiet(subject, time):
            return False
        self.times[subject] = time
        self.times.move_to_end(subject)
        if len(self.times) > self._keys_max:
            self.times.popitem(last=False)
        return True

    def recall(self, times: dict[str, float]) -> None:
        """Take up what an earlier process told."""
        self.times = OrderedDict(list(times.items())[-self._keys_max :])
