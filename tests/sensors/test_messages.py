"""The stream decoder gives back what was sent, in any pieces, and refuses everything else with BadInput."""

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.words import BadInput
from sensors import messages
from sensors.messages import (
    Ack,
    Batch,
    Credit,
    Decoder,
    Hello,
    Message,
    Ping,
    Pong,
    Problem,
    Welcome,
    encode_message,
)

SENT: list[Message] = [
    Hello(sensor="web01", version="0.1.0", kind="host", epoch=1),
    Welcome(center="城市中心", credit=4),
    Batch(sensor="web01", epoch=1, lane="bulk", first=3, last=4, count=2, sm3=bytes(32), body=b"body"),
    Ack(epoch=1, lane="alerts", sequence=9),
    Credit(batches=0),
    Ping(nonce=1 << 62),
    Pong(nonce=0),
    Problem(code="x", zh="错", en="wrong"),
]
STREAM = b"".join(encode_message(message) for message in SENT)


@settings(max_examples=60, deadline=None)
@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=6))
def test_any_pieces_give_the_same_messages(cuts: list[int]) -> None:
    decoder = Decoder()
    edges = [0, *sorted(cuts), len(STREAM)]
    found = [message for a, b in pairwise(edges) for message in decoder.feed(STREAM[a:b])]
    assert found == SENT


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, len(STREAM) - 1), change=st.integers(1, 255), extra=st.binary(max_size=20))
def test_mutated_bytes_raise_only_bad_input(at: int, change: int, extra: bytes) -> None:
    stream = bytearray(STREAM)
    stream[at] ^= change
    stream[at:at] = extra
    with suppress(BadInput):
        Decoder().feed(bytes(stream))


@pytest.mark.parametrize(
    "stream",
    [
        b"\0\0\0\0",
        b"\xff\xff\xff\xff",
        b"\0\0\0\x01\xc0",
        encode_message(
            Batch(sensor="web01", epoch=1, lane="bulk", first=3, last=9, count=2, sm3=bytes(32), body=b"")
        ),
        encode_message(Hello(sensor="../etc", version="", kind="host", epoch=1)),
        encode_message(Ack(epoch=0, lane="bulk", sequence=1)),
        encode_message(Ack(epoch=1, lane="bulk", sequence=1 << 44)),
    ],
)
def test_what_breaks_a_limit_is_refused(stream: bytes) -> None:
    with pytest.raises(BadInput):
        Decoder().feed(stream)


def test_the_announced_length_is_bounded_before_anything_is_kept() -> None:
    with pytest.raises(BadInput):
        Decoder(messages.GREETING_BYTES_MAX).feed((messages.GREETING_BYTES_MAX + 1).to_bytes(4, "big"))
