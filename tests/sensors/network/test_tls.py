"""Hellos of TLS and TLCP: names, versions, JA3, joining over records, and hostile bytes."""

import craft
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.network.tls import ClientHello, ServerHello, is_hello, parse_message
from sensors.network.tls_records import Records

HELLO = craft.client_hello("Portal.example.gov.cn")


def parse_hello(raw: bytes) -> ClientHello | ServerHello | None:
    """The hello of the first message in these records."""
    found = Records().feed(raw)
    return parse_message(found[0].data) if found else None


def client(raw: bytes) -> ClientHello:
    found = parse_hello(raw)
    assert isinstance(found, ClientHello)
    return found


def server(raw: bytes) -> ServerHello:
    found = parse_hello(raw)
    assert isinstance(found, ServerHello)
    return found


def test_a_client_hello() -> None:
    found = client(HELLO)
    assert found.server_name == "portal.example.gov.cn"
    assert (found.version, found.offered_version) == (0x0303, 0x0304)
    assert found.suites == [0x1301, 0xC02F]
    assert found.ja3_text == "771,4865-49199,0-10-11-43,29-23,0"
    assert not found.is_sm


def test_grease_is_left_out_of_the_fingerprint() -> None:
    plain = client(craft.client_hello("a.cn"))
    greased = client(
        craft.client_hello("a.cn", suites=(0x3A3A, 0x1301, 0xC02F), offered=(0x7A7A, 0x0304, 0x0303))
    )
    assert greased.ja3 == plain.ja3
    assert greased.offered_version == 0x0304


@pytest.mark.parametrize(
    ("raw", "sm"),
    [
        (
            craft.client_hello(version=0x0101, suites=(0xE013, 0xE011), offered=(), record_version=0x0101),
            True,
        ),
        (craft.client_hello(suites=(0x00C6, 0x1301)), True),
        (craft.client_hello(suites=(0x1301, 0x1302)), False),
        (craft.server_hello(0xE053, version=0x0101), True),
        (craft.server_hello(0x00C7, chosen=0x0304), True),
        (craft.server_hello(0x1301, chosen=0x0304), False),
    ],
)
def test_national_algorithms_are_recognised(raw: bytes, sm: bool) -> None:
    found = parse_hello(raw)
    assert found is not None
    assert found.is_sm is sm


def test_a_server_hello_tells_the_version_in_force() -> None:
    assert server(craft.server_hello(0x1302, chosen=0x0304)).version == 0x0304
    assert server(craft.server_hello(0xC02F, version=0x0302)).version == 0x0302


def test_a_hello_over_several_records_is_joined() -> None:
    message = HELLO[5:]
    cut = 60
    raw = b"".join(
        b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part for part in (message[:cut], message[cut:])
    )
    assert client(raw) == client(HELLO)


def test_the_gate_knows_hellos_by_their_form() -> None:
    assert is_hello(HELLO)
    assert not is_hello(b"\x17" + HELLO[1:])
    assert not is_hello(HELLO[:5] + b"\x0b" + HELLO[6:])
    assert not is_hello(b"\x16\x02" + HELLO[2:])


def test_a_name_of_odd_bytes_is_written_out() -> None:
    raw = HELLO.replace(b"Portal", b"P\x00\xff\nal")
    assert client(raw).server_name.isprintable()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 400), st.integers(0, 255), st.integers(0, 400))
def test_mutated_hellos_are_answered(place: int, value: int, cut: int) -> None:
    raw = bytearray(HELLO)
    raw[place % len(raw)] = value
    for whole in (bytes(raw), bytes(raw[:cut])):
        parse_hello(whole)
        is_hello(whole)


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=300))
def test_random_bodies_are_answered(body: bytes) -> None:
    for kind in (1, 2):
        parse_hello(craft.record(b"\x03\x03" + body, kind))


def test_an_early_draft_of_tls_1_3_has_neither_session_nor_compression() -> None:
    share = craft.extension(40, b"\x00\x1d" + b"\x00\x02ab")
    body = b"\x7f\x10" + bytes(32) + b"\x13\x01" + len(share).to_bytes(2, "big") + share
    found = parse_message(craft.record(body, 2)[5:])
    assert isinstance(found, ServerHello)
    assert (found.version, found.suite, found.group) == (0x7F10, 0x1301, 29)
