"""A center's log with events of two units."""

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from detection.store.event_store import EventStore
from sensors.event import Event, LogSource, Observation, encode, stamp
from sensors.segment_log import SegmentLog
from sensors.wire import StoredHeader, encode_batch, lane_sequence, make_batch, store_frame

OWN, OTHER = "320000-local", "320200"


def started(world: Any, number: int, unit: str, **fields: Any) -> Event:
    named = {
        "host.name": f"web-{number % 3}",
        "event.dataset": "process.start",
        "user.name": "root",
        **fields,
    }
    seen = Observation(
        time=world.now - timedelta(minutes=number),
        logsource=LogSource(product="linux", category="process_creation"),
        fields=named,
        native={"Image": "/usr/bin/nc"},
    )
    return stamp(seen, unit=unit, sensor=f"host-{unit}", epoch=1, sequence=lane_sequence("bulk", number))


@pytest.fixture
def events(world: Any) -> list[Event]:
    """Twelve events of the center's own unit and five of another one, in its log."""
    log = SegmentLog.open(world.folder / "log", name="center", writer=True)
    made: list[Event] = []
    for unit, count in ((OWN, 12), (OTHER, 5)):
        some = [started(world, number, unit, message="=1+1 张三") for number in range(1, count + 1)]
        made += some
        header = StoredHeader(
            sensor=f"host-{unit}", unit=unit, epoch=1, lane="bulk", first=1, last=count, received=world.now
        )
        lines = [encode(event) for event in some]
        log.append([store_frame(header, encode_batch(make_batch(f"host-{unit}", 1, "bulk", 1, lines)))])
    log.close()
    store = EventStore(world.folder, world.engine)
    world.center = world.app.state.center = dataclasses.replace(world.center, events=store)
    return made
