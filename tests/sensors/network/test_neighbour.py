"""ARP and neighbour discovery, who claims what, and how often it is said."""

import craft
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.network.neighbour import Bindings, Recent, parse_arp, parse_icmp


def test_arp_kinds() -> None:
    plain = parse_arp(craft.arp(1, craft.HERE, craft.THERE), 14)
    assert plain is not None
    assert (plain.opcode, plain.sender_ip, plain.target_ip) == ("request", craft.HERE, craft.THERE)
    assert plain.sender_mac == "02-00-00-00-00-15"
    assert not plain.is_gratuitous
    gratuitous = parse_arp(craft.arp(2, craft.HERE, craft.HERE), 14)
    probe = parse_arp(craft.arp(1, "0.0.0.0", craft.HERE), 14)
    assert gratuitous is not None
    assert gratuitous.is_gratuitous
    assert probe is not None
    assert probe.is_probe
    assert not probe.is_gratuitous


def test_arp_for_other_hardware_or_cut_is_refused() -> None:
    raw = craft.arp(1, craft.HERE, craft.THERE)
    assert parse_arp(raw[:-1], 14) is None
    assert parse_arp(raw[:14] + b"\0\x18" + raw[16:], 14) is None


def test_a_router_advertisement_in_detail() -> None:
    found = parse_icmp(craft.router_advertisement()[54:], version6=True)
    assert found is not None
    assert (found.type, found.router_lifetime_seconds) == (134, 1_800)
    assert found.options == [
        "source-mac=02-00-00-00-00-15",
        "prefix=2001:db8:66::/64 valid=86400 preferred=14400",
    ]


def test_a_neighbour_advertisement_names_target_and_mac() -> None:
    body = bytes(4) + b"\xfe\x80" + bytes(13) + b"\x09" + b"\x02\x01" + craft.mac(craft.MAC)
    found = parse_icmp(b"\x88\0\0\0" + body, version6=True)
    assert found is not None
    assert (found.target, found.target_mac) == ("fe80::9", "02-00-00-00-00-15")


def test_name_servers_and_mtu_are_told() -> None:
    options = b"\x05\x01\0\0\0\0\x05\xdc" + b"\x19\x03\0\0\0\0\0\x3c" + bytes(15) + b"\x35"
    found = parse_icmp(craft.router_advertisement()[54:70] + options, version6=True)
    assert found is not None
    assert found.options == ["mtu=1500", "dns=::35"]


@pytest.mark.parametrize("options", [b"\x01\x00", b"\x01\x05aa"])
def test_broken_options_are_said_to_be(options: bytes) -> None:
    found = parse_icmp(craft.router_advertisement()[54:70] + options, version6=True)
    assert found is not None
    assert found.options == ["malformed"]


def test_a_type_of_version_4_is_not_discovery() -> None:
    found = parse_icmp(craft.icmp(5, 1)[34:], version6=False)
    assert found is not None
    assert (found.type, found.code, found.options) == (5, 1, [])
    assert parse_icmp(b"\x05", version6=False) is None


@settings(max_examples=60, deadline=None)
@given(st.integers(133, 137), st.binary(max_size=200))
def test_any_discovery_is_answered(kind: int, body: bytes) -> None:
    found = parse_icmp(bytes([kind]) + b"\0\0\0" + body, version6=True)
    assert found is not None
    assert len(found.options) <= 33
    parse_arp(body, 0)


def test_bindings_tell_who_was_there_before() -> None:
    bindings = Bindings(entries_max=2)
    assert bindings.claim("a", "m1") == ""
    assert bindings.claim("a", "m1") == ""
    assert bindings.claim("a", "m2") == "m1"
    bindings.claim("b", "m")
    bindings.claim("c", "m")
    assert bindings.claim("a", "m3") == ""


def test_recent_says_a_thing_once() -> None:
    recent = Recent(seconds=30, entries_max=2)
    assert not recent.is_repeat("a", 0.0)
    assert recent.is_repeat("a", 29.0)
    assert not recent.is_repeat("a", 30.0)
    recent.is_repeat("b", 31.0)
    recent.is_repeat("c", 31.0)
    assert not recent.is_repeat("a", 32.0)
    assert recent.suppressed == 1


def test_an_error_names_the_packet_it_is_about() -> None:
    quoted = craft.udp(b"x", 40_000, 161)[14:]
    found = parse_icmp(b"\x03\x03" + bytes(6) + quoted, version6=False)
    assert found is not None
    assert found.about is not None
    assert (found.about.destination, found.about.destination_port) == (craft.THERE, 161)
    six = craft.udp(b"x", 40_000, 53, source="2001:db8::1", destination="2001:db8::2")[14:]
    found = parse_icmp(b"\x01\x04" + bytes(6) + six, version6=True)
    assert found is not None
    assert found.about is not None
    assert (found.about.source, found.about.source_port) == ("2001:db8::1", 40_000)
    for cut in range(len(quoted)):
        parse_icmp(b"\x03\x03" + bytes(6) + quoted[:cut], version6=False)


def test_redirects_and_router_flags() -> None:
    four = parse_icmp(b"\x05\x01\0\0" + bytes([10, 0, 0, 9]), version6=False)
    assert four is not None
    assert four.gateway == "10.0.0.9"
    hops = bytes(15) + b"\x09" + b"\x20\x01" + bytes(13) + b"\x07"
    six = parse_icmp(b"\x89\0\0\0" + bytes(4) + hops, version6=True)
    assert six is not None
    assert six.gateway == six.target == "::9"
    router = bytearray(craft.router_advertisement()[54:])
    router[5] = 0x88
    found = parse_icmp(bytes(router), version6=True)
    assert found is not None
    assert found.router_flags == ["managed", "high"]
