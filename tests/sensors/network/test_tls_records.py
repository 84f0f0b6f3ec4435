"""The record layer: messages over records and segments, alerts, the turn to ciphertext, hostile sizes."""

import craft
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.network.tls_records import (
    ALERT,
    APPLICATION,
    CHANGE_CIPHER,
    HANDSHAKE,
    MESSAGE_BYTES_MAX,
    Records,
)

HELLO = craft.client_hello("portal.example.gov.cn")
CHANGE = b"\x14\x03\x03\x00\x01\x01"
ALERT_RECORD = b"\x15\x03\x03\x00\x02\x02\x28"
DATA = b"\x17\x03\x03\x00\x10" + bytes(16)


def test_a_message_fed_byte_by_byte() -> None:
    records = Records()
    found = [one for byte in HELLO for one in records.feed(bytes([byte]))]
    assert [(one.kind, one.data) for one in found] == [(HANDSHAKE, HELLO[5:])]


def test_two_messages_in_one_record_and_one_over_two() -> None:
    message = HELLO[5:]
    both = message + b"\x0e\x00\x00\x00"
    raw = b"\x16\x03\x03" + len(both).to_bytes(2, "big") + both
    assert [one.data for one in Records().feed(raw)] == [message, b"\x0e\x00\x00\x00"]
    halves = b"".join(
        b"\x16\x03\x03" + len(part).to_bytes(2, "big") + part for part in (message[:9], message[9:])
    )
    assert [one.data for one in Records().feed(halves)] == [message]


def test_alerts_are_read_only_in_the_clear() -> None:
    assert [one.kind for one in Records().feed(ALERT_RECORD)] == [ALERT]
    assert [one.kind for one in Records().feed(CHANGE + ALERT_RECORD)] == [CHANGE_CIPHER]


def test_it_ends_with_the_first_data() -> None:
    records = Records()
    assert [one.kind for one in records.feed(CHANGE + DATA)] == [CHANGE_CIPHER, APPLICATION]
    assert records.done
    assert records.feed(HELLO) == []


def test_a_second_hello_after_the_change_is_read_but_ciphertext_is_not() -> None:
    sealed = b"\x16\x03\x03\x00\x08" + b"\xd0\x01\x02\x03\x04\x05\x06\x07"
    assert [one.kind for one in Records().feed(CHANGE + HELLO)] == [CHANGE_CIPHER, HANDSHAKE]
    records = Records()
    assert [one.kind for one in records.feed(CHANGE + sealed + DATA)] == [CHANGE_CIPHER, APPLICATION]


def test_lies_about_sizes_end_the_reading() -> None:
    endless = b"\x16\x03\x03\x00\x04\x0b" + (MESSAGE_BYTES_MAX + 1).to_bytes(3, "big")
    for raw in (endless, b"\x16\x03\x03\xff\xff", b"\x16\x07\x03\x00\x10", b"\x63\x03\x03\x00\x10"):
        records = Records()
        assert records.feed(raw) == []
        assert records.done


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=12), st.integers(0, 200), st.integers(0, 255))
def test_any_bytes_are_answered(parts: list[bytes], place: int, value: int) -> None:
    raw = bytearray(HELLO + CHANGE + ALERT_RECORD)
    raw[place % len(raw)] = value
    records = Records()
    for part in (bytes(raw), *parts):
        records.feed(part)
