"""Tests of the sensor route."""

from typing import Any

from sensors.event import LogSource, Observation, stamp


def test_sensors_show_health_gaps_and_those_never_heard_of(world: Any) -> None:
    fields: dict[str, Any] = {
        "event.dataset": "liuhe.heartbeat",
        "host.name": "web-01",
        "gov.sensor.kind": "host",
        "gov.sensor.version": "0.1.0",
        "gov.sensor.backlog": 3,
        "gov.sensor.sources": ["processes=running", "capture:lo=missing"],
        "gov.sensor.source_details": ["capture:lo=缺少 CAP_NET_RAW|CAP_NET_RAW is missing"],
    }
    gap: dict[str, Any] = {"event.dataset": "liuhe.gap", "gov.gap.lane": "bulk", "gov.gap.count": 7}
    source = LogSource(product="liuhe", service="sensor")
    events = [
        stamp(
            Observation(time=world.now, logsource=source, fields=one),
            unit="320000-local",
            sensor="host-1",
            epoch=1,
            sequence=number,
        )
        for number, one in enumerate((fields, gap), 1)
    ]
    world.alerts.commit([], events, 2, world.now)
    rows = world.signed_in("system_admin")("GET", "/sensors").json()["rows"]
    assert [(row["id"], row["state"]) for row in rows] == [("host-1", "online"), ("quiet", "never")]
    assert rows[0]["gaps"][0]["count"] == 7
    assert rows[0]["sources"][1]["state"] == "missing"
    assert rows[0]["sources"][1]["detail"]["zh"] == "缺少 CAP_NET_RAW"
    assert rows[0]["last_sequence"] == 2
