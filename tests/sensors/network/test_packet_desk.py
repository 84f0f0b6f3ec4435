"""Answers out of the ring: whole, in order, in parts that fit a message, given up with their connection."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

from sensors.messages import (
    PACKET_PART_BYTES_MAX,
    PACKET_PARTS_MAX,
    PacketsFound,
    PacketsWanted,
    encode_message,
)
from sensors.network.packet_desk import WAITING_MAX, PacketDesk, answered, ring_finder

FLOW = "1:LQU9qZlK+B5F3KDmev6m5PMibrg="


def wish(number: int) -> PacketsWanted:
    return PacketsWanted(request=f"{number:032x}", community_id=FLOW, begins=0.0, ends=1.0)


def test_parts_are_whole_and_fit_a_message() -> None:
    pieces = [bytes([number]) * 400_000 for number in range(8)]
    parts = list(answered(wish(1), lambda _: iter(pieces)))
    assert b"".join(one.body for one in parts) == b"".join(pieces)
    assert [one.part for one in parts] == [0, 1, 2, 3]
    assert [one.more for one in parts] == [True, True, True, False]
    assert all(len(one.body) <= PACKET_PART_BYTES_MAX and encode_message(one) for one in parts)


def test_an_empty_ring_is_an_answer_and_a_refusing_disk_says_why() -> None:
    assert [(one.more, one.body) for one in answered(wish(1), lambda _: iter(()))] == [(False, b"")]

    def broken(_: PacketsWanted) -> Iterator[bytes]:
        yield b"head"
        raise OSError(5, "input/output error")

    (told,) = answered(wish(1), broken)
    assert (told.more, told.reason) == (False, "input/output error")


def test_an_endless_file_ends_with_the_last_part() -> None:
    def endless(_: PacketsWanted) -> Iterator[bytes]:
        while True:
            yield bytes(PACKET_PART_BYTES_MAX)

    parts = list(answered(wish(1), endless))
    assert len(parts) == PACKET_PARTS_MAX + 1
    assert not parts[-1].more


def taken(desk: PacketDesk, count: int) -> list[PacketsFound]:
    found: list[PacketsFound] = []
    deadline = time.monotonic() + 20
    while len(found) < count:
        assert time.monotonic() < deadline
        if (part := desk.next()) is not None:
            found.append(part)
        else:
            time.sleep(0.005)
    return found


def test_wishes_are_answered_one_after_another() -> None:
    desk = PacketDesk(lambda asked: iter([asked.request.encode(), b"x" * PACKET_PART_BYTES_MAX]))
    for number in (1, 2, 2):
        desk.want(wish(number))
    found = taken(desk, 4)
    assert [(one.request[-1], one.part) for one in found] == [("1", 0), ("1", 1), ("2", 0), ("2", 1)]
    time.sleep(0.05)
    assert desk.next() is None
    desk.want(wish(3))  # after it was idle
    assert taken(desk, 1)[0].request[-1] == "3"


def test_what_was_for_an_ended_connection_is_not_sent_on_the_next() -> None:
    begun = threading.Event()

    def slow(asked: PacketsWanted) -> Iterator[bytes]:
        begun.set()
        for _ in range(20):
            yield bytes(PACKET_PART_BYTES_MAX)

    desk = PacketDesk(slow)
    for number in range(WAITING_MAX * 2):
        desk.want(wish(number))
    assert begun.wait(20)
    taken(desk, 1)
    desk.forget()
    assert desk.next() is None
    desk.want(wish(99))
    found = taken(desk, 20)
    assert {one.request for one in found} == {f"{99:032x}"}
    assert [one.part for one in found] == [*range(20)]


def test_a_flow_of_just_now_is_looked_for_after_the_ring_has_written(tmp_path: Path) -> None:
    paused: list[float] = []
    find = ring_finder(tmp_path, bytes(16), pause=paused.append)
    assert not list(find(wish(1)))
    assert not paused
    just_now = PacketsWanted(request=f"{2:032x}", community_id=FLOW, begins=0.0, ends=time.time() + 60)
    assert not list(find(just_now))
    assert len(paused) == 1
