"""All checks over many hosts: gathering facts, judging, leaves, rows; then again with little or nothing new.

``python -m bench.compliance_evaluation [--hosts N] [--systems N]`` prints one JSON object a line. Each host
has a result of every probe the checklist asks hosts for, and a sensor that speaks. Its folder is temporary,
in what TMPDIR names.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import perf_counter, process_time

from compliance.checklist import Check, load_checklist
from compliance.facts import OWN_FACTS, OWN_PREFIXES
from compliance.ledger import Ledger
from compliance.registry import GradedSystem
from compliance.registry_store import RegistryStore
from compliance.service import Compliance, Parts
from crypto.keys import SigningKey
from detection.condition import fields as condition_fields
from detection.store.alert_store import AlertStore
from detection.store.event_store import EventStore
from detection.store.inventory_store import InventoryStore
from detection.store.state import open_state
from rules import ROOT
from sensors.event import Event, LogSource, Observation, Value, stamp

NOW = datetime(2026, 11, 22, tzinfo=UTC)
UNIT = "320000-bench"
BATCH = 2_000
_PREFIX = "gov.probe.value."


def probes_of(checks: Sequence[Check]) -> dict[str, dict[str, Value]]:
    """The probes hosts are asked for, each with every value some check looks at."""
    found: dict[str, dict[str, Value]] = {}
    for test in (test for check in checks for test in check.tests):
        if test.fact in OWN_FACTS or test.fact.startswith(OWN_PREFIXES):
            continue
        asked = condition_fields(test.satisfied)
        values = found.setdefault(test.fact, {})
        values.update({name: 1 for name in asked if name.startswith(_PREFIX)})
    return found


def told(
    hosts: Iterable[int], probes: dict[str, dict[str, Value]], changed: int, now: datetime
) -> Iterable[Event]:
    """What these hosts' sensors say; ``changed`` is in every value."""
    for number in hosts:
        name = f"host-{number:04d}"
        beat: dict[str, Value] = {
            "event.dataset": "liuhe.heartbeat",
            "gov.sensor.kind": "host",
            "gov.sensor.version": "1",
            "gov.sensor.backlog": 0,
            "gov.sensor.events": 1,
            "gov.sensor.cpu_percent": 0.1,
            "gov.sensor.rss_bytes": 1,
            "gov.sensor.sources": ["processes=running"],
        }
        said: list[dict[str, Value]] = [
            {
                "event.dataset": "probe",
                "gov.probe.id": probe,
                "gov.probe.method": "read /etc/some.conf",
                "gov.probe.raw": "Some setting of the host, a line or two\n" * 5,
                **dict.fromkeys(values, changed),
            }
            for probe, values in probes.items()
        ]
        for sequence, fields in enumerate((beat, *said), 1 + changed * 1_000):
            seen = Observation(
                time=now, logsource=LogSource(product="linux"), fields={"host.name": name, **fields}
            )
            yield stamp(seen, unit=UNIT, sensor=name, epoch=1, sequence=sequence)


class World:
    """A center with its hosts registered."""

    def __init__(self, folder: Path, ledger: Ledger, hosts: int, systems: int) -> None:
        self.checks = load_checklist(ROOT / "checklist")
        self.probes = probes_of(self.checks)
        engine = open_state(f"sqlite:///{folder / 'state.sqlite'}", create=True)
        registry = RegistryStore(engine)
        for number in range(systems):
            system = GradedSystem(id=f"s{number:03d}", unit=UNIT, name="系统", level=3, grade="S3A3G3")
            registry.register(system, unit_name="单位", now=NOW)
        for number in range(hosts):
            registry.add_asset(f"host-{number:04d}", system=f"s{number % systems:03d}", kind="host", now=NOW)
        self.alerts, self.position = AlertStore(engine), 0
        self.compliance = Compliance(
            Parts(
                engine=engine,
                alerts=self.alerts,
                inventory=InventoryStore(engine),
                events=EventStore(folder, engine),
                ledger=ledger,
                retention_days=190,
                rules_loaded=1,
            ),
            self.checks,
        )

    def tell(self, hosts: Iterable[int], changed: int, now: datetime) -> None:
        """Commit what hosts say, as the pipeline does."""
        events = list(told(hosts, self.probes, changed, now))
        for start in range(0, len(events), BATCH):
            self.position += 1
            self.alerts.commit([], events[start : start + BATCH], self.position, now)


def measured(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, and of the processor."""
    began, used = perf_counter(), process_time()
    work()
    return perf_counter() - began, process_time() - used


def main() -> None:
    """Seed, evaluate three times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=1_000)
    parser.add_argument("--systems", type=int, default=1)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        key = SigningKey.create(folder / "key.pem")
        with Ledger.open(folder / "evidence", center="bench", origin="bench/evidence/sm3", key=key) as ledger:
            world = World(folder, ledger, chosen.hosts, chosen.systems)
            conditions = (
                f"{len(world.checks)} checks, {chosen.hosts} hosts in {chosen.systems} systems, "
                f"{len(world.probes)} probes a host, {os.cpu_count()} cores"
            )
            taken = measured(partial(world.tell, range(chosen.hosts), 1, NOW))
            rows = [("taking in every probe of every host", taken)]
            for what, later in (("first evaluation", 1), ("nothing new", 2)):
                now = NOW + timedelta(seconds=later)
                rows.append((what, measured(partial(world.compliance.evaluate, "bench", now))))
            world.tell([0], 2, NOW + timedelta(seconds=3))
            now = NOW + timedelta(seconds=4)
            rows.append(("one host changed", measured(partial(world.compliance.evaluate, "bench", now))))
            page = measured(lambda: world.compliance.check_page(now, "s000"))
            rows.append(("page of one system", page))
            conditions += f", load {os.getloadavg()[0]:.1f}"
            state = (folder / "state.sqlite").stat().st_size
    for what, (clock, used) in rows:
        line = {"name": what, "value": round(clock, 3), "unit": "s", "versus": "its processor time"}
        ratio = round(clock / used, 2) if used else None
        line |= {"versus_value": round(used, 3), "ratio": ratio, "conditions": conditions}
        print(json.dumps(line, ensure_ascii=False))
    print(json.dumps({"name": "state database", "value": state, "unit": "bytes", "conditions": conditions}))


if __name__ == "__main__":
    main()
