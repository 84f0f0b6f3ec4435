"""One identity, one machine: a dead line is replaced, a living one shows the copy, a boot never goes back."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

import pytest

from crypto.words import LiuheError, Refused
from sensors.event import Value
from soc_api.ingest_roll import Roll
from soc_api.watermarks import Boot

KEY, OTHER_KEY = b"k" * 32, b"o" * 32


class Line:
    """A greeted connection that answers or does not."""

    def __init__(self, address: str, epoch: int = 5, *, lives: bool = True, key: bytes = KEY) -> None:
        self.sensor, self.fingerprint, self.address = "web01", "f", address
        self.boot = Boot(epoch, key)
        self.lives = lives
        self.ended: list[str] = []

    async def alive(self, seconds: float) -> bool:
        return self.lives

    async def end(self, error: LiuheError) -> None:
        self.ended.append(error.code)


class Desk:
    """What was held and told."""

    def __init__(self, stored: Boot) -> None:
        self.held: list[tuple[str, str]] = []
        self.told: list[Mapping[str, Value]] = []
        self.roll = Roll(lambda _: stored, lambda *held: self.held.append(held), self._tell)

    async def _tell(self, fields: Mapping[str, Value]) -> bool:
        self.told.append(fields)
        return True


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_a_dead_line_is_replaced() -> None:
    desk = Desk(Boot(0, b""))

    async def work() -> None:
        old, new = Line("::1", lives=False), Line("::2")
        await desk.roll.enter(old)
        await desk.roll.enter(new)
        assert old.ended == ["sensor-superseded"]
        desk.roll.leave(old)
        assert desk.roll.live() == [new]
        desk.roll.leave(new)
        assert len(desk.roll) == 0

    run(work())
    assert (desk.held, desk.told) == ([], [])


def test_two_that_live_are_both_put_out_and_it_is_told() -> None:
    desk = Desk(Boot(0, b""))

    async def work() -> None:
        one = Line("::1")
        await desk.roll.enter(one)
        with pytest.raises(Refused, match="sensor-cloned"):
            await desk.roll.enter(Line("::2"))
        assert one.ended == ["sensor-cloned"]

    run(work())
    assert desk.held == [("web01", "two-live")]
    (told,) = desk.told
    assert told["gov.quarantine.addresses"] == ["::1", "::2"]
    assert told["event.dataset"] == "liuhe.quarantine"


@pytest.mark.parametrize(("key", "code", "held"), [(KEY, "sensor-cloned", 1), (OTHER_KEY, "sensor-epoch", 0)])
def test_a_boot_that_goes_back(key: bytes, code: str, held: int) -> None:
    """With the same key it is a copy; after an enrolment anew it is a clock that stands wrong."""
    desk = Desk(Boot(9, KEY))

    async def work() -> None:
        with pytest.raises(Refused) as caught:
            await desk.roll.enter(Line("::1", epoch=8, key=key))
        assert caught.value.code == code

    run(work())
    assert len(desk.held) == held
