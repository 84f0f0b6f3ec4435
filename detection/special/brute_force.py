"""Password guessing: many failed logins of one user or from one source, and a success after them.

The same failure may be told by two logs (btmp and the authentication log); failures are counted per data
set and the largest count holds, so that two tellings are not two failures.
"""

from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Sequence
from typing import Literal

import msgspec

from detection.alert import Alert, Match
from detection.detector import feed_each
from detection.facts import texts_of
from detection.parameters import Saying
from detection.special.remembered import Remembered
from sensors.event import Event

Subject = Literal["user", "source"]


class BruteForceParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``brute_force`` of rules/anomaly/special.toml."""

    window_seconds: int
    failures: int
    spread_hours: int
    repeat_seconds: int
    spray_users: int
    keys_max: int
    times_max: int
    events_max: int
    user: Saying
    source: Saying
    success: Saying


class _Failures:
    """Failed logins of one user or source: times per data set (sorted), user names, the last events."""

    __slots__ = ("events", "raised", "succeeded", "times", "users")

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = {}
        self.users: deque[tuple[float, str]] = deque(maxlen=64)
        self.events: deque[Event] = deque()
        self.raised: float | None = None
        self.succeeded: float | None = None


class BruteForceDetector:
    """Claims guessing at ``failures`` failed logins within the window, and a success that follows them."""

    def __init__(self, parameters: BruteForceParameters, name: str = "brute_force") -> None:
        self.name = name
        self._parameters = parameters
        self._keys: Remembered[_Failures] = Remembered(
            _Failures, keys_max=parameters.keys_max, weight_max=parameters.keys_max * parameters.times_max
        )

    @property
    def evicted(self) -> int:
        """Users and sources forgotten because the bounds were reached."""
        return self._keys.evicted

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        """One alert per subject when the limit is reached, again after ``repeat_seconds`` of event time."""
        return feed_each(self._take, events)

    def _take(self, event: Event) -> list[Alert]:
        outcome = event.fields.get("event.outcome")
        if event.fields.get("event.category") != "authentication" or outcome not in ("failure", "success"):
            return []
        subjects: list[tuple[Subject, str]] = []
        if user := _text(event, "user.name"):
            subjects.append(("user", f"{user}@{_text(event, 'host.name') or event.sensor}"))
        if source := _text(event, "source.ip"):
            subjects.append(("source", source))
        found = [
            self._failed(subject, name, event)
            if outcome == "failure"
            else self._succeeded(subject, name, event)
            for subject, name in subjects
        ]
        alerts = [alert for alert in found if alert is not None]
        # a success is told once, of the user, even where the failures were counted by source
        return alerts[:1] if outcome == "success" else alerts

    def _failed(self, subject: Subject, name: str, event: Event) -> Alert | None:
        key, time = f"{event.unit}\0{subject}\0{name}", event.time.timestamp()
        known = self._keys.touch(key)
        times = known.times.setdefault(_text(event, "event.dataset")[:64], [])
        insort(times, time)
        del times[: -self._parameters.times_max]
        if len(known.times) > 8:  # a sensor that invents data sets
            del known.times[next(iter(known.times))]
        known.users.append((time, _text(event, "user.name")))
        known.events.append(event)
        if len(known.events) > self._parameters.events_max:
            known.events.popleft()
        self._keys.weigh(key, sum(map(len, known.times.values())))
        count = self._count(known, time)
        if count < self._parameters.failures or _recent(known.raised, time, self._parameters.repeat_seconds):
            return None
        users = {user for seen, user in known.users if abs(time - seen) <= self._parameters.window_seconds}
        if subject == "source" and 0 < len(users) < self._parameters.spray_users and users != {""}:
            return None  # one user only: that user is the subject
        known.raised = time
        saying = self._parameters.user if subject == "user" else self._parameters.source
        return self._alert(saying, subject, name, event, known, count, len(users))

    def _succeeded(self, subject: Subject, name: str, event: Event) -> Alert | None:
        key, time = f"{event.unit}\0{subject}\0{name}", event.time.timestamp()
        if key not in self._keys:
            return None
        known = self._keys.touch(key)
        count = self._count(known, time)
        if count < self._parameters.failures or _recent(
            known.succeeded, time, self._parameters.repeat_seconds
        ):
            return None
        known.succeeded = time
        return self._alert(self._parameters.success, subject, name, event, known, count, 1)

    def _count(self, known: _Failures, time: float) -> int:
        """The failures in the window that ends at ``time``, in the data set that tells the most.

        Those that are not spread over ``spread_hours`` hours do not count: what is faster is another's.
        """
        width, spread = self._parameters.window_seconds, self._parameters.spread_hours
        best = 0
        for times in known.times.values():
            first, last = bisect_left(times, time - width), bisect_right(times, time)
            if spread > 1 and last - first >= self._parameters.failures:
                hours = {int(one) // 3_600 for one in times[first:last]}
                if len(hours) < spread:
                    continue
            best = max(best, last - first)
        return best

    def _alert(
        self,
        saying: Saying,
        subject: Subject,
        name: str,
        event: Event,
        known: _Failures,
        count: int,
        users: int,
    ) -> Alert:
        names = ("user.name", "source.ip", "event.outcome")
        matched = tuple(
            Match(event=event.id, field=field, value=event.fields[field], selection="login")
            for field in names
            if event.fields.get(field) is not None
        )
        earlier = tuple(one for one in known.events if one.id != event.id)
        return saying.alert(
            "special",
            entity=f"{subject}:{name}",
            numbers={
                "failures": count,
                "seconds": self._parameters.window_seconds,
                "hours": f"{self._parameters.window_seconds / 3_600:g}",
                "users": users,
                "user": _text(event, "user.name"),
                "host": _text(event, "host.name") or event.sensor,
            },
            events=(*earlier, event),
            matched=matched,
        )


def _recent(before: float | None, time: float, seconds: int) -> bool:
    return before is not None and abs(time - before) < seconds


def _text(event: Event, name: str) -> str:
    texts = texts_of(event.fields.get(name))
    return texts[0] if texts else ""
