"""What is open, since when, with whom; how long groups waited; within units."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Engine

from detection.alert import Alert
from detection.store.alert_store import AlertStore
from detection.store.shift_store import ShiftStore

MINUTE = timedelta(minutes=1)


def test_open_groups_are_counted_by_place_age_and_owner(
    engine: Engine, start: datetime, make_alert: Callable[..., Alert]
) -> None:
    alerts, shift = AlertStore(engine), ShiftStore(engine)
    old, fresh = make_alert(0, severity="critical"), make_alert(7_000, rule="rule-2", severity="low")
    closed = make_alert(10, rule="rule-3")
    alerts.commit([old, fresh, closed], [], None, start)
    alerts.close(closed.group, "user:li", "test", "演练", start)
    alerts.acknowledge(fresh.group, "user:zhang", start)
    now = start + timedelta(hours=2)
    assert {(one.unit, one.severity, one.groups) for one in shift.places(None)} == {
        ("nanjing", "critical", 1),
        ("nanjing", "low", 1),
    }
    assert shift.places(["suzhou"]) == []
    assert (shift.untouched("critical", None), shift.untouched("low", None)) == (1, 0)
    ages = shift.ages(now, None)
    assert (ages["hour"], ages["shift"], ages["older"]) == ({"low": 1}, {"critical": 1}, {})
    assert [(one.owner, one.groups, one.urgent) for one in shift.owners(None)] == [
        ("", 1, 1),
        ("user:zhang", 1, 0),
    ]
    newest = shift.newest(None, 2)
    assert [one.severity for one in newest] == ["low", "high"]
    assert newest[0].title.en == "Reverse shell"
    assert shift.newest([], 5) == []


def test_waits_run_from_the_opening_to_the_first_act(
    engine: Engine, start: datetime, make_alert: Callable[..., Alert]
) -> None:
    alerts, shift = AlertStore(engine), ShiftStore(engine)
    made = [make_alert(n, rule=f"rule-{n}") for n in range(3)]
    alerts.commit(made, [], None, start)
    for n, alert in enumerate(made):
        alerts.acknowledge(alert.group, "user:a", start + (n + 1) * 10 * MINUTE)
    alerts.close(made[0].group, "user:a", "test", "演练", start + timedelta(hours=1))
    found = shift.waits("acknowledged", start, None)
    assert (found.groups, found.mean, found.median) == (3, 1_200.0, 1_200.0)
    assert shift.waits("closed", start, None).mean == 3_600.0
    assert shift.waits("closed", start + timedelta(hours=2), None).groups == 0
    assert shift.waits("acknowledged", start, ["suzhou"]).mean is None
    flow = shift.flow(start + 90 * MINUTE, 2, None)
    assert (flow.opened, flow.closed) == ((3, 0), (0, 1))
    assert shift.flow(start + 90 * MINUTE, 2, ["suzhou"]).opened == (0, 0)
