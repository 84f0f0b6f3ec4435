"""The wall display over HTTP: numbers of one's own units, and no name of anybody or anything."""

import json
from typing import Any

from crypto.words import Words
from detection.alert import Claim, claim
from sensors.event import LogSource, Observation, stamp


def raise_in(world: Any, unit: str, sequence: int, severity: Any = "critical") -> None:
    seen = Observation(
        time=world.now, logsource=LogSource(product="linux"), fields={"host.name": "secret-host"}
    )
    event = stamp(seen, unit=unit, sensor="host-1", epoch=1, sequence=sequence)
    said = Claim(rule=f"r{sequence}", detector="sigma", title=Words("监听", "Listener"), severity=severity)
    alert = claim(
        said,
        entity="user:zhangsan@secret-host",
        reason=Words("张三", "zhangsan"),
        events=(event,),
        matched=(),
    )
    world.alerts.commit([alert], [event], sequence, world.now)


def test_cities_colours_and_flow_are_told_without_names(world: Any) -> None:
    raise_in(world, "320100-dsj", 1)
    raise_in(world, "320500", 2, "high")
    raise_in(world, "320000-local", 3, "low")
    client = world.signed_in("wall_display")
    body = client("GET", "/wall").json()
    tiles = {tile["code"]: tile for tile in body["tiles"]}
    assert (tiles["3201"]["groups"], tiles["3201"]["worst"]) == (1, "critical")
    assert (tiles["3205"]["worst"], tiles["3203"]["worst"], body["province"]["groups"]) == ("high", None, 1)
    assert (body["colour"], body["why"][0]["zh"]) == ("orange", "1 组严重告警无人接手")
    assert (body["open_alerts"]["critical"], body["opened"][-1], body["alerts_last_day"][-1]) == (1, 0, 0)
    assert {row["place"]["zh"] for row in body["flow"]} == {"南京", "苏州", "省级"}
    assert body["layers"] == [
        {"layer": "platform", "compliant": 1, "partial": 0, "violated": 0, "unknown": 0}
    ]
    told = json.dumps(body, ensure_ascii=False)
    for name in ("zhangsan", "张三", "secret-host", "host-1", "user:"):
        assert name not in told


def test_a_screen_of_a_city_sees_that_city(world: Any) -> None:
    raise_in(world, "320100", 1)
    raise_in(world, "320500", 2)
    body = world.signed_in("wall_display", unit="320100")("GET", "/wall").json()
    assert (body["open_alerts"]["critical"], len(body["flow"])) == (1, 1)


def test_a_screen_reads_nothing_else(world: Any) -> None:
    client = world.signed_in("wall_display")
    assert client("GET", "/alerts").status_code == 403
    assert client("GET", "/exceptions").status_code == 403
    assert world.signed_in("audit_admin")("GET", "/wall").status_code == 403


def test_the_map_is_given_out_with_its_approval_only(world: Any) -> None:
    client = world.signed_in("wall_display")
    answer = client("GET", "/wall/map")
    assert (answer.status_code, answer.json()["code"]) == (404, "wall-map-not-found")
    folder = world.folder / "map"
    folder.mkdir()
    (folder / "map.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    (folder / "map.toml").write_text('approval = "苏S(2026)001号"', "utf-8")
    assert client("GET", "/wall/map").json()["features"] == []
    world.now = world.now.replace(minute=30)
    assert client("GET", "/wall").json()["map_approval"] == "苏S(2026)001号"
