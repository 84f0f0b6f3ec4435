"""Messages between centers: bounded in every field, and nothing but what may be said at a moment."""

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.words import BadInput, Refused, Words
from soc_api import transfer_messages as wire

SM3 = "0" * 64
DECODERS = (wire.OFFER, wire.HEADER, wire.CONTENT, wire.ANSWER)
SAID: list[tuple[wire.Message, Any]] = [
    (wire.Offer(package_sm3=SM3, package_bytes=1), wire.OFFER),
    (wire.HeaderBytes(data=b"x"), wire.HEADER),
    (wire.Chunk(index=0, sealed=b"x"), wire.CONTENT),
    (wire.Done(), wire.CONTENT),
    (wire.WantHeader(), wire.ANSWER),
    (wire.Have(bits=b"\x00", credit=1), wire.ANSWER),
    (wire.Taken(index=3), wire.ANSWER),
    (wire.Working(), wire.ANSWER),
    (wire.ReceiptBytes(data=b"{}"), wire.ANSWER),
    (wire.problem_of(Refused("no", Words("不", "no"), Words("", "")), again=False), wire.ANSWER),
]


@pytest.mark.parametrize(("message", "decoder"), SAID)
def test_each_is_understood_at_its_moment_and_at_no_other(message: wire.Message, decoder: Any) -> None:
    data = wire.encode(message)
    size = wire.LENGTH.size
    assert wire.length_of(data[:size], 1 << 20) == len(data) - size
    assert wire.decode(data[size:], decoder) == message
    for other in DECODERS:
        if other is not decoder:
            with pytest.raises(BadInput):
                wire.decode(data[size:], other)


@pytest.mark.parametrize(
    "body",
    [
        {"type": "offer", "package_sm3": "0" * 63, "package_bytes": 1},
        {"type": "offer", "package_sm3": SM3, "package_bytes": 0},
        {"type": "offer", "package_sm3": SM3, "package_bytes": wire.PACKAGE_BYTES_MAX + 1},
        {"type": "offer", "package_sm3": SM3, "package_bytes": 1, "more": 1},
        {"type": "chunk", "index": wire.CHUNKS_MAX, "sealed": b""},
        {"type": "chunk", "index": -1, "sealed": b""},
        {"type": "chunk", "index": 0, "sealed": bytes(wire.SEALED_CHUNK_BYTES_MAX + 1)},
        {"type": "have", "bits": b"", "credit": 0},
        {"type": "have", "bits": bytes(wire.CHUNKS_MAX // 8 + 2), "credit": 1},
    ],
)
def test_fields_have_their_bounds(body: dict[str, object]) -> None:
    data = msgspec.msgpack.encode(body)
    for decoder in DECODERS:
        with pytest.raises(BadInput):
            wire.decode(data, decoder)


@pytest.mark.parametrize("length", [0, wire.SMALL_BYTES_MAX + 1, (1 << 32) - 1])
def test_lengths_have_their_bounds(length: int) -> None:
    with pytest.raises(BadInput):
        wire.length_of(wire.LENGTH.pack(length), wire.SMALL_BYTES_MAX)


@given(st.binary(max_size=400) | st.integers(0, 300).map(lambda depth: b"\x91" * depth))
@settings(max_examples=60, deadline=None)
def test_any_bytes_are_a_message_or_bad_input(data: bytes) -> None:
    for decoder in DECODERS:
        with suppress(BadInput):
            wire.decode(data, decoder)
