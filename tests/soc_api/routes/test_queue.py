"""The queue's routes around the list: acts, undo, buckets, completion, views, alerts by hand, units."""

from datetime import timedelta
from typing import Any

import pytest

from compliance.asset_store import AssetStore
from compliance.registry import Asset, GradedSystem
from soc_api.queue_rounds import queue_rounds
from soc_api.queue_rows import text_of

CLOSE = {"action": "close", "classification": "test", "reason": "演练"}


@pytest.fixture
def groups(world: Any) -> list[str]:
    return [world.raise_alert(rule=f"r{n % 2}", host=f"web-{n}", sequence=n + 1).group for n in range(4)]


def test_an_act_is_done_audited_and_undone(world: Any, groups: list[str]) -> None:
    client = world.signed_in("analyst")
    act = client("POST", "/alerts/acts", json={**CLOSE, "groups": groups[:2]}).json()
    assert (act["state"], act["total"], act["done"], act["refused"]) == ("done", 2, 2, 0)
    assert world.audited()[-1][1:] == ("alert.acts", f"close 2 groups {groups[0]} {groups[1]}", "accepted")
    assert client("GET", "/alerts").json()["total"] == 2
    shown = client("GET", f"/alerts/acts/{act['id']}").json()
    assert {item["state"] for item in shown["items"]} == {"done"}
    assert [one["id"] for one in client("GET", "/alerts/acts").json()["rows"]] == [act["id"]]
    assert world.signed_in("shift_lead")("GET", f"/alerts/acts/{act['id']}").status_code == 404
    assert client("POST", f"/alerts/acts/{act['id']}/undo").json()["state"] == "undone"
    assert client("GET", "/alerts").json()["total"] == 4
    world.now += timedelta(seconds=60)
    answer = client("POST", f"/alerts/acts/{act['id']}/undo")
    assert (answer.status_code, answer.json()["code"]) == (409, "alert-undo")


def test_an_act_on_a_filter_names_no_group(world: Any, groups: list[str]) -> None:
    client = world.signed_in("analyst")
    assert client("POST", "/alerts/acts", json={"action": "note", "reason": "看过"}).status_code == 422
    both = {"action": "acknowledge", "groups": groups, "filter": {}}
    assert client("POST", "/alerts/acts", json=both).status_code == 422
    act = client("POST", "/alerts/acts", json={"action": "acknowledge", "filter": {"q": "rule:r1"}}).json()
    assert (act["total"], act["done"]) == (2, 2)
    assert client("GET", "/alerts?q=owner:me").json()["total"] == 2
    refused = client(
        "POST", "/alerts/acts", json={"action": "acknowledge", "filter": {"q": "rule:r1"}}
    ).json()
    items = client("GET", f"/alerts/acts/{refused['id']}?state=refused").json()["items"]
    assert items[0]["message"]["zh"]
    other = client(
        "POST", "/alerts/acts", json={"action": "assign", "owner": "user:nobody", "groups": groups}
    )
    assert (other.status_code, other.json()["field"]) == (422, "owner")


