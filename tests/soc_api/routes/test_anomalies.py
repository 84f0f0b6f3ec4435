"""Unusual entities over HTTP: ranked, within the budget or beyond it, and what closings propose."""

from typing import Any

from crypto.words import Words
from detection.alert import Alert, Claim, Match, claim
from detection.anomaly.budget import Budget
from detection.anomaly.open import open_budget
from sensors.event import LogSource, Observation, stamp

SAID = Claim(rule="anomaly.host-window", detector="anomaly", title=Words("异常", "odd"), severity="medium")
REASON = {"classification": "benign_positive", "reason": "夜间备份"}


def raised(world: Any, number: int, host: str, budget: Budget | None = None) -> Alert:
    seen = Observation(time=world.now, logsource=LogSource(), fields={"host.name": host})
    event = stamp(seen, unit="320000-local", sensor="s", epoch=0, sequence=number)
    match = Match(event=event.id, field="events", value=40.0, peers=(0.0, 9.0), one_in=3_000.0)
    made = claim(SAID, entity=f"host:{host}", reason=Words("因", "why"), events=(event,), matched=(match,))
    world.alerts.commit([made] if budget is None else budget.sift([made]), [event], None, world.now)
    return made


def test_entities_are_ranked_and_the_rest_is_kept_and_found(world: Any) -> None:
    budget = open_budget()
    for number in range(12):
        raised(world, number, f"web-{number:02d}", budget)
    raised(world, 20, "web-05", budget)
    body = world.signed_in("analyst")("GET", "/anomalies").json()
    assert (body["total"], body["within"], body["budget"], body["learned"]) == (12, 10, 10, False)
    assert body["rows"][0]["entity"] == "host:web-05"  # twice
    beyond = {row["entity"] for row in body["rows"] if not row["within"]}
    assert beyond == {"host:web-10", "host:web-11"}
    held = world.signed_in("analyst", "third")("GET", "/alerts?state=withheld").json()
    assert {row["entity"] for row in held["rows"]} == beyond
    assert all(row["withheld"] for row in held["rows"])
    shown = world.signed_in("analyst", "fourth")("GET", "/alerts?state=open").json()
    assert (shown["total"], any(row["withheld"] for row in shown["rows"])) == (10, False)
    last = body["rows"][-1]["entity"]
    found = world.signed_in("analyst", "other")("GET", f"/anomalies?entity={last[5:]}").json()
    assert [row["entity"] for row in found["rows"]] == [last]


def test_the_windows_before_are_counted_from_stored_events(world: Any) -> None:
    made = raised(world, 1, "web-01")
    analyst = world.signed_in("analyst")
    path = f"/anomalies/{made.group}/course"
    assert analyst("GET", path).json() == {"window_seconds": 60, "starts": [], "rows": []}
    stored = [*made.events, *(raised(world, number, "web-01").events[0] for number in (2, 3))]
    world.center.events.matching = lambda question: [one for one in stored if question.holds(one)]
    body = analyst("GET", path).json()
    assert body["rows"] == [{"field": "events", "values": [3.0]}]
    assert len(body["starts"]) == 1
    far = world.signed_in("shift_lead", "far", unit="320100")
    assert far("GET", path).status_code == 403


def test_another_unit_sees_none(world: Any) -> None:
    raised(world, 1, "web-01")
    far = world.signed_in("shift_lead", "far", unit="320100")
    assert far("GET", "/anomalies").json()["total"] == 0
    assert far("GET", "/anomalies/proposals").json()["labels"] == 0


def test_what_closings_propose_goes_once_it_is_asked_for(world: Any) -> None:
    lead = world.signed_in("shift_lead")
    for number in range(3):
        made = raised(world, number, "web-01")
        group = made.group if not number else f"{made.group}-{number + 1}"
        assert lead("POST", f"/alerts/{group}/close", json=REASON).status_code == 200
    body = lead("GET", "/anomalies/proposals").json()
    assert (body["labels"], body["needed"]) == (3, 50)
    (row,) = body["rows"]
    assert (row["kind"], row["condition"]) == ("entity", 'alert.entity:"host:web-01"')
    order = {
        "kind": "exception",
        "rules": [row["rule"]],
        "unit": row["unit"],
        "condition": row["condition"],
        "title": "夜间备份",
        "reason": row["why"]["zh"],
        "expires": "2027-01-01T00:00:00Z",
    }
    asked = lead("POST", "/exceptions", json=order)
    assert asked.status_code == 201, asked.text
    assert lead("GET", "/anomalies/proposals").json()["rows"] == []
