"""A signed batch verifies by its key alone; any changed field, body or key is refused."""

from typing import Any

import pytest
from msgspec.structs import replace

from crypto.keys import SigningKey
from crypto.sm3 import sm3
from crypto.words import Refused
from sensors.messages import Batch
from sensors.signed_batch import Signer, signed_bytes, verify_batch
from sensors.wire import decode_batch, encode_batch, make_batch

KEY = SigningKey.generate()
SIGNED = Signer(KEY).sign(make_batch("web01", 7, "flows", 5, [b"{}", b"[]"]))


def test_a_signed_batch_verifies_after_its_journey() -> None:
    verify_batch(decode_batch(encode_batch(SIGNED)), KEY.public)


def test_the_signed_bytes_are_as_documented() -> None:
    head = b"liuhe batch 2\n\0\0" + b"\x05web01" + bytes.fromhex("00000007 02")
    numbers = (5).to_bytes(8, "big") + (6).to_bytes(8, "big") + (2).to_bytes(4, "big")
    assert signed_bytes(SIGNED) == head + numbers + sm3(SIGNED.body) + bytes.fromhex(KEY.public.key_id)


@pytest.mark.parametrize(
    "changes",
    [
        {"sensor": "web02"},
        {"epoch": 8},
        {"lane": "bulk"},
        {"first": 6, "last": 7},
        {"count": 3},
        {"body": b"other"},
        {"body": b"other", "sm3": sm3(b"other")},
        {"key": bytes(32)},
        {"signature": bytes(64)},
        {"signature": SIGNED.signature[:-1] + bytes([SIGNED.signature[-1] ^ 1])},
    ],
)
def test_whatever_is_changed_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Refused) as caught:
        verify_batch(replace(SIGNED, **changes), KEY.public)
    assert caught.value.code == "batch-signature"


def test_another_key_and_an_unsigned_batch_are_refused() -> None:
    other = SigningKey.generate()
    unsigned: Batch = make_batch("web01", 7, "flows", 5, [b"{}"])
    for batch, key in [(SIGNED, other.public), (unsigned, KEY.public)]:
        with pytest.raises(Refused):
            verify_batch(batch, key)
