"""Which tasks the registry asks for: strangers, silence, clocks."""

from datetime import UTC, date, datetime, timedelta

from compliance.grading_process import Deadline
from compliance.registry import Asset
from compliance.registry_watch import SeenHost, day_of, tasks_wanted

NOW = datetime(2026, 11, 22, tzinfo=UTC)
UNITS = {"portal": "320100-zwb"}


def host(name: str, unit: str = "320100-zwb", days: int = 0) -> SeenHost:
    return SeenHost(name=name, unit=unit, last_seen=NOW - timedelta(days=days))


def test_a_machine_nobody_registered_is_a_task_of_its_unit() -> None:
    assets = [Asset(system="portal", name="web-01", origin="sensor", found=NOW)]
    (task,) = tasks_wanted(
        assets=assets, units=UNITS, seen=[host("web-01"), host("db-09"), host("db-09")], clocks=[], now=NOW
    )
    assert (task.kind, task.key, task.unit) == ("unregistered-asset", "320100-zwb/db-09", "320100-zwb")
    assert task.due == date(2026, 12, 22)
    assert "db-09" in task.what.zh


def test_a_registered_machine_nobody_hears_is_asked_about() -> None:
    old = NOW - timedelta(days=30)
    assets = [
        Asset(system="portal", name="gone", origin="sensor", found=old),
        Asset(system="portal", name="here", origin="sensor", found=old),
        Asset(system="portal", name="fresh", origin="sensor", found=NOW),
        Asset(
            system="portal", name="switch", kind="network-device", found=old
        ),  # entered: never had a sensor
    ]
    found = tasks_wanted(
        assets=assets, units=UNITS, seen=[host("gone", days=8), host("here", days=6)], clocks=[], now=NOW
    )
    assert [(task.kind, task.key) for task in found] == [("silent-asset", "portal/gone")]
    assert "2026-11-14" in found[0].what.en


def test_clocks_are_tasks_with_their_day() -> None:
    clocks = [
        Deadline(kind="filing-expires", system="portal", unit="u", due=date(2026, 12, 1), days=9),
        Deadline(kind="crypto-due", system="portal", unit="u", due=date(2026, 11, 1), days=-21),
    ]
    found = tasks_wanted(assets=[], units={}, seen=[], clocks=clocks, now=NOW)
    assert [task.due for task in found] == [date(2026, 12, 1), date(2026, 11, 1)]
    assert "已过 21 天" in found[1].what.zh


def test_days() -> None:
    assert day_of("2026-11-22") == date(2026, 11, 22)
    assert day_of(None) is None
