"""Silence and gaps: a sensor whose heartbeat stopped, and events a sensor says it could not keep."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from detection.alert import Alert, Match
from detection.detector import feed_each
from detection.facts import texts_of
from detection.parameters import Saying, read_parameters, shipped
from detection.special.remembered import Remembered
from sensors.event import Event


class HealthParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file rules/anomaly/health.toml."""

    silent_seconds: int
    sensors_max: int
    silent: Saying
    gap: Saying
    detector: Saying


class _Sensor:
    """The last heartbeat of one sensor, and whether its silence was told."""

    __slots__ = ("last", "seen", "told")

    def __init__(self) -> None:
        self.last: Event | None = None
        self.seen: datetime | None = None
        self.told = False


class HealthDetector:
    """Claims silence at ``tick`` and gaps at ``feed``; one alert per silence and one per gap."""

    name = "health"

    def __init__(self, parameters: HealthParameters) -> None:
        self._parameters = parameters
        self._silent_after = timedelta(seconds=parameters.silent_seconds)
        self._sensors: Remembered[_Sensor] = Remembered(
            _Sensor, keys_max=parameters.sensors_max, weight_max=parameters.sensors_max
        )
        self._started: datetime | None = None

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        """One alert for every gap event; heartbeats are only remembered."""
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
        elif dataset == "liuhe.gap":
            return [self._gap(event)]
        return []

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

    def _gap(self, event: Event) -> Alert:
        names = [name for name in event.fields if name.startswith("gov.gap.")][:8]
        return self._parameters.gap.alert(
            "health",
            entity=f"sensor:{event.sensor}",
            numbers={"sensor": event.sensor},
            events=(event,),
            matched=tuple(
                Match(event=event.id, field=name, value=event.fields[name], selection="gap") for name in names
            ),
        )


def health_parameters(path: Path | None = None) -> HealthParameters:
    """The parameters of the center, or those that came with the product."""
    return read_parameters(path or shipped("health.toml"), HealthParameters)
