"""Zeek's logs as JSON, as events; native names are Zeek's own, as Sigma's rules name them.

The log's path is in ``_path`` (streaming logs) or in the file's name. Mapping: ``rules/mappings/zeek.toml``.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

from sensors.device.mapping import Target, add_community_id, flat, mapped, targets
from sensors.event import LogSource, Observation, Value
from sensors.host.observe import observe
from sensors.host.tables import table

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS_MAX: Final = 253_402_300_799.0


def describe_zeek(record: Mapping[str, Any], name: str = "", sender: str = "") -> Observation | None:
    """The event of one record of the log file ``name``; None where it has no time and is none."""
    time = _time(record.get("ts"))
    path = record.get("_path")
    path = path if isinstance(path, str) and path else name.partition(".")[0]
    if time is None or not path or not path.replace("_", "").replace("-", "").isalnum():
        return None
    native = flat(record)
    fields = mapped(native, _targets("common")) | mapped(native, _targets(path))
    fields["event.provider"] = "zeek"
    if sender:
        fields["observer.ip"] = sender
    if path == "conn":
        fields |= _totals(native, fields)
    add_community_id(fields)
    given = table("zeek")
    source = LogSource(product="zeek", service=path, category=given["categories"].get(path, ""))
    dataset = given["datasets"].get(path, f"zeek.{path}")
    lane = "alerts" if path == "notice" else "flows"
    return observe(dataset, source, fields, native=native, time=time, host=sender, lane=lane)


@cache
def _targets(path: str) -> dict[str, Target]:
    given = table("zeek").get(path, {}) if path not in ("categories", "datasets") else {}
    return targets(given)


def _time(value: object) -> datetime | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return _EPOCH + timedelta(seconds=value) if 0 <= value <= _SECONDS_MAX else None
    try:
        time = datetime.fromisoformat(str(value)) if value else None
    except ValueError:
        return None
    if time is None:
        return None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)


def _totals(native: Mapping[str, Value], fields: Mapping[str, Value]) -> dict[str, Value]:
    """What the network sensor's flows also say."""
    totals: dict[str, Value] = {"event.action": "flow-end", "event.category": "network"}
    for name in ("bytes", "packets"):
        values = [fields.get(f"{side}.{name}") for side in ("source", "destination")]
        totals[f"network.{name}"] = sum(value for value in values if isinstance(value, int))
    duration = native.get("duration")
    if isinstance(duration, int | float) and 0 <= duration < 1e9:
        totals["event.duration"] = int(duration * 1e9)
    return totals
