"""What stands beside an alert, over HTTP; never of other units."""

from typing import Any

LOGIN_FAILED = "107d2fe8-f826-4ac3-8e81-611db8015914"


def test_precedents_tell_how_the_like_was_closed(world: Any) -> None:
    group = world.raise_alert().group
    world.raise_alert(host="db-01", sequence=2)
    client = world.signed_in("analyst")
    reason = {"classification": "false_positive", "reason": "巡检脚本"}
    assert client("POST", f"/alerts/{group}/close", json=reason).status_code == 200
    again = world.raise_alert(sequence=3)
    body = client("GET", f"/alerts/{again.group}-2/precedents").json()
    assert (body["same"][0]["id"], body["same"][0]["close_reason"]) == (group, "巡检脚本")
    assert (body["same"][0]["closed_by"], body["others"], body["judged"]) == (
        "user:analyst",
        [],
        {"false_positive": 1},
    )


def test_related_tells_processes_and_groups_of_the_host(world: Any) -> None:
    group = world.raise_alert(process__pid=7, process__command_line="nc -l").group
    other = world.raise_alert(rule="r2", sequence=2).group
    body = world.signed_in("analyst")("GET", f"/alerts/{group}/related").json()
    assert [row["id"] for row in body["groups"]] == [other]
    assert [(row["place"], row["pid"], row["command_line"]) for row in body["processes"]] == [
        (0, "7", "nc -l")
    ]
    assert (body["session_field"], body["session"]) == ("", [])


def test_steps_of_a_playbook_are_marked_with_who_and_when(world: Any) -> None:
    group = world.raise_alert(rule=LOGIN_FAILED).group
    client = world.signed_in("analyst")
    body = client("GET", f"/alerts/{group}/playbook").json()
    assert (body["done"], body["total"], body["playbook"]["id"]) == (0, 5, "login")
    step = body["playbook"]["steps"][0]["id"]
    marked = client("POST", f"/alerts/{group}/playbook", json={"step": step, "done": True}).json()
    assert marked["done"] == 1
    assert marked["playbook"]["steps"][0]["actor"] == "user:analyst"
    assert world.audited()[-1][1:] == ("playbook.mark", f"{group} {step} done", "accepted")
    none = client("GET", f"/alerts/{world.raise_alert(sequence=2).group}/playbook").json()
    assert none == {"playbook": None, "done": 0, "total": 0}
    wrong = client("POST", f"/alerts/{group}/playbook", json={"step": "0" * 16, "done": True})
    assert (wrong.status_code, wrong.json()["code"]) == (404, "playbook-step-not-found")
    books = client("GET", "/playbooks").json()["rows"]
    assert LOGIN_FAILED in next(book["rules"] for book in books if book["id"] == "login")


def test_other_units_are_kept_apart(world: Any) -> None:
    group = world.raise_alert().group
    far = world.signed_in("shift_lead", "far", unit="320100")
    for path in ("precedents", "related", "playbook"):
        assert far("GET", f"/alerts/{group}/{path}").json()["code"] == "unit-scope"
    mark = far("POST", f"/alerts/{group}/playbook", json={"step": "0" * 16, "done": True})
    assert mark.json()["code"] == "unit-scope"
