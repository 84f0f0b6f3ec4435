"""Batches survive the round trip; mutated bytes only ever raise BadInput."""

import hashlib
from datetime import UTC, datetime

import msgspec
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.words import BadInput
from sensors import wire
from sensors.event import Event, LogSource, Observation, encode, stamp
from sensors.messages import Batch

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def event(sequence: int, *, sensor: str = "web01", unit: str = "市大数据局", lane: str = "bulk") -> Event:
    seen = Observation(time=NOW, logsource=LogSource(product="linux"), fields={"n": sequence, "text": "一"})
    return stamp(seen, unit=unit, sensor=sensor, epoch=7, sequence=wire.lane_sequence(lane, sequence))


def batch(lines: list[bytes], first: int = 5) -> Batch:
    return wire.make_batch("web01", 7, "bulk", first, lines)


def stored(made: Batch, first: int = 5) -> bytes:
    header = wire.StoredHeader(
        sensor="web01", unit="市大数据局", epoch=7, lane="bulk", first=first, last=made.last, received=NOW
    )
    return wire.store_frame(header, wire.encode_batch(made))


def test_events_come_back_with_their_arrival_time() -> None:
    sent = [event(n) for n in range(5, 9)]
    made = wire.decode_batch(wire.encode_batch(batch([encode(one) for one in sent])))
    assert (made.first, made.last, made.count) == (5, 8, 4)
    expected = [msgspec.structs.replace(one, ingested=NOW) for one in sent]
    assert wire.events_of(made, NOW) == expected
    assert wire.frame_events(stored(made)) == expected
    assert wire.frame_events(stored(made, first=7)) == expected[2:]


def test_bad_events_are_set_aside_one_by_one() -> None:
    lines = [
        encode(event(5)),
        b"{not json",
        encode(event(7, sensor="other")),
        encode(event(8, unit="elsewhere")),
        encode(event(99)),
        encode(event(10)),
    ]
    contents = wire.frame_contents(stored(batch(lines)))
    assert [wire.sequence_of(one.id)[1] & 0xFFFF for one in contents.events] == [5, 8, 10]
    assert {one.unit for one in contents.events} == {"市大数据局"}  # as the center's register says
    assert [error.sequence for error in contents.errors] == [6, 7, 9]
    assert wire.foreign_senders(lines, "web01") == 1


def _forged(**changes: object) -> Batch:
    return msgspec.structs.replace(batch([encode(event(5))]), **changes)


def _with_body(body: bytes) -> Batch:
    return _forged(body=body, sm3=hashlib.new("sm3", body).digest())


@pytest.mark.parametrize(
    "forged",
    [
        _forged(sm3=bytes(32)),
        _forged(count=2, last=6),
        _with_body(b"not zstd"),
        _with_body(zstandard.compress(b"x") + b"trailing"),
        _with_body(zstandard.compress(bytes(wire.BODY_BYTES_MAX + 1))),
        _with_body(zstandard.ZstdCompressor(write_content_size=False).compress(bytes(100))),
        _with_body(b""),
    ],
)
def test_a_forged_body_is_refused(forged: Batch) -> None:
    with pytest.raises(BadInput):
        wire.batch_lines(forged)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_mutated_frames_raise_only_bad_input(data: st.DataObject) -> None:
    payload = bytearray(stored(batch([encode(event(n)) for n in range(5, 8)])))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(payload) - 1))
        match data.draw(st.sampled_from(["flip", "cut", "insert"])):
            case "flip":
                payload[at] ^= data.draw(st.integers(1, 255))
            case "cut":
                del payload[at:]
                payload += b"\0"
            case _:
                payload[at:at] = data.draw(st.binary(max_size=8))
    try:
        contents = wire.frame_contents(bytes(payload))
    except BadInput:
        return
    assert all(one.sensor == "web01" for one in contents.events)
