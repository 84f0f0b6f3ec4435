"""Packets for a person: scapy's reading where it is there, the header walk in any case."""

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.network import decode as module
from sensors.network.decode import decode, walked
from sensors.network.dissect import installed

IP = pack("!BBHHHBBH4s4s", 0x45, 0, 44, 1, 0, 64, 6, 0, b"\x0a\0\0\1", b"\x0a\0\0\2")
TCP = pack("!HHIIBBHHH", 40_000, 80, 1, 0, 0x50, 0x18, 100, 0, 0) + b"GET "
FRAME = b"\x02" * 6 + b"\x04" * 6 + b"\x08\0" + IP + TCP


def test_the_header_walk_names_ends_flags_and_size() -> None:
    found = walked(FRAME, 1)
    assert found.summary == "TCP 10.0.0.1:40000 > 10.0.0.2:80 4"
    assert dict(found.layers[1][1])["flags"] == "PA"
    assert walked(b"", 1).summary == "0 bytes"
    assert walked(b"\x02" * 12 + b"\x88\xcc" + bytes(40), 1).summary == "ethertype 0x88cc"


def test_ipv6_ends_are_written_with_brackets() -> None:
    head = pack("!IHBB16s16s", 0x60000000, 8, 17, 64, bytes(15) + b"\1", bytes(15) + b"\2")
    assert walked(head + pack("!HHHH", 1, 53, 8, 0), 101).summary == "UDP [::1]:1 > [::2]:53 0"


@pytest.mark.slow
def test_scapy_tells_every_layer_with_its_fields() -> None:
    if not installed():
        pytest.skip("scapy is not installed")
    found, other = decode([(FRAME, 1), (FRAME, 9_999)])
    assert [name for name, _ in found.layers][:3] == ["Ether", "IP", "TCP"]
    assert dict(found.layers[1][1])["dst"] == "10.0.0.2"
    assert dict(found.layers[2][1])["flags"] == "PA"
    assert other.summary == f"{len(FRAME)} bytes"  # a link type nobody knows


def test_without_scapy_everything_is_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "installed", lambda: False)
    assert [one.summary for one in decode([(FRAME, 1)])] == ["TCP 10.0.0.1:40000 > 10.0.0.2:80 4"]
    assert decode([]) == []


@given(st.binary(max_size=200), st.sampled_from([0, 1, 101, 113, 276, 7]))
def test_any_bytes_are_told_somehow(data: bytes, link_type: int) -> None:
    assert walked(data, link_type).summary
