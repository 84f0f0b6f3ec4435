"""The hunt routes: rows as they are found, values, completion, exports; one's own units and nothing else."""

import csv
import io
import json
from typing import Any

import pytest

from sensors.event import Event
from soc_api.routes import hunt

OTHER = "320200"


def told(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def test_rows_counts_and_fields(world: Any, events: list[Event]) -> None:
    client = world.signed_in("analyst")
    lines = told(client("GET", "/hunt/events", params={"q": "主机:web-1", "slots": 24}))
    last = lines[-1]
    assert (last["matched"], sum(last["counts"]), last["done"], len(last["counts"])) == (6, 6, True, 24)
    rows = next(line["events"] for line in lines if line["events"])
    assert [row["fields"]["host.name"] for row in rows] == ["web-1"] * 6
    fields = {row["name"]: row for row in next(line["fields"] for line in lines if line["fields"])}
    assert (fields["host.name"]["zh"], fields["host.name"]["events"]) == ("主机名", 6)
    assert fields["host.name"]["values"] == [{"value": "web-1", "count": 6}]
    assert ("user:analyst", "events.search") in [(line[0], line[1]) for line in world.audited()]


def test_pages_go_on_where_the_last_ended(world: Any, events: list[Event]) -> None:
    client = world.signed_in("analyst")
    seen: list[str] = []
    cursor = ""
    while True:
        lines = told(client("GET", "/hunt/events", params={"limit": 5, "cursor": cursor}))
        rows = [line for line in lines if line["events"] is not None][-1]
        seen += [row["id"] for row in rows["events"]]
        cursor = rows["next"]
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == 17


def test_one_event_by_its_id(world: Any, events: list[Event]) -> None:
    client = world.signed_in("analyst")
    found = client("GET", f"/hunt/events/{events[0].id}").json()
    assert (found["id"], found["native"]) == (events[0].id, {"Image": "/usr/bin/nc"})
    gone = client("GET", f"/hunt/events/{'0' * 40}")
    assert (gone.status_code, gone.json()["code"]) == (404, "event-not-found")


def test_values_and_completion(world: Any, events: list[Event]) -> None:
    client = world.signed_in("analyst")
    page = client("GET", "/hunt/values", params={"field": "host.name"}).json()
    assert (page["matched"], page["more"]) == (17, False)
    assert sum(row["count"] for row in page["rows"]) == 17
    items = client("GET", "/hunt/complete", params={"q": "主机", "cursor": 2}).json()["items"]
    assert "主机:" in [item["insert"] for item in items]
    values = client("GET", "/hunt/complete", params={"q": "host.name:", "cursor": 10}).json()
    assert (values["expects"], {item["insert"] for item in values["items"]}) == (
        "value",
        {"web-0", "web-1", "web-2"},
    )


@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
def test_export_is_whole_safe_and_marked(world: Any, events: list[Event], charset: str) -> None:
    client = world.signed_in("analyst")
    answer = client("GET", "/hunt/export", params={"columns": "time,unit,message", "charset": charset})
    text = answer.content.decode(charset).removeprefix("\ufeff")
    mark, head, *rows = csv.reader(io.StringIO(text))
    assert "user:analyst" in mark[0]
    assert (head, len(rows)) == (["time", "unit", "message"], 17)
    assert {row[2] for row in rows} == {"'=1+1 张三"}
    assert "events.export" in [line[1] for line in world.audited()]


def test_export_of_whole_events(world: Any, events: list[Event]) -> None:
    answer = world.signed_in("shift_lead")("GET", "/hunt/export", params={"format": "ndjson"})
    mark, *rows = [json.loads(line) for line in answer.text.splitlines()]
    assert mark["watermark"]["person"] == "user:shift-lead"
    assert {row["id"] for row in rows} == {event.id for event in events}


def test_another_unit_sees_its_own(world: Any, events: list[Event]) -> None:
    world.registry.plant(world.now)
    client = world.signed_in("analyst", unit=OTHER)
    assert told(client("GET", "/hunt/events"))[-1]["matched"] == 5
    rows = client("GET", "/hunt/export", params={"format": "ndjson"}).text.splitlines()
    assert len(rows) == 1 + 5
    assert client("GET", "/hunt/values", params={"field": "unit"}).json()["matched"] == 5
    assert client("GET", f"/hunt/events/{events[0].id}").json()["code"] == "unit-scope"
    stranger = world.signed_in("analyst", "stranger", unit="320300")
    completed = stranger("GET", "/hunt/complete", params={"q": "host.name:", "cursor": 10}).json()
    assert completed["items"] == []


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"q": "user.name:("}, "query-syntax"),
        ({"since": "2026-11-22T08:00:00Z", "until": "2026-11-22T08:00:00Z"}, "hunt-range"),
        ({"since": "2026-11-22T08:00:00"}, "hunt-range"),
        ({"cursor": "nonsense"}, "hunt-cursor"),
    ],
)
def test_what_cannot_be_asked_is_said_in_words(world: Any, given: dict[str, str], code: str) -> None:
    answer = world.signed_in("analyst")("GET", "/hunt/events", params=given)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_only_so_many_at_once(world: Any, events: list[Event]) -> None:
    client = world.signed_in("analyst")
    held = [hunt.Turn() for _ in range(hunt.TOGETHER_MAX)]
    for one in held:
        one.__enter__()
    busy = client("GET", "/hunt/events")
    assert (busy.status_code, busy.json()["code"], busy.headers["Retry-After"]) == (429, "hunt-busy", "60")
    for one in held:
        one.__exit__()
    for _ in range(2 * hunt.TOGETHER_MAX):
        assert client("GET", "/hunt/events").status_code == 200


def test_roles_without_the_permission_are_refused(world: Any, events: list[Event]) -> None:
    for role in ("system_admin", "security_admin", "audit_admin", "compliance_officer", "wall_display"):
        assert world.signed_in(role)("GET", "/hunt/events").status_code == 403
