"""A wish for the raw packets of a flow that an alert rests on: the values, and which flows those are."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from detection.alert import Alert
from sensors.event import Event, Value

FLOWS_MAX: Final = 8  # of one alert group asked for at a time
AROUND: Final = timedelta(seconds=60)  # looked at before and after the events
WAIT_MAX: Final = timedelta(minutes=10)  # for a sensor that is not connected

State = Literal["wanted", "arrived", "empty", "failed"]


class PacketRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One flow of one sensor, asked for by a person; ``bytes`` and ``sm3`` are of the pcap file that came."""

    id: str
    alert_group: str
    sensor: str
    community_id: str
    begins: datetime
    ends: datetime
    actor: str
    asked: datetime
    state: State
    reason: str = ""
    bytes: int = 0
    sm3: str = ""
    finished: datetime | None = None


class WantedFlow(msgspec.Struct, frozen=True):
    """A flow and the time in which a sensor saw it."""

    sensor: str
    community_id: str
    begins: datetime
    ends: datetime


def flows_of(alerts: Iterable[Alert]) -> list[WantedFlow]:
    """The flows behind alerts, the newest first, at most FLOWS_MAX; each with time around it."""
    found: dict[tuple[str, str], WantedFlow] = {}
    for event in (event for alert in alerts for event in alert.events):
        community = event.fields.get("network.community_id")
        if not isinstance(community, str) or not community:
            continue
        begins, ends = _begin(event) - AROUND, event.time + AROUND
        before = found.get((event.sensor, community))
        if before is not None:
            begins, ends = min(begins, before.begins), max(ends, before.ends)
        found[event.sensor, community] = WantedFlow(event.sensor, community, begins, ends)
    return sorted(found.values(), key=lambda one: one.ends, reverse=True)[:FLOWS_MAX]


def _begin(event: Event) -> datetime:
    """When what the event tells of began: a flow's event comes at its end."""
    said: Value = event.fields.get("event.start")
    try:
        begun = datetime.fromisoformat(said) if isinstance(said, str) else event.time
    except ValueError:
        return event.time
    return min(begun, event.time) if begun.tzinfo is not None else event.time
