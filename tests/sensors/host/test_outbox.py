"""The outbox keeps order, counts what it drops, and hands errors back."""

import threading
from collections.abc import Sequence

import pytest

from sensors.event import LogSource, Observation
from sensors.host.observe import observe
from sensors.host.outbox import Outbox


def _number(value: int) -> Observation:
    return observe("test", LogSource(product="linux"), {"number": value})


def test_order_is_kept_and_everything_is_out_at_the_end() -> None:
    seen: list[Observation] = []
    with Outbox("test", seen.extend) as outbox:
        for value in range(1200):
            outbox.put(_number(value))
    assert outbox.idle()
    assert [one.fields["number"] for one in seen] == list(range(1200))


def test_what_does_not_fit_is_counted_in_a_gap() -> None:
    seen: list[Observation] = []
    blocked, entered = threading.Event(), threading.Event()

    def slow(batch: Sequence[Observation]) -> None:
        entered.set()
        assert blocked.wait(5)
        seen.extend(batch)

    with Outbox("test", slow, observations_max=3) as outbox:
        outbox.put(_number(0))
        assert entered.wait(5)
        for value in range(1, 10):
            outbox.put(_number(value))
        blocked.set()
    gaps = [one for one in seen if one.fields["event.dataset"] == "liuhe.gap"]
    assert [one.fields["number"] for one in seen if one not in gaps] == [0, 1, 2, 3]
    assert [one.fields["gov.gap.count"] for one in gaps] == [6]


def test_an_error_of_emit_reaches_the_source() -> None:
    failed = threading.Event()

    def broken(batch: Sequence[Observation]) -> None:
        failed.set()
        raise OSError("disk full")

    with Outbox("test", broken) as outbox:
        outbox.put(_number(1))
        assert failed.wait(5)
        with pytest.raises(OSError, match="disk full"):
            _until_raised(outbox)
        assert not outbox.idle()


def _until_raised(outbox: Outbox) -> None:
    pause = threading.Event()
    for _ in range(1000):
        outbox.check()
        pause.wait(0.001)
