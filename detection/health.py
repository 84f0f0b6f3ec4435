"""The health of sensors: silence, a wrong clock, gaps, and what sensors and listener tell of their life."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from detection.alert import Alert, Match
from detection.detector import feed_each
from detection.facts import texts_of
from detection.parameters import Saying, read_parameters, shipped
from detection.special.remembered import Remembered
from detection.store.inventory import clock_offset
from sensors.event import Event

MATCHES_MAX: Final = 8
LISTENER: Final = "liuhe.center"  # as what the listener speaks in the log; no sensor may enrol as it


class HealthParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file rules/anomaly/health.toml."""

    silent_seconds: int
    skew_seconds: int
    skew_beats: int
    sensors_max: int
    silent: Saying
    skew: Saying
    gap: Saying
    killed: Saying
    power_lost: Saying
    stopped: Saying
    clock_set: Saying
    own_file_changed: Saying
    limit_exceeded: Saying
    configuration_refused: Saying
    cloned: Saying
    detector: Saying

    def of_life(self, event: Event) -> Saying | None:
        """What is said of a lifecycle event; None where it needs no words."""
        action = event.fields.get("event.action")
        if action == "stopped" and event.fields.get("gov.lifecycle.reason") == "restart":
            return None  # it goes on at once, with a new configuration or release
        return {
            "killed": self.killed,
            "power-lost": self.power_lost,
            "stopped": self.stopped,
            "clock-set": self.clock_set,
            "own-file-changed": self.own_file_changed,
            "limit-exceeded": self.limit_exceeded,
            "configuration-refused": self.configuration_refused,
        }.get(action if isinstance(action, str) else "")


class _Sensor:
    """The last heartbeat of one sensor, and whether its silence or its clock was told."""

    __slots__ = ("last", "seen", "skewed", "skewed_told", "told")

    def __init__(self) -> None:
        self.last: Event | None = None
        self.seen: datetime | None = None
        self.told = False
        self.skewed = 0  # heartbeats one after another with a wrong time
        self.skewed_told = False


class HealthDetector:
    """Claims silence at ``tick`` and the rest at ``feed``; one alert per silence, skew, gap and event."""

    name = "health"

    def __init__(self, parameters: HealthParameters) -> None:
        self._parameters = parameters
        self._silent_after = timedelta(seconds=parameters.silent_seconds)
        self._sensors: Remembered[_Sensor] = Remembered(
            _Sensor, keys_max=parameters.sensors_max, weight_max=parameters.sensors_max
        )
        self._started: datetime | None = None

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        """One alert for every gap and every event of a sensor's life that somebody should know of."""
        return feed_each(self._take, events)

    def tick(self, now: datetime) -> list[Alert]:
        """One alert for every sensor that has been silent too long at ``now``.

        Silence is counted from the first tick at the earliest: a center that was down heard nobody.
        """
        if self._started is None:
            self._started = now
        alerts: list[Alert] = []
        for sensor in self._sensors.values():
            if sensor.last is None or sensor.seen is None or sensor.told:
                continue
            silence = now - max(sensor.seen, self._started)
            if silence > self._silent_after:
                sensor.told = True
                alerts.append(self._silent(sensor.last, sensor.seen, now - sensor.seen))
        return alerts

    def _take(self, event: Event) -> list[Alert]:
        dataset = event.fields.get("event.dataset")
        if dataset == "liuhe.heartbeat":
            sensor = self._sensors.touch(event.sensor)
            seen = event.ingested or event.time
            if sensor.seen is None or seen >= sensor.seen:
                sensor.last, sensor.seen, sensor.told = event, seen, False
                return self._skew(sensor, event)
        elif dataset == "liuhe.gap":
            return [self._said(self._parameters.gap, event, event.sensor, "gov.gap.")]
        elif dataset == "liuhe.lifecycle":
            saying = self._parameters.of_life(event)
            if saying is not None:
                return [self._said(saying, event, event.sensor, "gov.lifecycle.")]
        elif dataset == "liuhe.quarantine" and event.sensor == LISTENER:
            named = texts_of(event.fields.get("gov.quarantine.sensor"))
            return [
                self._said(
                    self._parameters.cloned, event, named[0] if named else event.sensor, "gov.quarantine."
                )
            ]
        return []

    def _skew(self, sensor: _Sensor, event: Event) -> list[Alert]:
        """A clock that is off in several heartbeats that came without delay; told until it is right again."""
        offset = clock_offset(event)
        if offset is None:
            return []
        if abs(offset) <= self._parameters.skew_seconds:
            sensor.skewed, sensor.skewed_told = 0, False
            return []
        sensor.skewed += 1
        if sensor.skewed < self._parameters.skew_beats or sensor.skewed_told:
            return []
        sensor.skewed_told = True
        return [
            self._parameters.skew.alert(
                "health",
                entity=f"sensor:{event.sensor}",
                numbers={"sensor": event.sensor, "offset": round(offset)},
                events=(event,),
                matched=(
                    Match(event=event.id, field="event.dataset", value="liuhe.heartbeat", selection="skew"),
                ),
            )
        ]

    def _silent(self, last: Event, seen: datetime, silence: timedelta) -> Alert:
        hosts = texts_of(last.fields.get("host.name", last.fields.get("observer.name")))
        return self._parameters.silent.alert(
            "health",
            entity=f"sensor:{last.sensor}",
            numbers={
                "sensor": last.sensor,
                "host": hosts[0] if hosts else last.sensor,
                "seconds": int(silence.total_seconds()),
                "last": seen.isoformat(timespec="seconds"),
            },
            events=(last,),
            matched=(Match(event=last.id, field="event.dataset", value="liuhe.heartbeat", selection="last"),),
        )

    def _said(self, saying: Saying, event: Event, sensor: str, prefix: str) -> Alert:
        names = [name for name in event.fields if name.startswith(prefix)][:MATCHES_MAX]
        hosts = texts_of(event.fields.get("host.name"))
        return saying.alert(
            "health",
            entity=f"sensor:{sensor}",
            numbers={"sensor": sensor, "host": hosts[0] if hosts else sensor},
            events=(event,),
            matched=tuple(
                Match(event=event.id, field=name, value=event.fields[name], selection=prefix.split(".")[1])
                for name in names
            ),
        )


def health_parameters(path: Path | None = None) -> HealthParameters:
    """The parameters of the center, or those that came with the product."""
    return read_parameters(path or shipped("health.toml"), HealthParameters)
