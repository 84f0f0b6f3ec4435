"""Suricata's EVE JSON as events: alerts of an IDS, and records of protocols like the network sensor's.

Field names: Suricata's documentation of EVE; mapping: ``rules/mappings/suricata.toml``.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from sensors.device.mapping import Native, Target, add_community_id, flat, mapped, targets
from sensors.event import LogSource, Observation, Value
from sensors.host.observe import observe
from sensors.host.tables import table

_SUBJECTS: Final = {  # EVE's event_type: our dataset, and Sigma's service and category of the same subject
    "flow": ("net.flow", "conn", "flow"),
    "dns": ("net.dns", "dns", "dns"),
    "tls": ("net.tls", "ssl", "tls"),
    "http": ("net.http", "http", "webserver"),
    "ssh": ("net.ssh", "ssh", ""),
}
_ANSWERS: Final = frozenset({"answer", "response"})


def describe_eve(record: Mapping[str, Any], sender: str = "") -> Observation | None:
    """The event of one EVE record; None where it is none."""
    kind, stamp = record.get("event_type"), record.get("timestamp")
    if not isinstance(kind, str) or not isinstance(stamp, str):
        return None
    try:
        time = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    native = flat(record) | _dns(record.get("dns")) if kind == "dns" else flat(record)
    fields = mapped(native, _targets("common")) | mapped(native, _targets(kind))
    fields["event.provider"] = "suricata"
    if sender:
        fields["observer.ip"] = sender
    if kind == "flow":
        fields |= _totals(fields)
    add_community_id(fields)
    source = LogSource(product="suricata", service=kind, category="ids" if kind == "alert" else "")
    dataset, lane = f"suricata.{kind}", "flows"
    if kind in _SUBJECTS:
        dataset, service, category = _SUBJECTS[kind]
        source = LogSource(product="zeek", service=service, category=category)
        native |= {theirs: native[ours] for ours, theirs in _names(kind).items() if ours in native}
    elif kind == "alert":
        fields["event.kind"], lane = "alert", "alerts"
    host = str(fields.get("observer.name") or sender)
    return observe(dataset, source, fields, native=native, time=time.astimezone(UTC), host=host, lane=lane)


@cache
def _targets(kind: str) -> dict[str, Target]:
    given = table("suricata").get(kind, {})
    return targets(given if kind != "native" else {})


@cache
def _names(kind: str) -> dict[str, str]:
    names: dict[str, str] = table("suricata")["native"].get(kind, {})
    return names


def _dns(dns: object) -> Native:
    """Of DNS: the first question of version 3 records, and the data of the answers of either version."""
    if not isinstance(dns, dict):
        return {}
    found: Native = {}
    queries = dns.get("queries")
    if isinstance(queries, list) and queries and isinstance(queries[0], dict):
        found |= {
            f"dns.queries.0.{key}": str(queries[0][key]) for key in ("rrname", "rrtype") if key in queries[0]
        }
    answers = dns.get("answers")
    if isinstance(answers, list):
        data = [str(one["rdata"]) for one in answers[:100] if isinstance(one, dict) and "rdata" in one]
        if data:
            found["dns.grouped.A"] = [*data]
    if str(dns.get("type", "")).lower() in _ANSWERS:
        found["dns.type"] = "answer"
    return found


def _totals(fields: Mapping[str, Value]) -> dict[str, Value]:
    """What the network sensor's flows also say."""
    totals: dict[str, Value] = {"event.action": "flow-end", "event.category": "network"}
    for name in ("bytes", "packets"):
        values = [fields.get(f"{side}.{name}") for side in ("source", "destination")]
        totals[f"network.{name}"] = sum(value for value in values if isinstance(value, int))
    start, end = (_instant(fields.get(f"event.{name}")) for name in ("start", "end"))
    if start is not None and end is not None and end >= start:
        totals["event.duration"] = int((end - start).total_seconds() * 1e9)
    return totals


def _instant(value: Value) -> datetime | None:
    try:
        time = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
