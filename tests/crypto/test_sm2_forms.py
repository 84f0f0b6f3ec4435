"""Ciphertexts as raw bytes and as DER: one spelling each, anything else refused, no crash on any bytes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import sm2, sm2_forms
from crypto.words import Refused

KEY = sm2.Sm2PrivateKey.generate()
SEALED = KEY.public.encrypt(b"a content key....")
DER = sm2.to_der(SEALED)


@settings(max_examples=30, deadline=None)
@given(st.binary(min_size=1, max_size=400))
def test_round_trip(text: bytes) -> None:
    raw = KEY.public.encrypt(text)
    assert sm2.from_der(sm2.to_der(raw)) == raw


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    for read in (sm2.from_der, sm2.to_der, sm2.signature_from_der):
        with pytest.raises(Refused):
            read(data)


def test_every_changed_byte_is_refused_or_read_as_written() -> None:
    for at in range(len(DER)):
        for change in (1, 0x80, 0xFF):
            mutated = bytearray(DER)
            mutated[at] ^= change
            try:
                raw = sm2.from_der(bytes(mutated))
            except Refused:
                continue
            assert sm2.to_der(raw) == bytes(mutated)
            with pytest.raises(Refused):
                KEY.decrypt(raw)


def test_truncated_and_longer_der_is_refused() -> None:
    for size in range(len(DER)):
        with pytest.raises(Refused, match="sm2-ciphertext"):
            sm2.from_der(DER[:size])
    with pytest.raises(Refused, match="sm2-ciphertext"):
        sm2.from_der(DER + b"\0")


def test_other_spellings_are_refused() -> None:
    body = DER[2:] if DER[1] < 0x80 else DER[3:]
    for spelled in (b"\x30\x80" + body + b"\0\0", b"\x30\x82\0" + bytes((len(body),)) + body):
        with pytest.raises(Refused, match="sm2-ciphertext"):
            sm2.from_der(spelled)
    huge = b"\x30\x84\xff\xff\xff\xff" + body
    with pytest.raises(Refused, match="sm2-ciphertext"):
        sm2.from_der(huge)
    with pytest.raises(Refused, match="sm2-ciphertext"):
        sm2.from_der(bytes(sm2_forms.PLAIN_BYTES_MAX + 1000))


def test_small_numbers_have_short_der_and_come_back() -> None:
    pair = sm2.Pair(1, 2)
    assert pair.der() == bytes.fromhex("3006020101020102")
    assert sm2.signature_from_der(pair.der()) == pair.raw()
    with pytest.raises(Refused, match="signature-invalid"):
        sm2.signature_to_der(b"")
