"""Lines of an entity's timeline: alerts, events and changes told alike. Pure."""

from datetime import datetime
from typing import Final

from detection.facts import texts_of
from detection.store.entity_store import StoredAlert
from detection.store.host_change_store import HostChange
from sensors.event import Event
from soc_api.bodies import Text
from soc_api.entity_bodies import TimelineRow
from soc_api.errors import text

DETAIL_CHARS_MAX: Final = 300
# What an event says in a line, from the most telling field it has.
_TELLING: Final = (
    "process.command_line",
    "message",
    "dns.question.name",
    "url.original",
    "tls.client.server_name",
    "file.path",
    "packet.summary",
    "event.action",
    "network.transport",
)


def group_row(alert: StoredAlert) -> TimelineRow:
    """An alert, told by its group."""
    group = alert.group
    return TimelineRow(
        time=alert.time,
        kind="alert",
        title=text(group.title),
        detail=group.entity,
        severity=group.severity,
        group=group.id,
        event="",
    )


def event_row(event: Event) -> TimelineRow:
    """A stored event."""
    dataset = _text(event, "event.dataset") or event.logsource.service or event.logsource.product
    ends = " → ".join(one for one in (_text(event, "source.ip"), _text(event, "destination.ip")) if one)
    told = next((value for name in _TELLING if (value := _text(event, name))), "")
    who = _text(event, "user.name")
    who = f"user:{who}@{_text(event, 'host.name')}" if who else ""  # as alerts name people
    return TimelineRow(
        time=event.time,
        kind="event",
        title=Text(zh=dataset, en=dataset),
        detail="  ".join(one for one in (who, ends, told) if one)[:DETAIL_CHARS_MAX],
        severity="",
        group="",
        event=event.id,
    )


def change_row(change: HostChange) -> TimelineRow:
    """A change of a host's inventory."""
    said = (
        f"{change.before} → {change.after}"
        if change.before and change.after
        else change.after or change.before
    )
    return TimelineRow(
        time=change.time,
        kind="change",
        title=Text(zh=f"{change.kind} {change.action}", en=f"{change.kind} {change.action}"),
        detail=f"{change.item}  {said}".strip()[:DETAIL_CHARS_MAX],
        severity="",
        group="",
        event=change.event,
    )


def merged(rows: list[TimelineRow], limit: int) -> tuple[list[TimelineRow], datetime | None]:
    """The newest of all, and the time of the last where others were left out."""
    ordered = sorted(rows, key=lambda row: (row.time, row.kind, row.event or row.group), reverse=True)
    return ordered[:limit], ordered[limit - 1].time if len(ordered) > limit else None


def _text(event: Event, name: str) -> str:
    value = event.fields.get(name)
    return "; ".join(texts_of(value)) if value is not None else ""
