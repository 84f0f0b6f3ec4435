"""Rows of the queue as its pages show them: risk now, the unit's name, the badge of the system."""

from collections.abc import Iterable
from datetime import datetime

from detection.risk import points_of
from detection.store.act import UNDO, refusal
from detection.store.act_store import ActItem, ActRecord
from detection.store.alert_group import AlertGroup as Group
from detection.store.entity_heat import HARMLESS
from detection.store.group_page import Bucket
from soc_api.bodies import AlertGroup, SystemBadge, Text
from soc_api.errors import text
from soc_api.queue_bodies import ActItemRow, ActRow, BucketRow
from soc_api.queue_places import Places


def group_rows(groups: Iterable[Group], places: Places | None, now: datetime) -> list[AlertGroup]:
    """The groups with what the registry knows of them."""
    return [group_row(group, places, now) for group in groups]


def group_row(group: Group, places: Places | None, now: datetime, *, act: int | None = None) -> AlertGroup:
    """One group with what the registry knows of it; ``act`` led to it just now."""
    row = AlertGroup.model_validate(group, from_attributes=True)
    row.risk = points_of(group.entity_heat, now)
    row.risk_own = 0 if group.classification in HARMLESS else points_of(group.heat, now)
    row.act = act
    row.unit_name = group.unit
    if places is not None:
        row.unit_name = places.units.get(group.unit, group.unit)
        if system := places.system_of(group.entity, group.unit):
            row.system = SystemBadge.model_validate(system, from_attributes=True)
    return row


def bucket_rows(by: str, buckets: Iterable[Bucket], places: Places | None) -> list[BucketRow]:
    """Buckets; a unit is told by its name."""
    rows = []
    for bucket in buckets:
        row = BucketRow.model_validate(bucket, from_attributes=True)
        name = places.units.get(bucket.value) if by == "unit" and places is not None else None
        if name:
            row.title = text_of(name)
        rows.append(row)
    return rows


def act_row(record: ActRecord) -> ActRow:
    """An act with how long it can be taken back."""
    until = record.finished + UNDO if record.finished is not None and record.state == "done" else None
    return ActRow(
        id=record.id,
        time=record.time,
        actor=record.actor,
        action=record.act.action,
        state=record.state,  # type: ignore[arg-type]
        total=record.total,
        done=record.done,
        refused=record.refused,
        finished=record.finished,
        undo_until=until,
    )


def item_row(item: ActItem) -> ActItemRow:
    """What became of one group, in words where it was refused."""
    said = text(refusal(item.code).what) if item.code else None
    return ActItemRow(group=item.group, state=item.state, code=item.code, message=said)  # type: ignore[arg-type]


def text_of(name: str) -> Text:
    """A name that is the same in both languages."""
    return Text(zh=name, en=name)
