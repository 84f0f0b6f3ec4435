"""What the center knows, as facts a check can ask: host probes, sensor health, open alerts, its own ledger.

Names: a probe's own id (``sshd.config``), ``sensor.host`` and ``sensor.network``, ``alerts.<family>``,
``ledger.state``, ``retention.events``, ``assets.registered``. Pure: everything is handed in.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from compliance.evaluation import Fact
from detection.store.inventory import ProbeResult, SensorState
from sensors.event import Value

CENTER = "center"
# What the center says of itself; a host that names a probe so is not heard.
OWN_FACTS: Final = frozenset(
    {"sensor.host", "sensor.network", "ledger.state", "retention.events", "assets.registered", "alerts.open"}
)
OWN_PREFIXES: Final = ("center.", "certificates.", "import.", "orders.", "registry.", "transfer.")
# A host whose clock runs ahead would keep its evidence fresh for ever; a little is what clocks do.
CLOCK_AHEAD_MAX: Final = timedelta(minutes=5)
# Fields that change by themselves from one minute to the next: that alone changes no verdict's grounds.
RUNNING_NUMBERS: Final = frozenset({"ledger.size", "sensor.backlog", "alerts.count", "orders.open"})


class CenterState(msgspec.Struct, frozen=True, kw_only=True):
    """The center's own state at one moment; ``open_alerts`` maps a rule id to its open groups."""

    time: datetime
    ledger_size: int
    ledger_ok: bool
    retention_days: int
    oldest_event: datetime | None
    rules_loaded: int
    open_alerts: Mapping[str, int]
    registered: Sequence[str]  # names of registered assets
    seen: Sequence[str] | None = None  # hosts sensors told of; None is those of the sensors given


def gather(
    probes: Iterable[ProbeResult], sensors: Sequence[SensorState], center: CenterState
) -> dict[str, list[Fact]]:
    """Facts by name; a host or sensor appears once under each name."""
    facts: dict[str, list[Fact]] = {}
    for fact in (*_of_probes(probes, center), *_of_sensors(sensors, center), *_of_center(sensors, center)):
        facts.setdefault(fact.name, []).append(fact)
    return facts


def _of_probes(results: Iterable[ProbeResult], center: CenterState) -> Iterable[Fact]:
    for result in results:
        if result.probe in OWN_FACTS or result.probe.startswith(OWN_PREFIXES):
            continue
        error = result.error
        if not error and result.time - center.time > CLOCK_AHEAD_MAX:
            error = f"时钟超前 clock ahead: {result.time.isoformat()}"
        yield Fact(
            object=result.host,
            name=result.probe,
            time=result.time,
            fields={f"gov.probe.value.{name}": value for name, value in result.values.items()},
            event=result.event,
            method=result.method,
            raw=result.raw,
            error=error,
        )


def _of_sensors(sensors: Sequence[SensorState], center: CenterState) -> Iterable[Fact]:
    for sensor in sensors:
        if not sensor.kind:
            continue
        failed = [source.name for source in sensor.sources if source.state != "running"]
        fields: dict[str, Value] = {
            "sensor.state": sensor.state,
            "sensor.kind": sensor.kind,
            "sensor.sources": len(sensor.sources),
            "sensor.sources_failed": list(failed),
            "sensor.backlog": sensor.backlog,
            "rules.loaded": center.rules_loaded,
        }
        yield Fact(
            object=sensor.host or sensor.sensor,
            name=f"sensor.{sensor.kind}",
            time=center.time,
            fields=fields,
            method="heartbeat",
            raw=f"{sensor.sensor}: {sensor.state}, last seen {sensor.last_seen.isoformat()}",
        )


def _of_center(sensors: Sequence[SensorState], center: CenterState) -> Iterable[Fact]:
    def fact(name: str, method: str, raw: str, **fields: Value) -> Fact:
        return Fact(
            object=CENTER,
            name=name,
            time=center.time,
            fields={key.replace("__", "."): value for key, value in fields.items()},
            method=method,
            raw=raw,
        )

    oldest = center.oldest_event
    yield fact(
        "ledger.state",
        "ledger",
        f"{center.ledger_size} leaves, {'consistent' if center.ledger_ok else 'NOT consistent'}",
        ledger__size=center.ledger_size,
        ledger__ok=center.ledger_ok,
    )
    yield fact(
        "retention.events",
        "center.toml",
        f"kept {center.retention_days} days" + (f"; oldest event {oldest}" if oldest else ""),
        retention__days=center.retention_days,
    )
    seen = {sensor.host for sensor in sensors if sensor.host} if center.seen is None else {*center.seen}
    strangers = sorted(seen - set(center.registered))
    yield fact(
        "assets.registered",
        "registry",
        f"seen {sorted(seen)}; registered {sorted(center.registered)}",
        assets__seen=len(seen),
        assets__unregistered=list(strangers),
        assets__unregistered_count=len(strangers),
    )
    yield fact(
        "alerts.open",
        "alert store",
        "; ".join(f"{rule} x{count}" for rule, count in sorted(center.open_alerts.items())) or "none",
        alerts__rules=[*sorted(center.open_alerts)],
        alerts__count=sum(center.open_alerts.values()),
    )
