"""Lines of /proc/net, hostile ones included."""

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.host.proc_net import Endpoint, parse_address, parse_line

LINE = b"   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000  0 4242 1 x 100"


@pytest.mark.skipif(sys.byteorder != "little", reason="the line is of a little-endian kernel")
def test_a_listening_line() -> None:
    found = parse_line(LINE, "tcp", "0A")
    assert found is not None
    assert found.endpoint == Endpoint("tcp", "127.0.0.1", 8080)
    assert (found.user, found.inode) == (1000, 4242)
    assert parse_line(LINE.replace(b" 0A ", b" 01 "), "tcp", "0A") is None


@pytest.mark.skipif(sys.byteorder != "little", reason="the addresses are of a little-endian kernel")
def test_addresses() -> None:
    assert parse_address("00000000") == "0.0.0.0"
    assert parse_address("00000000000000000000000001000000") == "::1"
    assert parse_address("0000000000000000FFFF00000100007F") == "127.0.0.1"


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=160))
def test_any_line_is_parsed_or_refused(raw: bytes) -> None:
    parse_line(raw, "tcp", "0A")
