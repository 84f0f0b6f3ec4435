"""P-28 in hunts: names are pseudonyms in rows, fields, values, exports and errors, and searched by them."""

import dataclasses
import json
from datetime import timedelta
from typing import Any

import pytest

from detection.store.event_store import EventStore
from sensors.event import LogSource, Observation, Value, encode, stamp
from sensors.segment_log import SegmentLog
from sensors.wire import StoredHeader, encode_batch, lane_sequence, make_batch, store_frame

OWN = "320000-local"
PEOPLE = ("li.na", "张三", "root")


@pytest.fixture(autouse=True)
def _log(world: Any) -> None:
    """Six events of three accounts in the center's log."""
    events = []
    for number in range(1, 7):
        name = PEOPLE[number % 3]
        fields: dict[str, Value] = {"host.name": "web-1", "user.name": name, "message": f"{name} logged in"}
        seen = Observation(
            time=world.now - timedelta(minutes=number), logsource=LogSource(service="sshd"), fields=fields
        )
        sequence = lane_sequence("bulk", number)
        events.append(stamp(seen, unit=OWN, sensor="host-1", epoch=1, sequence=sequence))
    log = SegmentLog.open(world.folder / "log", name="center", writer=True)
    header = StoredHeader(
        sensor="host-1", unit=OWN, epoch=1, lane="bulk", first=1, last=6, received=world.now
    )
    body = encode_batch(make_batch("host-1", 1, "bulk", 1, [encode(event) for event in events]))
    log.append([store_frame(header, body)])
    log.close()
    store = EventStore(world.folder, world.engine)
    world.center = world.app.state.center = dataclasses.replace(world.center, events=store)


def test_p28_hunts_and_exports_tell_pseudonyms(world: Any) -> None:
    client = world.signed_in("analyst")
    lines = [json.loads(line) for line in client("GET", "/hunt/events").text.splitlines()]
    rows = next(line["events"] for line in lines if line["events"])
    people = {row["fields"]["user.name"] for row in rows}
    assert len(people) == 3
    assert all(name.startswith("p-") or name == "root" for name in people)
    fields = next(line["fields"] for line in lines if line["fields"])
    field = next(one for one in fields if one["name"] == "user.name")
    assert {one["value"] for one in field["values"]} == people
    for kind in ("csv", "ndjson"):
        text = client("GET", f"/hunt/export?format={kind}&columns=user.name,message").content.decode()
        assert "li.na" not in text
        assert "张三" not in text
        assert any(name in text for name in people)
    values = client("GET", "/hunt/values", params={"field": "user.name"}).json()["rows"]
    assert {one["value"] for one in values} == people
    offered = client("GET", "/hunt/complete", params={"q": "user.name:", "cursor": 10}).text
    assert "li.na" not in offered
    assert any(name in offered for name in people)
    name = min(people)
    found = client("GET", "/hunt/events", params={"q": f"user.name:{name}"}).text
    assert json.loads(found.splitlines()[-1])["matched"] > 0
    wrong = client("GET", "/hunt/events", params={"q": f"{name} and ("})
    assert wrong.status_code == 422
    assert "li.na" not in wrong.text
