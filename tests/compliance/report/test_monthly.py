"""The month's numbers: what belongs to the month, as the checkpoint covers it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from compliance.check_store import CheckStore
from compliance.report import monthly as module
from compliance.report.model import Report
from compliance.report.monthly import Sources, monthly

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def sources(world: Any, **given: Any) -> Sources:
    made = Sources(
        systems=tuple(world.registry.systems()),
        unit="320000-local",
        unit_name="江苏省某厅",
        center="本机",
        checks=world.compliance._checks,
        kept=CheckStore(world.engine).newest("local"),
        alerts=world.alerts,
        inventory=world.inventory,
        events=world.events,
        ledger=world.ledger,
        retention_days=190,
    )
    return msgspec.structs.replace(made, **given)


def made(world: Any, month: str = "2026-11", now: datetime = NOW) -> Report:
    return monthly(sources(world), month=month, edition=1, now=now)


def test_a_center_with_nothing_yet(world: Any) -> None:
    report = made(world)
    assert (report.alerts, report.sensors, report.events_total) == ((), (), 0)
    assert (report.ledger_size, report.checkpoint) == (0, "")
    assert report.events_oldest == "尚无封存段"
    assert report.totals["未知"] == 3
    assert report.rate is None


def test_alerts_of_the_month_and_of_no_other(world: Any) -> None:
    for day, host in ((datetime(2026, 10, 31, 23, 59, tzinfo=UTC), "a"), (NOW, "b")):
        world.alert(time=day, host=host)
    december = datetime(2026, 12, 1, tzinfo=UTC)
    world.alert(time=december, host="c")
    world.alert(time=december, host="b")  # a group that began in November and goes on
    lines = {line.entity: line for line in made(world, now=december).alerts}
    assert set(lines) == {"host:b"}
    assert lines["host:b"].severity == "高"
    assert lines["host:b"].state == "新"
    assert {line.entity for line in made(world, "2026-12", december).alerts} == {"host:b", "host:c"}
    assert made(world, "2026-10", december).alert_counts == {"high": 1}


def test_more_alerts_than_a_page_holds(world: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "_PAGE", 2)
    for number in range(5):
        world.alert(host=f"h{number}", time=NOW + timedelta(seconds=number))
    report = made(world)
    assert report.alerts_total == 5
    assert len({line.entity for line in report.alerts}) == 5
    monkeypatch.setattr(module, "_GROUPS_MAX", 3)
    assert made(world).alerts_total >= 3


def test_gaps_of_the_month_and_sensors_as_they_are_now(world: Any) -> None:
    for count, time in ((5, NOW), (70, NOW - timedelta(days=40))):
        gap = {
            "event.dataset": "liuhe.gap",
            "gov.gap.lane": "bulk",
            "gov.gap.count": count,
            "gov.gap.reason": "quota",
        }
        world.alerts.commit([], [world.event(gap, time)], world.sequence, time)
    (line,) = made(world).sensors
    assert (line.gaps, line.lost, line.state) == (1, 5, "在线")
    (line,) = made(world, now=NOW + timedelta(hours=1)).sensors
    assert line.state == "失联"


def test_the_ledger_is_told_as_the_checkpoint_signs_it(world: Any) -> None:
    world.compliance.evaluate("system:jobs", NOW)
    signed = world.ledger.latest()
    world.compliance.record("segment", [(1, _late())], NOW)  # a leaf that came after it
    report = made(world)
    assert report.ledger_size == signed.checkpoint.size == world.ledger.size - 1
    assert report.ledger_root == signed.checkpoint.root.hex()
    assert report.checkpoint.splitlines()[1] == str(report.ledger_size)


def test_stale_verdicts_count_as_unknown(world: Any) -> None:
    world.probe(60)
    world.compliance.evaluate("system:jobs", NOW)
    assert made(world).totals["符合"] == 2
    late = made(world, now=NOW + timedelta(days=1))
    assert late.totals["符合"] == 0
    assert late.checks[0].leaf == 0


def _late() -> Any:
    from compliance.ledger import NewEvidence

    return NewEvidence(kind="segment", actor="system:store", subject="segment:1", summary="x", payload=b"x")
