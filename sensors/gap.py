"""The gap record: which events a sensor had and cannot deliver, as an observation of its own."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

from sensors.event import LogSource, Observation, Value

DATASET: Final = "liuhe.gap"
LOGSOURCE: Final = LogSource(product="liuhe", service="gap")


class Gap(NamedTuple):
    """Sequences first..last of a lane that will never arrive; 0..0 where they never got a sequence."""

    lane: str
    first: int
    last: int
    lost: int
    reason: str  # "quota", "damaged" or "refused"
    begins: datetime | None = None
    ends: datetime | None = None


def gap_observation(gap: Gap, now: datetime) -> Observation:
    """The record that takes the events' place, in the lane that is sent first."""
    fields: dict[str, Value] = {
        "event.dataset": DATASET,
        "event.kind": "state",
        "gov.gap.lane": gap.lane,
        "gov.gap.first": gap.first,
        "gov.gap.last": gap.last,
        "gov.gap.count": gap.lost,
        "gov.gap.reason": gap.reason,
    }
    for name, time in (("gov.gap.from", gap.begins), ("gov.gap.to", gap.ends)):
        if time is not None:
            fields[name] = time.astimezone(UTC).isoformat()
    return Observation(time=now, logsource=LOGSOURCE, fields=fields, lane="alerts")


def again(fields: Mapping[str, Value], now: datetime) -> Observation:
    """A gap record that is about to be dropped itself, carried on under a new identity."""
    return Observation(time=now, logsource=LOGSOURCE, fields=dict(fields), lane="alerts")
