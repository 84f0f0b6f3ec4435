"""The numbers of a shift over HTTP, within one's units."""

from datetime import timedelta
from typing import Any


def test_what_waits_and_how_fast_it_goes_is_told(world: Any) -> None:
    first, second = world.raise_alert(), world.raise_alert(host="db-01", sequence=2)
    client = world.signed_in("analyst")
    world.now += timedelta(minutes=10)
    assert client("POST", f"/alerts/{first.group}/acknowledge").status_code == 200
    reason = {"classification": "false_positive", "reason": "巡检"}
    world.now += timedelta(minutes=10)
    assert client("POST", f"/alerts/{second.group}/close", json=reason).status_code == 200
    world.now += timedelta(minutes=1)
    body = client("GET", "/shift").json()
    assert body["untouched"] == {"critical": 0, "high": 0}
    assert body["ages"][0] == {"age": "hour", "open": {"high": 1}}
    assert [(row["owner"], row["groups"], row["urgent"]) for row in body["owners"]] == [
        ("user:analyst", 1, 1)
    ]
    assert body["taken"] == {"groups": 1, "mean": 600.0, "median": 600.0}
    assert body["closed"]["mean"] == 1_200.0
    assert (sum(body["opened_per_hour"]), sum(body["closed_per_hour"])) == (2, 1)
    assert (body["orders_open"], body["late"], body["held_day"], body["exceptions_waiting"]) == (0, [], 0, 0)


def test_numbers_of_other_units_are_not_told(world: Any) -> None:
    world.raise_alert()
    body = world.signed_in("shift_lead", "far", unit="320100")("GET", "/shift").json()
    assert (body["owners"], sum(body["opened_per_hour"]), body["silent"], body["rules"]) == ([], 0, [], [])
    assert body["taken"] == {"groups": 0, "mean": None, "median": None}


def test_what_is_past_its_time_is_counted_for_who_may_read_it(world: Any) -> None:
    lead = world.signed_in("shift_lead")
    given = {"title": "网站首页被篡改", "unit": "320000-local", "grade": 3, "kind": "网页篡改"}
    made = lead("POST", "/incidents", json=given).json()["incident"]
    assert lead("GET", "/overdue").json() == {"incidents": 0, "notices": 0, "orders": 0}
    world.now += timedelta(hours=5)
    later = world.signed_in("shift_lead", "later")
    assert later("GET", "/overdue").json() == {"incidents": 1, "notices": 0, "orders": 0}
    numbers = later("GET", "/shift").json()
    assert (numbers["incidents_open"], numbers["incidents_overdue"]) == (1, 1)
    shown = later("GET", "/wall").json()
    assert (shown["incidents_open"], shown["incidents_overdue"]) == (1, 1)
    assert [(row["kind"], row["number"]) for row in shown["due"]] == [("incident", made["number"])]
    assert "篡改" not in str(shown)
    assert world.signed_in("system_admin")("GET", "/overdue").json()["incidents"] == 0
    far = world.signed_in("shift_lead", "far", unit="320100")
    assert far("GET", "/overdue").json()["incidents"] == 0
