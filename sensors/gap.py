"""The gap record: which events a sensor had and cannot deliver, as an observation of its own."""

from collections.abc import Mapping, Sequence
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
    reason: str  # "quota", "age", "disk-full", "damaged" or "refused"
    begins: datetime | None = None
    ends: datetime | None = None


def gap_fields(gap: Gap) -> dict[str, Value]:
    """The fields of the record that takes the events' place."""
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
    return fields


def gap_observation(fields: Mapping[str, Value], now: datetime) -> Observation:
    """A gap record as it travels, in the lane that is sent first; also one that is carried on."""
    return Observation(time=now, logsource=LOGSOURCE, fields=dict(fields), lane="alerts")


def joined(records: Sequence[Mapping[str, Value]]) -> list[dict[str, Value]]:
    """Records of neighbouring ranges, same lane and reason, as one each; the others as they are."""
    out: list[dict[str, Value]] = []
    for record in sorted(records, key=_order):
        last = out[-1] if out else None
        if last is not None and _follows(last, record):
            last["gov.gap.last"] = record["gov.gap.last"]
            last["gov.gap.count"] = _number(last, "gov.gap.count") + _number(record, "gov.gap.count")
            times = [one[name] for one in (last, record) for name in _TIMES if isinstance(one.get(name), str)]
            if times:
                last["gov.gap.from"], last["gov.gap.to"] = min(map(str, times)), max(map(str, times))
        else:
            out.append(dict(record))
    return out


_TIMES: Final = ("gov.gap.from", "gov.gap.to")


def _order(record: Mapping[str, Value]) -> tuple[str, str, int]:
    return (
        str(record.get("gov.gap.lane")),
        str(record.get("gov.gap.reason")),
        _number(record, "gov.gap.first"),
    )


def _follows(one: Mapping[str, Value], other: Mapping[str, Value]) -> bool:
    first = _number(other, "gov.gap.first")
    return _order(one)[:2] == _order(other)[:2] and first > 1 and _number(one, "gov.gap.last") == first - 1


def _number(record: Mapping[str, Value], name: str) -> int:
    value = record.get(name)
    return value if isinstance(value, int) else 0
