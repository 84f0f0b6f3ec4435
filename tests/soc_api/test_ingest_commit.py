"""The committer stores once, says when it cannot, and knows after a restart what it has."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from crypto.words import LiuheError, Refused
from sensors.messages import Batch
from sensors.segment_log import SegmentLog
from sensors.wire import StoredHeader, make_batch, open_frame
from soc_api import ingest_commit
from soc_api.ingest_commit import Committer, Counters, Source
from soc_api.ingest_recent import digests_of
from soc_api.watermarks import Boot


async def submit(committer: Committer, one: Batch, source: Source | None = None) -> "asyncio.Future[None]":
    """As a connection does it: verified, with the digests of its events."""
    return await committer.submit(source or Source("u"), one, digests_of([b"{}"] * one.count))


def batch(first: int, count: int, epoch: int = 1) -> Batch:
    return make_batch("web01", epoch, "bulk", first, [b"{}"] * count)


def committing(folder: Path, work: Callable[[Committer], Awaitable[None]]) -> Counters:
    """Run ``work`` beside a committer on a log of its own."""
    log = SegmentLog.open(folder, name="center", writer=True)
    counters = Counters()

    async def main() -> None:
        committer = Committer(log, counters)
        committer.recover()
        task = asyncio.create_task(committer.run())
        try:
            await work(committer)
        finally:
            await committer.stop()
            await task

    try:
        asyncio.run(main())
    finally:
        log.close()
    return counters


def headers(folder: Path) -> list[StoredHeader]:
    frames = SegmentLog.open(folder, name="center", writer=False).read(0)
    return [open_frame(frame.payload)[0] for frame in frames]


def test_repetitions_within_one_group_are_stored_once(tmp_path: Path) -> None:
    async def work(committer: Committer) -> None:
        sent = [batch(1, 4), batch(1, 4), batch(3, 4), batch(7, 1), batch(9, 1), batch(1, 2, epoch=2)]
        for done in [await submit(committer, one) for one in sent]:
            await done

    counters = committing(tmp_path, work)
    found = [(one.epoch, one.first, one.last) for one in headers(tmp_path)]
    assert found == [(1, 1, 4), (1, 5, 6), (1, 7, 7), (1, 9, 9), (2, 1, 2)]
    assert (counters.events, counters.repeated, counters.missing) == (10, 6, 1)


@pytest.mark.parametrize("lost", [True, False])
def test_a_restart_remembers_with_and_without_its_checkpoint(tmp_path: Path, lost: bool) -> None:
    async def first(committer: Committer) -> None:
        await (await submit(committer, batch(1, 5)))

    async def again(committer: Committer) -> None:
        await (await submit(committer, batch(1, 6)))

    committing(tmp_path, first)
    if lost:
        (tmp_path / "checkpoint").write_bytes(b"damaged")
    assert committing(tmp_path, again).repeated == 5
    assert [(one.first, one.last) for one in headers(tmp_path)] == [(1, 5), (6, 6)]


def test_what_cannot_be_stored_is_not_acknowledged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    async def work(committer: Committer) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fdatasync", full)
            done = await submit(committer, batch(1, 1))
            with pytest.raises(LiuheError) as caught:
                await done
            assert caught.value.code == "disk-full"
        await (await submit(committer, batch(1, 1)))

    assert committing(tmp_path, work).events == 1
    assert len(headers(tmp_path)) == 1


def test_nothing_behind_a_failed_batch_of_a_connection_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watermark would hide the hole: the connection ends, and sends all of it again on the next."""

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    async def work(committer: Committer) -> None:
        source = Source("u")
        with monkeypatch.context() as patch:
            patch.setattr(os, "fdatasync", full)
            with pytest.raises(LiuheError):
                await (await submit(committer, batch(1, 1), source))
        assert committer.failing
        with pytest.raises(LiuheError):
            await (await submit(committer, batch(2, 1), source))
        for one in (batch(1, 1), batch(2, 1)):
            await (await submit(committer, one))
        assert not committer.failing

    assert committing(tmp_path, work).events == 2
    assert [(one.first, one.last) for one in headers(tmp_path)] == [(1, 1), (2, 2)]


def test_other_events_under_the_same_numbers_are_a_copys(tmp_path: Path) -> None:
    async def work(committer: Committer) -> None:
        await (await submit(committer, batch(1, 4)))
        other = digests_of([b"{}", b'{"a":1}'])
        with pytest.raises(Refused) as caught:
            await (await committer.submit(Source("u"), batch(3, 2), other))
        assert (caught.value.code, caught.value.field) == ("sensor-cloned", "other-content")

    committing(tmp_path, work)
    assert [(one.first, one.last) for one in headers(tmp_path)] == [(1, 4)]


def test_what_detection_has_not_seen_is_counted(tmp_path: Path) -> None:
    async def work(committer: Committer) -> None:
        for first in (1, 11, 21):
            await (await submit(committer, batch(first, 10)))
        assert [committer.lag_events(position) for position in (0, 1, 3)] == [30, 20, 0]
        assert committer.newest("web01") == Boot(1, bytes(32))

    committing(tmp_path, work)


def test_the_checkpoint_follows_the_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_commit, "CHECKPOINT_FRAMES", 2)
    seen: list[int] = []

    async def work(committer: Committer) -> None:
        for n in range(1, 6):
            await (await submit(committer, batch(n, 1)))
            seen.append(SegmentLog.open(tmp_path, name="center", writer=False).checkpoint_state()[0])

    committing(tmp_path, work)
    assert seen[-1] >= 2
    assert SegmentLog.open(tmp_path, name="center", writer=False).checkpoint_state()[0] == 5