def test_many_are_worked_on_in_the_background(
    world: Any, groups: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detection.store.act_store.INLINE_GROUPS_MAX", 1)
    client = world.signed_in("analyst")
    act = client("POST", "/alerts/acts", json={**CLOSE, "filter": {}}).json()
    assert act["state"] == "running"
    with queue_rounds(world.center):
        for _ in range(600):
            shown = client("GET", f"/alerts/acts/{act['id']}").json()["act"]
            if shown["state"] == "done":
                break
            world.run(__import__("asyncio").sleep, 0.05)
    assert (shown["state"], shown["done"]) == ("done", 4)


def test_merging_assigning_and_snoozing(world: Any, groups: list[str]) -> None:
    lead = world.account("shift_lead")
    client = world.signed_in("analyst")
    people = client("GET", "/alerts/people").json()["rows"]
    assert f"user:{lead}" in {row["actor"] for row in people}
    merge = {"action": "merge", "into": groups[0], "groups": groups[1:3]}
    assert client("POST", "/alerts/acts", json=merge).json()["done"] == 2
    rows = client("GET", "/alerts").json()["rows"]
    assert {row["id"]: (row["members"], row["total"]) for row in rows} == {
        groups[0]: (2, 3),
        groups[3]: (0, 1),
    }
    assert len(client("GET", f"/alerts/{groups[0]}").json()["members"]) == 2
    until = (world.now + timedelta(hours=1)).isoformat()
    client("POST", "/alerts/acts", json={"action": "snooze", "until": until, "groups": [groups[3]]})
    assert client("GET", "/alerts?state=snoozed").json()["total"] == 1
    assign = {"action": "assign", "owner": f"user:{lead}", "groups": [groups[0]]}
    assert client("POST", "/alerts/acts", json=assign).json()["done"] == 3


def test_rows_know_their_unit_and_system(world: Any, groups: list[str]) -> None:
    registry = world.registry.registry
    registry.plant(world.registry._standard, world.now)
    unit = next(iter(registry.tree().units())).code
    system = GradedSystem(id="portal", unit=unit, name="政务门户", level=3, grade="S3A3G3")
    registry.put_system(system, world.now, "user:a")
    AssetStore(world.engine).put_asset(Asset(system="portal", name="WEB-1"), world.now, "user:a")
    client = world.signed_in("analyst")
    rows = {row["entity"]: row for row in client("GET", "/alerts?sort=risk").json()["rows"]}
    assert rows["host:web-1"]["system"]["name"] == "政务门户"
    assert rows["host:web-1"]["risk"] == 25
    assert rows["host:web-2"]["system"] is None
    found = client("GET", "/alerts?q=系统:政务").json()
    assert [row["entity"] for row in found["rows"]] == ["host:web-1"]
    buckets = client("GET", "/alerts/buckets?by=unit").json()["rows"]
    assert [(row["groups"], row["alerts"], row["worst"]) for row in buckets] == [(4, 4, "high")]
    assert text_of("a").zh == "a"


def test_a_page_comes_before_a_count_that_takes_long(
    world: Any, groups: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detection.store.group_page.BROAD_ROWS", 2)
    client = world.signed_in("analyst")
    page = client("GET", "/alerts?q=web&whole=false&limit=3").json()
    assert (len(page["rows"]), page["exact"]) == (3, False)
    assert client("GET", "/alerts/count?q=web").json()["total"] == 4
    known = client("GET", "/alerts?q=web&whole=false&limit=3").json()
    assert (known["total"], known["exact"]) == (4, True)
    assert client("GET", "/alerts/count?state=closed").json()["total"] == 0


def test_the_query_bar_completes(world: Any, groups: list[str]) -> None:
    client = world.signed_in("analyst")
    fields = client("GET", "/alerts/completion?q=程&cursor=1").json()
    assert (fields["expects"], fields["items"][0]["insert"]) == ("field", "程度:")
    values = client("GET", "/alerts/completion?q=rule:r&cursor=6").json()
    assert {item["insert"] for item in values["items"]} == {"r0", "r1"}


def test_views_are_of_the_role_and_ones_own(world: Any) -> None:
    lead, analyst = world.signed_in("shift_lead"), world.signed_in("analyst")
    body = {"name": "晚班", "settings": {"q": "severity:high", "by": ["unit"]}}
    before = len(lead("GET", "/alerts/views").json()["rows"])
    saved = lead("POST", "/alerts/views", json=body).json()["rows"]
    lead("POST", "/alerts/views", json=body)
    assert len(lead("GET", "/alerts/views").json()["rows"]) == before + 1
    view = next(row for row in lead("GET", "/alerts/views").json()["rows"] if row["own"])
    assert saved[-1]["name"]["zh"] == view["name"]["zh"] == "晚班"
    assert "晚班" not in {row["name"]["zh"] for row in analyst("GET", "/alerts/views").json()["rows"]}
    assert analyst("POST", f"/alerts/views/{view['id']}/share", json={"role": "analyst"}).status_code == 403
    assert lead("POST", f"/alerts/views/{view['id']}/share", json={"role": "analyst"}).status_code == 200
    assert "晚班" in {row["name"]["zh"] for row in analyst("GET", "/alerts/views").json()["rows"]}
    assert analyst("DELETE", f"/alerts/views/{view['id']}").status_code == 404
    assert lead("DELETE", f"/alerts/views/{view['id']}").status_code == 204


def test_an_alert_by_hand_is_like_any_other(world: Any) -> None:
    client = world.signed_in("analyst")
    body = {"title": "电话报告", "reason": "值班室称网页被改", "severity": "high", "entity": "host:portal"}
    first = client("POST", "/alerts", json=body)
    assert first.status_code == 201
    second = client("POST", "/alerts", json=body).json()
    assert first.json()["id"] != second["id"]
    detail = client("GET", f"/alerts/{second['id']}").json()
    assert detail["group"]["detector"] == "manual"
    assert detail["alerts"][0]["events"][0]["fields"]["message"] == "值班室称网页被改"
    assert client("POST", "/alerts", json=body | {"entity": "portal"}).status_code == 422


def test_another_unit_sees_and_does_nothing(world: Any, groups: list[str]) -> None:
    registry = world.registry.registry
    registry.plant(world.registry._standard, world.now)
    unit = [one.code for one in registry.tree().units() if one.code != "320000-local"][-1]
    client = world.signed_in("analyst", "outsider", unit=unit)
    assert client("GET", "/alerts").json()["total"] == 0
    assert client("GET", "/alerts/buckets?by=entity").json()["rows"] == []
    assert client("GET", "/alerts/completion?q=rule:r&cursor=6").json()["items"] == []
    assert client("POST", "/alerts/acts", json={**CLOSE, "groups": groups}).status_code == 403
    assert client("POST", "/alerts/acts", json={**CLOSE, "filter": {}}).json()["total"] == 0
    body = {
        "title": "电话报告",
        "reason": "情况",
        "severity": "low",
        "entity": "host:a",
        "unit": "320000-local",
    }
    assert client("POST", "/alerts", json=body).status_code == 403
    mine = client("POST", "/alerts", json=body | {"unit": ""}).json()["id"]
    merge = {"action": "merge", "into": groups[0], "groups": [mine]}
    assert client("POST", "/alerts/acts", json=merge).status_code == 403
    assert world.signed_in("analyst")("GET", "/alerts?state=all").json()["total"] == 5
