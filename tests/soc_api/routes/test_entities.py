"""Entity routes: what is known of hosts, users and addresses, within one's own units."""

from datetime import timedelta
from typing import Any

from detection.store.entity_store import EntityName
from soc_api.routes.entities import named, query_of


def test_a_host_with_its_alerts_and_risk(world: Any, events: Any) -> None:
    world.raise_alert(host="web-1", sequence=100)
    world.raise_alert(host="web-11", sequence=101)
    client = world.signed_in("analyst")
    found = client("GET", "/entities/host/web-1", params={"days": 7}).json()
    assert [row["entity"] for row in found["alerts"]] == ["host:web-1"]
    assert (found["alerts_open"], len(found["days"])) == (1, 7)
    assert found["risk"] == found["days"][-1]["risk"] > 0
    assert (found["days"][0]["risk"], found["days"][-1]["alerts"]) == (0, 1)
    assert found["units"] == [{"unit": "320000-local", "name": "320000-local"}] or found["units"][0]["name"]
    assert "entity.read" in [line[1] for line in world.audited()]


def test_closed_as_false_is_no_risk(world: Any, events: Any) -> None:
    world.raise_alert(host="web-1")
    client = world.signed_in("analyst")
    group = client("GET", "/entities/host/web-1").json()["alerts"][0]["id"]
    world.alerts.close(group, "user:a", "false_positive", "nothing", world.now)
    after = client("GET", "/entities/host/web-1").json()
    assert (after["risk"], after["alerts_open"]) == (0, 0)


def test_the_timeline_holds_alerts_and_events(world: Any, events: Any) -> None:
    world.raise_alert(host="web-1", sequence=100)
    client = world.signed_in("analyst")
    rows = client("GET", "/entities/host/web-1/timeline").json()["rows"]
    assert [row["time"] for row in rows] == sorted((row["time"] for row in rows), reverse=True)
    kinds = [row["kind"] for row in rows]
    assert (kinds.count("alert"), kinds.count("event")) == (1, 6)
    day = world.now - timedelta(days=3)
    before = {"since": (day - timedelta(days=1)).isoformat(), "until": day.isoformat()}
    assert client("GET", "/entities/host/web-1/timeline", params=before).json()["rows"] == []


def test_neighbours_are_those_of_the_same_events(world: Any, events: Any) -> None:
    client = world.signed_in("analyst")
    found = client("GET", "/entities/user/root/neighbours").json()
    assert {(row["kind"], row["name"], row["relation"]) for row in found["rows"]} == {
        ("host", "web-0", "host"),
        ("host", "web-1", "host"),
        ("host", "web-2", "host"),
    }
    assert sum(row["events"] for row in found["rows"]) == 17
    assert client("GET", "/entities/host/web-0/neighbours").json()["rows"][0]["name"] == "root"


def test_another_unit_learns_nothing(world: Any, events: Any) -> None:
    world.registry.plant(world.now)
    world.raise_alert(host="web-1", sequence=100)
    client = world.signed_in("analyst", unit="320300")
    found = client("GET", "/entities/host/web-1").json()
    assert (found["alerts"], found["risk"], found["units"], found["alerts_open"]) == ([], 0, [], 0)
    assert client("GET", "/entities/host/web-1/timeline").json()["rows"] == []
    assert client("GET", "/entities/user/root/neighbours").json()["rows"] == []


def test_names_of_entities() -> None:
    assert named("host", "a") == EntityName(keys=("host:a",))
    assert named("user", "root@a") == EntityName(keys=("user:root@a",))
    assert named("user", "root").beginnings == ("user:root@",)
    assert "source:10.0.0.8" in named("address", "10.0.0.8").keys
    assert query_of("user", "root@web 1") == 'user.name:root and host.name:"web 1"'
    assert query_of("address", "::1") == 'source.ip:"::1" or destination.ip:"::1"'


def test_who_may_not_look(world: Any) -> None:
    for role in ("system_admin", "security_admin", "audit_admin", "wall_display"):
        assert world.signed_in(role)("GET", "/entities/host/a").status_code == 403
