"""The header walk: every link type and header it knows, and silence about what is broken."""

from struct import pack

import craft
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.network import packet as p
from sensors.network.packet import is_control, walk

DATAGRAM = craft.udp(b"payload", 1_111, 2_222)
IP_ONLY = DATAGRAM[14:]


def test_udp_over_ethernet() -> None:
    found = walk(DATAGRAM, p.LINK_ETHERNET)
    assert found is not None
    assert (found.protocol, found.source_port, found.destination_port) == (p.UDP, 1_111, 2_222)
    assert DATAGRAM[found.start : found.end] == b"payload"
    assert found.source_mac == craft.mac(craft.MAC)
    assert found.payload_bytes == 7


@pytest.mark.parametrize(
    ("head", "link"),
    [
        (b"", p.LINK_RAW),
        (b"", p.LINK_IPV4),
        (pack("<I", 2), p.LINK_NULL),
        (pack(">I", 2), p.LINK_LOOP),
        (pack("!HHH8sH", 0, 1, 6, bytes(8), 0x0800), p.LINK_SLL),
        (pack("!HHIHBB8s", 0x0800, 0, 1, 1, 0, 6, bytes(8)), p.LINK_SLL2),
        (bytes(12) + pack("!HHH", 0x8100, 0x2007, 0x0800), p.LINK_ETHERNET),
        (bytes(12) + pack("!HHHHH", 0x88A8, 5, 0x8100, 7, 0x0800), p.LINK_ETHERNET),
        (bytes(12) + pack("!H", 40) + b"\xaa\xaa\x03\0\0\0\x08\0", p.LINK_ETHERNET),
        (bytes(12) + pack("!HBBHHH", 0x8864, 0x11, 0, 1, 40, 0x0021), p.LINK_ETHERNET),
        (bytes(12) + pack("!HII", 0x8847, 16 << 12, 17 << 12 | 0x100), p.LINK_ETHERNET),
    ],
)
def test_every_link_type_leads_to_the_same_datagram(head: bytes, link: int) -> None:
    found = walk(head + IP_ONLY, link)
    assert found is not None
    assert (found.source_port, found.payload_bytes) == (1_111, 7)


def test_outer_vlan_is_kept() -> None:
    tagged = DATAGRAM[:12] + pack("!HHHH", 0x88A8, 5, 0x8100, 7) + DATAGRAM[12:]
    found = walk(tagged, p.LINK_ETHERNET)
    assert found is not None
    assert found.vlan == 5


def test_ipv6_extension_headers_are_passed() -> None:
    inner = pack("!HHHH", 546, 547, 12, 0) + b"dhcp"
    extensions = b"\x2b\0" + bytes(6) + b"\x3c\0" + bytes(6) + b"\x11\x01" + bytes(14)
    found = walk(craft.ip(extensions + inner, 0, "fe80::1", "ff02::1:2"), 1)
    assert found is not None
    assert (found.protocol, found.destination_port) == (p.UDP, 547)
    assert is_control(found)


def test_a_chain_of_extension_headers_ends() -> None:
    chain = (b"\0\0" + bytes(6)) * 500
    found = walk(craft.ip(chain, 0, "fe80::1", "fe80::2"), 1)
    assert found is not None
    assert found.protocol == 0


@pytest.mark.parametrize("place", [100, 0x2000, 0x2000 | 100])
def test_fragments_have_no_ports(place: int) -> None:
    raw = bytearray(DATAGRAM)
    raw[20:22] = pack("!H", place)
    found = walk(bytes(raw), 1)
    assert found is not None
    assert found.is_fragment
    assert found.source_port == 0


def test_ipv6_atomic_fragments_are_whole() -> None:
    inner = pack("!HHHH", 5_000, 53, 9, 0) + b"x"
    for place, parted in ((0, False), (1, True), (8, True)):
        found = walk(craft.ip(pack("!BBHI", 17, 0, place, 7) + inner, 44, "fe80::1", "fe80::2"), 1)
        assert found is not None
        assert (found.is_fragment, found.source_port) == (parted, 0 if parted else 5_000)


def test_a_snapped_packet_keeps_its_true_length() -> None:
    whole = craft.tcp(b"x" * 1_400, 1, 2)
    found = walk(whole[:100], 1)
    assert found is not None
    assert found.payload_bytes == 1_400
    assert found.end - found.start == 100 - 54


@pytest.mark.parametrize("size", range(14, len(DATAGRAM) - 7))
def test_cut_headers_are_malformed(size: int) -> None:
    assert walk(DATAGRAM[:size], 1) is None


def test_contradictions_are_malformed() -> None:
    short_header = bytearray(DATAGRAM)
    short_header[14] = 0x44
    short_total = bytearray(DATAGRAM)
    short_total[16:18] = pack("!H", 10)
    assert walk(bytes(short_header), 1) is None
    assert walk(bytes(short_total), 1) is None
    assert walk(DATAGRAM, 147) is None


def test_control_plane() -> None:
    yes = [
        craft.arp(1, craft.HERE, craft.THERE),
        craft.router_advertisement(),
        craft.udp(b"", 68, 67),
        craft.ethernet(b"\x42\x42\x03" + bytes(35), 38),
        craft.ethernet(b"\x02\x07", 0x88CC),
    ]
    no = [DATAGRAM, craft.tcp(b"", 67, 68), craft.icmp(8)]
    for packet, expected in [(one, True) for one in yes] + [(one, False) for one in no]:
        found = walk(packet, 1)
        assert found is not None
        assert is_control(found) is expected


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(sorted(p.LINK_TYPES)))
def test_any_bytes_are_answered(data: bytes, link: int) -> None:
    found = walk(data, link)
    assert found is None or 0 <= found.start <= found.end <= len(data)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_mutated_packets_are_answered(draw: st.DataObject) -> None:
    raw = bytearray(
        draw.draw(st.sampled_from([DATAGRAM, craft.tcp(b"abc", 1, 2), craft.router_advertisement()]))
    )
    for _ in range(draw.draw(st.integers(1, 6))):
        raw[draw.draw(st.integers(0, len(raw) - 1))] = draw.draw(st.integers(0, 255))
    found = walk(bytes(raw), 1)
    assert found is None or found.start <= found.end <= len(raw)
