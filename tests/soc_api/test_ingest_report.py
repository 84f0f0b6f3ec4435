"""What the listener says of itself is an event in the log, signed by the center, in order over failures."""

import asyncio
import os
from pathlib import Path

import pytest

from crypto.keys import SigningKey
from sensors.segment_log import SegmentLog
from sensors.signed_batch import verify_batch
from sensors.wire import decode_batch, frame_events, open_frame
from soc_api.ingest_commit import Committer, Counters
from soc_api.ingest_report import CENTER_SENSOR, Reporter


def test_words_of_the_center_are_stored_signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = SigningKey.generate()
    log = SegmentLog.open(tmp_path, name="center", writer=True)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    async def work() -> None:
        committer = Committer(log, Counters())
        committer.recover()
        task = asyncio.create_task(committer.run())
        reporter = Reporter(committer, key, "u")
        assert await reporter.tell({"n": 1})
        with monkeypatch.context() as patch:
            patch.setattr(os, "fdatasync", full)
            assert not await reporter.tell({"n": 2})
        assert await reporter.tell({"n": 3})
        await committer.stop()
        await task

    asyncio.run(work())
    payloads = [frame.payload for frame in log.read(0)]
    log.close()
    events = [event for payload in payloads for event in frame_events(payload)]
    assert [event.fields["n"] for event in events] == [1, 3]
    assert {(event.sensor, event.unit) for event in events} == {(CENTER_SENSOR, "u")}
    assert len({event.id for event in events}) == 2
    for payload in payloads:
        verify_batch(decode_batch(open_frame(payload)[1]), key.public)
