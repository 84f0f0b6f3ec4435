"""Receipts: only the receiver's own word on the very package counts."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.keys import PublicKey, SigningKey
from crypto.transfer.receipt import (
    Receipt,
    SignedReceipt,
    decode_receipt,
    open_receipt,
    receipt_sm3,
    sign_receipt,
)
from crypto.transfer.request import Reason
from crypto.words import Refused

KEY, OTHER = SigningKey.generate(), SigningKey.generate()
KEYS = {KEY.public.key_id: KEY.public}
NO = Reason(code="transfer-policy", zh="不允许", en="not allowed")


def receipt(**changes: Any) -> Receipt:
    members: dict[str, Any] = {
        "package": "0" * 32,
        "package_sm3": "a" * 64,
        "manifest_sm3": "b" * 64,
        "channel": "a-b",
        "epoch": 1,
        "sequence": 1,
        "receiver": "b",
        "verdict": "accepted",
        "time": datetime(2026, 11, 22, tzinfo=UTC),
    }
    return Receipt(**{**members, **changes})


@pytest.mark.parametrize("one", [receipt(), receipt(verdict="refused", reason=NO, sequence=0, epoch=0)])
def test_a_receipt_comes_back_as_it_was(one: Receipt) -> None:
    data = sign_receipt(one, KEY)
    assert open_receipt(data, KEYS) == one
    assert len(receipt_sm3(data)) == 64


def test_a_strangers_receipt_is_refused() -> None:
    with pytest.raises(Refused, match="receipt-untrusted"):
        open_receipt(sign_receipt(receipt(), OTHER), KEYS)


def test_a_forged_receipt_is_refused() -> None:
    signed = decode_receipt(sign_receipt(receipt(verdict="refused", reason=NO), KEY))
    forged = msgspec.json.encode(msgspec.structs.replace(signed, receipt=receipt()))
    with pytest.raises(Refused):
        open_receipt(forged, KEYS)


def test_every_changed_byte_is_refused() -> None:
    data = sign_receipt(receipt(), KEY)
    for place in range(len(data)):
        bad = bytearray(data)
        bad[place] ^= 1
        with pytest.raises(Refused):
            open_receipt(bytes(bad), KEYS)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        decode_receipt(data)


@pytest.mark.parametrize(
    "changes",
    [
        {"package": ""},
        {"package_sm3": "x"},
        {"manifest_sm3": ""},
        {"sequence": 0},
        {"epoch": -1},
        {"receiver": ""},
        {"reason": NO},
        {"verdict": "refused"},
        {"time": datetime(2026, 11, 22)},  # noqa: DTZ001
        {"format": "v2"},
        {"channel": "x" * 300},
    ],
)
def test_what_makes_no_sense_is_refused(changes: dict[str, Any]) -> None:
    signed = decode_receipt(sign_receipt(receipt(), KEY))
    data = msgspec.json.encode(msgspec.structs.replace(signed, receipt=receipt(**changes)))
    with pytest.raises(Refused):
        decode_receipt(data)


def test_a_receipt_may_carry_its_certificates() -> None:
    data = sign_receipt(receipt(), OTHER, (b"leaf", b"issuer"))
    asked: list[SignedReceipt] = []

    def certified(signed: SignedReceipt) -> PublicKey:
        asked.append(signed)
        return OTHER.public

    assert open_receipt(data, KEYS, certified) == receipt()
    assert asked[0].certificates == (b"leaf", b"issuer")
    with pytest.raises(Refused, match="receipt-untrusted"):
        open_receipt(data, KEYS)
    with pytest.raises(Refused, match="receipt-untrusted"):
        open_receipt(data, KEYS, lambda _: KEY.public)
    with pytest.raises(Refused, match="receipt-untrusted"):
        open_receipt(sign_receipt(receipt(), OTHER), KEYS, certified)
    assert b"certificates" not in sign_receipt(receipt(), KEY)


@given(certificates=st.lists(st.binary(max_size=40), max_size=8))
@settings(max_examples=60, deadline=None)
def test_certificates_of_a_receipt_are_read_as_written_or_refused(certificates: list[bytes]) -> None:
    data = sign_receipt(receipt(), KEY, certificates)
    if len(certificates) > 5 or not all(certificates):
        with pytest.raises(Refused, match="receipt-malformed"):
            decode_receipt(data)
    else:
        assert decode_receipt(data).certificates == tuple(certificates)
