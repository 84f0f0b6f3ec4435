"""Tests of the sensor routes: what they show, who may change it, and that every change is audited."""

from datetime import timedelta
from typing import Any

import pytest

from sensors.event import LogSource, Observation, stamp

SOURCE = LogSource(product="liuhe", service="sensor")
GAP: dict[str, Any] = {
    "event.dataset": "liuhe.gap",
    "gov.gap.lane": "bulk",
    "gov.gap.first": 10,
    "gov.gap.last": 16,
    "gov.gap.count": 7,
    "gov.gap.reason": "quota",
    "gov.gap.from": "2026-11-22T07:00:00+00:00",
    "gov.gap.to": "2026-11-22T07:01:00+00:00",
}


def heard(world: Any, sensor: str, *all_fields: dict[str, Any]) -> None:
    """Events of a sensor as the pipeline commits them."""
    events = [
        stamp(
            Observation(time=world.now, logsource=SOURCE, fields=fields),
            unit="320000-local",
            sensor=sensor,
            epoch=1,
            sequence=number,
        )
        for number, fields in enumerate(all_fields, 1)
    ]
    world.alerts.commit([], events, len(events), world.now)


def heartbeat(backlog: int = 3) -> dict[str, Any]:
    return {
        "event.dataset": "liuhe.heartbeat",
        "host.name": "web-01",
        "gov.sensor.kind": "host",
        "gov.sensor.version": "0.1.0",
        "gov.sensor.backlog": backlog,
        "gov.sensor.configuration": 4,
        "gov.sensor.connected": True,
        "gov.sensor.drops": ["quota=7"],
        "gov.sensor.sources": ["processes=running", "capture:lo=missing"],
        "gov.sensor.source_details": ["capture:lo=缺少 CAP_NET_RAW|CAP_NET_RAW is missing"],
    }


def test_the_list_shows_health_units_and_those_never_heard_of(world: Any) -> None:
    heard(world, "host-1", heartbeat(), GAP)
    page = world.signed_in("analyst")("GET", "/sensors").json()
    assert [(row["id"], row["state"], row["standing"]) for row in page["rows"]] == [
        ("host-1", "online", "unregistered"),
        ("quiet", "never", "active"),
    ]
    assert (page["rows"][0]["gaps"], page["rows"][0]["last_sequence"], page["rows"][0]["backlog"]) == (
        1,
        2,
        3,
    )
    assert page["rows"][0]["configuration_version"] == 4
    assert (page["rows"][1]["group"], page["rows"][1]["host"]) == ("数据库", "db-01")
    assert page["units"] == [{"code": "320000-local", "name": "省数据局"}]
    assert (page["addresses"], page["unit"], page["tokens"]) == (["192.0.2.1:8610"], "320000-local", [])


def test_one_sensor_shows_sources_and_gaps_with_their_leaves(world: Any) -> None:
    heard(world, "host-1", heartbeat(), GAP)
    world.center.inventory.keep_gap_leaves([(1, 41)])
    client = world.signed_in("system_admin")
    detail = client("GET", "/sensors/host-1").json()
    gap = detail["gaps"][0]
    assert (gap["count"], gap["reason"], gap["leaf"]) == (7, "quota", 41)
    assert gap["begins"] == "2026-11-22T07:00:00Z"
    assert detail["sources"][1]["state"] == "missing"
    assert detail["sources"][1]["detail"]["zh"] == "缺少 CAP_NET_RAW"
    assert detail["drops"] == {"quota": 7}
    assert detail["certificate"] is None
    assert client("GET", "/sensors/quiet").json()["enrolled"] == "2026-11-22T08:00:00Z"
    absent = client("GET", "/sensors/absent")
    assert (absent.status_code, absent.json()["code"]) == (404, "sensor-not-found")
    assert client("GET", "/sensors/Not%20an%20id").status_code == 422


