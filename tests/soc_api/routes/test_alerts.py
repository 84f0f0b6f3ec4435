"""Tests of the alert routes over the real alert store."""

from typing import Any

import pytest

REASON = {"classification": "test", "reason": "演练"}


def test_the_queue_pages_and_filters(world: Any) -> None:
    for number in range(5):
        world.raise_alert(rule=f"r{number}", sequence=number + 1)
    client = world.signed_in("analyst")
    first = client("GET", "/alerts?limit=3").json()
    rest = client("GET", "/alerts", params={"limit": 3, "cursor": first["next"]}).json()
    assert [len(first["rows"]), len(rest["rows"]), rest["next"], first["total"]] == [3, 2, "", 5]
    assert len({row["id"] for row in first["rows"] + rest["rows"]}) == 5
    row = first["rows"][0]
    assert row["title"] == {"zh": "监听", "en": "Listener"}
    assert (row["severity"], row["entity"], row["count"], row["state"]) == ("high", "host:web-01", 1, "new")
    assert client("GET", "/alerts?state=closed").json()["rows"] == []
    assert client("GET", "/alerts?severity=low").json()["total"] == 0
    assert client("GET", "/alerts?q=web-01&detector=sigma").json()["total"] == 5


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("state=gone", "query.state"),
        ("severity=huge", "query.severity"),
        ("limit=0", "query.limit"),
        ("cursor=x", "cursor"),
        ("q=" + "x" * 501, "query.q"),
    ],
)
def test_a_wrong_parameter_is_named(world: Any, query: str, field: str) -> None:
    answer = world.signed_in("analyst")("GET", f"/alerts?{query}")
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_a_group_shows_its_events_and_what_matched(world: Any) -> None:
    alert = world.raise_alert()
    body = world.signed_in("analyst")("GET", f"/alerts/{alert.group}").json()
    shown = body["alerts"][0]
    assert shown["events"][0]["native"] == {"Image": "/usr/bin/nc"}
    assert shown["events"][0]["fields"]["process.args"] == ["nc", "-l"]
    assert shown["matched"][0]["value"] == "/usr/bin/nc"
    assert shown["matched"][0]["event"] == shown["events"][0]["id"]
    assert shown["time"].endswith("Z")
    assert [row["action"] for row in body["history"]] == ["opened"]


def test_acknowledge_close_and_reopen_are_kept_and_audited(world: Any) -> None:
    group = world.raise_alert().group
    client = world.signed_in("shift_lead")
    assert client("POST", f"/alerts/{group}/acknowledge").json()["owner"] == "user:shift-lead"
    closed = client("POST", f"/alerts/{group}/close", json=REASON).json()
    assert (closed["state"], closed["classification"], closed["close_reason"]) == ("closed", "test", "演练")
    assert client("POST", f"/alerts/{group}/reopen").json()["state"] == "acknowledged"
    history = client("GET", f"/alerts/{group}").json()["history"]
    assert [row["action"] for row in history] == ["reopened", "closed", "acknowledged", "opened"]
    assert [line[1:] for line in world.audited()[-3:]] == [
        ("alert.acknowledge", group, "accepted"),
        ("alert.close", f"{group} test", "accepted"),
        ("alert.reopen", group, "accepted"),
    ]


def test_what_the_state_does_not_allow_is_refused_and_audited(world: Any) -> None:
    group = world.raise_alert().group
    client = world.signed_in("analyst")
    assert client("POST", f"/alerts/{group}/close", json=REASON).status_code == 200
    answer = client("POST", f"/alerts/{group}/close", json=REASON)
    assert (answer.status_code, answer.json()["code"]) == (409, "alert-state")
    assert world.audited()[-1][1:] == ("alert.close", f"{group} test", "failed: alert-state")
    assert client("GET", f"/alerts/{'0' * 32}").status_code == 404
    assert client("GET", "/alerts/..%2f..%2fetc").status_code in (404, 422)


@pytest.mark.parametrize(
    "body",
    [{}, {"classification": "test"}, {"classification": "fine", "reason": "xx"}, REASON | {"reason": "x"}],
)
def test_closing_needs_a_classification_and_a_reason(world: Any, body: dict[str, str]) -> None:
    group = world.raise_alert().group
    answer = world.signed_in("analyst")("POST", f"/alerts/{group}/close", json=body)
    assert answer.status_code == 422
    assert answer.json()["field"].startswith("body.")
