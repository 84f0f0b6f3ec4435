"""Acts on transfers become events: each once, in order, with what is known of the transfer."""

import asyncio
from pathlib import Path
from typing import Any

from transfer_world import NOW, World

from crypto.keys import SigningKey
from sensors.segment_log import SegmentLog
from sensors.wire import frame_events
from soc_api.audit import entry
from soc_api.audit_store import AuditStore
from soc_api.ingest_commit import Committer, Counters
from soc_api.ingest_report import Reporter
from soc_api.transfer_event_store import DATASET, TransferEventStore


def told(store: TransferEventStore) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for one in store.due():
        if one.fields:
            found.append(dict(one.fields))
        store.done(one)
    return found


def test_the_life_of_a_transfer_is_told_once(tmp_path: Path) -> None:
    world = World(tmp_path)
    transfer = world.exported()
    world.there.import_all("city-province", NOW)
    world.out.take_receipts("city-province", NOW)
    store = TransferEventStore(world.city.store._engine)
    events = told(store)
    assert [one["event.action"] for one in events] == [
        "transfer-request",
        "transfer-approve",
        "transfer-seal",
        "transfer-export",
        "transfer-receipt",
    ]
    lines = [one["gov.transfer.line"] for one in events]
    assert lines == sorted(lines)
    assert {one["event.dataset"] for one in events} == {DATASET}
    for one in events:
        assert one["gov.transfer.package"] == transfer
        assert (one["gov.transfer.channel"], one["event.outcome"]) == ("city-province", "success")
        assert (one["gov.transfer.files"], one["gov.transfer.one_way"]) == (2, False)
        assert isinstance(one["gov.transfer.bytes"], int)
    assert (events[0]["user.name"], events[-1]["gov.transfer.verdict"]) == ("zhang", "accepted")
    assert told(store) == []
    (there,) = told(TransferEventStore(world.province_parts.store._engine))
    assert (there["event.action"], there["gov.transfer.direction"]) == ("transfer-import", "in")
    assert there["gov.transfer.receiver"] == events[0]["gov.transfer.receiver"]


def test_what_was_not_stored_is_told_again_and_other_lines_are_passed(tmp_path: Path) -> None:
    world = World(tmp_path)
    engine = world.city.store._engine
    world.request()
    AuditStore(engine).record(
        entry(time=NOW, actor="user:li", source="local", action="alerts.close", about="group:1")
    )
    store = TransferEventStore(engine)
    first, last = store.due()
    assert (first.fields["event.action"], last.fields) == ("transfer-request", {})
    assert len(store.due()) == 2
    store.done(last)
    assert store.due() == []


def test_a_damaged_package_is_a_refusal(tmp_path: Path) -> None:
    world = World(tmp_path)
    transfer = world.exported()
    path = tmp_path / "road" / f"{transfer}.liuhe"
    path.write_bytes(path.read_bytes()[:-20] + bytes(20))
    world.there.import_all("city-province", NOW)
    (there,) = told(TransferEventStore(world.province_parts.store._engine))
    assert (there["event.action"], there["event.outcome"]) == ("transfer-import", "failure")
    assert there["gov.transfer.reason"]
    assert there["gov.transfer.channel"] == "city-province"


def test_the_listener_writes_them_into_the_log(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.exported()
    store = TransferEventStore(world.city.store._engine)
    log = SegmentLog.open(tmp_path / "log", name="center", writer=True)

    async def work() -> None:
        committer = Committer(log, Counters())
        committer.recover()
        task = asyncio.create_task(committer.run())
        reporter = Reporter(committer, SigningKey.generate(), "u")
        for one in store.due():
            if one.fields:
                assert await reporter.tell(one.fields, time=one.time)
            store.done(one)
        await committer.stop()
        await task

    asyncio.run(work())
    events = [event for frame in log.read(0) for event in frame_events(frame.payload)]
    log.close()
    assert [event.fields["event.action"] for event in events][-1] == "transfer-export"
    assert {event.time for event in events} == {NOW}