def test_a_token_is_told_once_and_listed_without_its_secret(world: Any) -> None:
    client = world.signed_in("system_admin")
    order = {"kind": "network", "unit": " 南京市 ", "group": "边界", "hours": 2}
    answer = client("POST", "/sensors/tokens", json=order)
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    made = answer.json()
    assert made["token"] in made["command"]
    assert "--kind network" in made["command"]
    assert (made["unit"], made["group"]) == ("南京市", "边界")
    (listed,) = client("GET", "/sensors").json()["tokens"]
    assert (listed["id"], listed["unit"], listed["actor"]) == (made["id"], "南京市", "user:system-admin")
    assert made["token"] not in client("GET", "/sensors").text
    assert client("DELETE", f"/sensors/tokens/{made['id']}").status_code == 204
    assert client("GET", "/sensors").json()["tokens"] == []
    again = client("DELETE", f"/sensors/tokens/{made['id']}")
    assert (again.status_code, again.json()["code"]) == (404, "token-not-found")
    assert made["token"] not in str(world.audited())
    assert [line[1:] for line in world.audited() if line[1].startswith("sensor.")] == [
        ("sensor.token", "unit: 南京市  group:边界", "accepted"),
        ("sensor.withdraw", f"token:{made['id']}", "accepted"),
        ("sensor.withdraw", f"token:{made['id']}", "accepted"),
        ("sensor.withdraw", f"token:{made['id']}", "failed: token-not-found"),
    ]


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({"kind": "host", "unit": ""}, "sensor-place"),
        ({"kind": "host", "unit": "a\nb"}, "sensor-place"),
        ({"kind": "other", "unit": "u"}, "request-malformed"),
        ({"kind": "host", "unit": "u", "hours": 721}, "request-malformed"),
    ],
)
def test_what_cannot_be_a_token_is_refused(world: Any, order: dict[str, Any], code: str) -> None:
    answer = world.signed_in("system_admin")("POST", "/sensors/tokens", json=order)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_a_sensor_is_revoked_with_a_reason(world: Any) -> None:
    client = world.signed_in("system_admin")
    assert client("POST", "/sensors/quiet/revoke", json={"reason": "x"}).status_code == 422
    row = client("POST", "/sensors/quiet/revoke", json={"reason": "主机报废"}).json()
    assert row["standing"] == "revoked"
    detail = client("GET", "/sensors/quiet").json()
    assert (detail["revoked_by"], detail["revoked_reason"]) == ("user:system-admin", "主机报废")
    again = client("POST", "/sensors/quiet/revoke", json={"reason": "主机报废"})
    assert (again.status_code, again.json()["code"]) == (404, "sensor-not-found")
    assert ("user:system-admin", "sensor.revoke", "sensor:quiet 主机报废", "accepted") in world.audited()


def test_a_sensor_is_moved(world: Any) -> None:
    client = world.signed_in("system_admin")
    row = client("POST", "/sensors/quiet/move", json={"unit": "江苏省/苏州市", "group": ""}).json()
    assert (row["unit"], row["group"]) == ("江苏省/苏州市", "")
    assert client("POST", "/sensors/quiet/move", json={"unit": " "}).json()["code"] == "sensor-place"
    assert client("POST", "/sensors/absent/move", json={"unit": "u"}).status_code == 404
    assert ("sensor.move", "sensor:absent unit:u group:") in [line[1:3] for line in world.audited()]


def test_a_sensor_is_drained_until_it_is_empty_and_taken_up_again(world: Any) -> None:
    client = world.signed_in("system_admin")
    assert client("POST", "/sensors/quiet/drain").json()["standing"] == "draining"
    world.now += timedelta(minutes=1)
    heard(world, "quiet", heartbeat(backlog=2))
    assert client("GET", "/sensors").json()["rows"][0]["standing"] == "draining"
    world.now += timedelta(minutes=1)
    heard(world, "quiet", heartbeat(backlog=2), heartbeat(backlog=0))
    assert client("GET", "/sensors").json()["rows"][0]["standing"] == "drained"
    assert client("GET", "/sensors/quiet").json()["drained"] is not None
    assert client("POST", "/sensors/quiet/resume").json()["standing"] == "active"


def test_a_quarantined_sensor_says_why(world: Any) -> None:
    world.register.hold("quiet", "two-live", world.now)
    client = world.signed_in("analyst")
    detail = client("GET", "/sensors/quiet").json()
    assert (detail["sensor"]["standing"], detail["quarantine_reason"]) == ("quarantined", "two-live")


@pytest.mark.parametrize("role", ["security_admin", "analyst", "shift_lead", "compliance_officer"])
def test_only_the_system_administrator_changes_sensors(world: Any, role: str) -> None:
    client = world.signed_in(role)
    assert client("GET", "/sensors").status_code == 200
    for act in ("revoke", "move", "drain", "resume"):
        answer = client("POST", f"/sensors/quiet/{act}", json={"reason": "不许", "unit": "u"})
        assert (answer.status_code, answer.json()["field"]) == (403, "sensors.manage")
    assert world.register.sensor("quiet").revoked is None


def test_a_revoked_sensor_is_not_counted_as_missing(world: Any) -> None:
    heard(world, "host-1", heartbeat())
    client = world.signed_in("system_admin")
    before = client("GET", "/overview").json()
    client("POST", "/sensors/quiet/revoke", json={"reason": "主机报废"})
    after = client("GET", "/overview").json()
    assert (before["sensors_online"], before["sensors_total"]) == (1, 2)
    assert (after["sensors_online"], after["sensors_total"]) == (1, 1)
