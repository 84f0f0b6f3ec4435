"""Tests of soc_api.stream and of the route that serves it."""

from collections.abc import AsyncIterator, Callable

import anyio
import pytest

from crypto.words import Refused
from soc_api import stream as module
from soc_api.context import Topic
from soc_api.stream import Live, opaque

ALL: frozenset[Topic] = frozenset({"alerts", "checks", "sensors", "evidence", "reports", "transfers"})


class Revisions:
    """Numbers that a test moves, and how often they were asked for."""

    def __init__(self) -> None:
        self.numbers: dict[Topic, int] = dict.fromkeys(ALL, 1)
        self.asked = 0

    def __call__(self) -> dict[Topic, int]:
        self.asked += 1
        return dict(self.numbers)


async def alive() -> bool:
    return True


async def until(done: Callable[[], bool]) -> None:
    with anyio.fail_after(5):
        while not done():  # noqa: ASYNC110 -- what is awaited happens in the code under test
            await anyio.sleep(0.01)


async def next_line(lines: AsyncIterator[str]) -> str:
    with anyio.fail_after(3):
        return await anext(lines)


def line(session: str, topic: Topic, revision: int) -> str:
    return f'event: {topic}\ndata: {{"revision": {opaque(session, topic, revision)}}}\n\n'


def test_a_revision_says_only_whether_it_is_the_same() -> None:
    assert opaque("a", "alerts", 7) == opaque("a", "alerts", 7)
    assert len({opaque("a", "alerts", 7), opaque("a", "alerts", 8), opaque("b", "alerts", 7)}) == 3
    assert all(opaque("a", "alerts", number) < 2**53 for number in range(50))  # JSON's exact integers


def test_a_change_reaches_every_client_and_nothing_else_does() -> None:
    async def scene() -> None:
        revisions = Revisions()
        live = Live(revisions, poll_seconds=0.01)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(live.run)
            await anyio.sleep(0.05)
            assert revisions.asked == 0  # nobody listens, nobody asks
            first, second = (live.lines(name, ALL, alive) for name in ("a", "b"))
            wall = live.lines("c", frozenset({"checks"}), alive)
            for lines in (first, second, wall):
                assert ": open" in await next_line(lines)
            # What changed before a client joined is told to it once.
            for lines in (first, second):
                told = {(await next_line(lines)).split()[1] for _ in ALL}
                assert told == ALL
            assert await next_line(wall) == line("c", "checks", 1)
            revisions.numbers["alerts"] = 2
            for name, lines in (("a", first), ("b", second)):
                assert await next_line(lines) == line(name, "alerts", 2)
            revisions.numbers["checks"] = 5
            assert await next_line(wall) == line("c", "checks", 5)
            for lines in (first, second, wall):
                await lines.aclose()  # type: ignore[attr-defined]
            tasks.cancel_scope.cancel()

    anyio.run(scene)


def test_a_slow_client_holds_one_revision_per_topic() -> None:
    async def scene() -> None:
        live = Live(Revisions())
        async with live.joined("a", ALL) as client:
            for revision in range(1000):
                client.tell({"alerts": revision, "sensors": revision}, revision / 1000)
            assert client.take() == {"alerts": 999, "sensors": 0}  # sensors speak at most every 2 s
            assert client.take() == {}

    anyio.run(scene)


def test_heartbeats_and_the_end_of_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 0.02)
    monkeypatch.setattr(module, "SESSION_CHECK_SECONDS", 0.05)

    async def scene() -> list[str]:
        answers = iter([True, True, False])

        async def still() -> bool:
            return next(answers)

        with anyio.fail_after(3):
            return [line async for line in Live(Revisions()).lines("a", ALL, still)]

    lines = anyio.run(scene)
    assert lines[1:]
    assert set(lines[1:]) == {": beat\n\n"}


def test_stopping_ends_every_stream() -> None:
    async def scene() -> None:
        live = Live(Revisions())
        lines = live.lines("a", ALL, alive)
        await next_line(lines)
        live.stop()
        with pytest.raises(StopAsyncIteration):
            await next_line(lines)

    anyio.run(scene)


def test_a_server_that_closes_ends_every_stream() -> None:
    async def scene() -> None:
        live, closing = Live(Revisions(), poll_seconds=0.01), [False]
        live.ends_when(lambda: closing[0])
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(live.run)
            lines = live.lines("a", ALL, alive)
            await next_line(lines)
            closing[0] = True
            with pytest.raises(StopAsyncIteration):
                await next_line(lines)

    anyio.run(scene)


def test_streams_are_bounded() -> None:
    async def scene() -> None:
        live = Live(Revisions())
        async with anyio.create_task_group() as tasks:

            async def hold() -> None:
                async with live.joined("a", ALL):
                    await anyio.sleep_forever()

            for _ in range(module.CLIENTS_PER_SESSION_MAX):
                tasks.start_soon(hold)
            await anyio.sleep(0.01)
            with pytest.raises(Refused, match="stream-full"):
                live.refuse_full("a")
            live.refuse_full("b")
            tasks.cancel_scope.cancel()
        live.refuse_full("a")  # those that went away are forgotten

    anyio.run(scene)


def test_a_poll_that_fails_is_not_the_end() -> None:
    async def scene() -> None:
        revisions = Revisions()
        failed: list[int] = []

        def flaky() -> dict[Topic, int]:
            if len(failed) < 2:
                failed.append(1)
                raise OSError("busy")
            return revisions()

        live = Live(flaky, poll_seconds=0.01)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(live.run)
            async with live.joined("a", ALL):
                await until(lambda: revisions.asked > 0)
            tasks.cancel_scope.cancel()

    anyio.run(scene)
