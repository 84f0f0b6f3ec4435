"""Views are kept and shared by routes; a query becomes a draft that another person decides about."""

from typing import Any

from detection.sigma.load import load_rules
from sensors.event import LogSource
from soc_api.hunt_desk import OWN_RULES
from soc_api.routes.hunt_views import common_source
from soc_api.rule_set import shipped_rules


def test_views_are_saved_shared_and_removed(world: Any) -> None:
    client = world.signed_in("analyst")
    body = {"name": "夜间登录", "settings": {"q": "user.name:root", "range": "7d"}, "shared": True}
    saved = client("POST", "/hunt/views", json=body)
    assert saved.status_code == 200, saved.text
    other = world.signed_in("analyst", "other")
    (row,) = other("GET", "/hunt/views").json()["rows"]
    assert (row["name"], row["own"], row["settings"]["range"]) == ("夜间登录", False, "7d")
    assert other("POST", f"/hunt/views/{row['id']}/remove").json()["code"] == "view-not-found"
    assert client("POST", f"/hunt/views/{row['id']}/remove").json()["rows"] == []
    assert {"view.save", "view.remove"} <= {line[1] for line in world.audited()}


def drafted(world: Any, client: Any, events: Any, **over: str) -> Any:
    body = {
        "q": "host.name:web-1",
        "title": "可疑的 nc",
        "since": "2026-11-21T08:00:00Z",
        "until": "2026-11-22T08:00:00Z",
        **over,
    }
    return client("POST", "/hunt/drafts", json=body)


def test_a_draft_is_accepted_by_somebody_else_and_becomes_a_rule(
    world: Any, events: Any, tmp_path: Any
) -> None:
    analyst, admin = world.signed_in("analyst"), world.signed_in("security_admin")
    draft = drafted(world, analyst, events).json()
    assert "product: linux" in draft["text"]
    assert "category: process_creation" in draft["text"]
    assert analyst("POST", f"/rules-drafts/{draft['id']}/accept", json={"reason": "ok!"}).status_code == 403
    (row,) = admin("GET", "/rules-drafts").json()["rows"]
    assert row["state"] == "draft"
    done = admin("POST", f"/rules-drafts/{draft['id']}/accept", json={"reason": "看过命中"}).json()
    assert (done["state"], done["decider"]) == ("accepted", "user:security-admin")
    again = admin("POST", f"/rules-drafts/{draft['id']}/refuse", json={"reason": "no"})
    assert (again.status_code, again.json()["code"]) == (409, "draft-state")
    folder = world.folder / OWN_RULES
    (rule,), errors = load_rules([folder])
    assert (rule.id, errors) == (draft["rule"], [])
    empty = tmp_path / "none"
    empty.mkdir()
    assert draft["rule"] in shipped_rules(empty, own=folder).versions


def test_a_draft_needs_a_condition_and_a_source(world: Any, events: Any) -> None:
    client = world.signed_in("analyst")
    assert drafted(world, client, events, q="*").json()["code"] == "draft-condition"
    assert drafted(world, client, events, q="host.name:nowhere").json()["code"] == "draft-source"


def test_another_units_drafts_are_out_of_reach(world: Any, events: Any) -> None:
    world.registry.plant(world.now)
    draft = drafted(world, world.signed_in("analyst"), events).json()
    stranger = world.signed_in("security_admin", "stranger", unit="320200")
    assert stranger("GET", "/rules-drafts").json()["rows"] == []
    refused = stranger("POST", f"/rules-drafts/{draft['id']}/refuse", json={"reason": "no"})
    assert (refused.status_code, refused.json()["code"]) == (403, "unit-scope")


def test_what_sources_have_in_common(world: Any, events: Any) -> None:
    assert common_source(()) == LogSource()
    assert common_source(tuple(events)) == LogSource(product="linux", category="process_creation")
