"""Unusual minutes of a host that is not there: its events, learned and judged by the real detector."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from detection.alert import Alert
from detection.anomaly.open import open_anomaly
from sensors.event import Event, LogSource, Observation, stamp

UNIT: Final = "320000-local"
_MINUTES: Final = 82
_ODD: Final = (64, 71, 78)  # further apart than an alert is repeated


def unusual(host: str, now: datetime, folder: Path) -> list[Alert]:
    """The alerts of three minutes with 300 failed logins each, the newest last."""
    detector, refused = open_anomaly(folder / "models", folder / "models.pem", now)
    assert not refused
    minute = now.replace(second=0, microsecond=0)  # a burst lies within one window
    return detector.feed(_events(host, minute - timedelta(minutes=_MINUTES)))


def _events(host: str, start: datetime) -> list[Event]:
    made = np.random.default_rng(11)
    told: list[tuple[float, dict[str, str]]] = []
    for minute in range(_MINUTES):
        for second in made.uniform(0, 60, int(made.poisson(8)) + 1):
            program = f"/usr/bin/tool{made.integers(0, 6)}"
            told.append(
                (minute * 60 + second, {"event.dataset": "process.start", "process.executable": program})
            )
        if minute in _ODD:
            failure = {
                "event.dataset": "auth",
                "event.category": "authentication",
                "event.outcome": "failure",
            }
            told += [(minute * 60 + one / 6, failure) for one in range(300)]
    return [
        stamp(
            Observation(
                time=start + timedelta(seconds=seconds),
                logsource=LogSource(),
                fields={"host.name": host, **fields},
            ),
            unit=UNIT,
            sensor="unusual",
            epoch=0,
            sequence=number,
        )
        for number, (seconds, fields) in enumerate(sorted(told, key=lambda one: one[0]))
    ]
