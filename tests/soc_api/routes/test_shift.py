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
