"""DHCP for both versions of IP: names, addresses, routers and DNS, of clients, servers and relays."""

from ipaddress import IPv4Address, IPv6Address
from struct import pack

from converse import read, talk

from sensors.network.dhcp import DATAGRAM, options_of
from sensors.network.dhcp6 import DATAGRAM as DATAGRAM6

MAC = bytes.fromhex("020000000015")


def bootp(kind: int, options: bytes, *, reply: bool = False, yours: str = "0.0.0.0") -> bytes:
    head = pack("!BBBBIHH", 2 if reply else 1, 1, 6, 0, 0xCAFE, 0, 0) + bytes(4) + IPv4Address(yours).packed
    return (
        head.ljust(28, b"\0") + MAC.ljust(208, b"\0") + b"\x63\x82\x53\x63" + bytes([53, 1, kind]) + options
    )


def option(code: int, body: bytes) -> bytes:
    return bytes([code, len(body)]) + body


def test_a_request_and_its_answer() -> None:
    asked = option(12, b"desk-7") + option(50, bytes([10, 0, 0, 9])) + option(60, b"MSFT 5.0") + b"\xff"
    (told,) = read(DATAGRAM, bootp(3, asked), talk(0, 67, client_port=68))
    assert told.fields["gov.dhcp.type"] == "REQUEST"
    assert told.fields["gov.dhcp.host_name"] == "desk-7"
    assert told.fields["gov.dhcp.requested_address"] == "10.0.0.9"
    assert told.fields["gov.dhcp.client_mac"] == "02-00-00-00-00-15"
    assert told.native["mac"] == "02:00:00:00:00:15"
    given = option(3, bytes([10, 0, 0, 1])) + option(6, bytes([10, 0, 0, 2, 10, 0, 0, 3]))
    given += option(51, pack("!I", 3_600)) + option(54, bytes([10, 0, 0, 1])) + option(15, b"example.com\0")
    (told,) = read(DATAGRAM, bootp(5, given, reply=True, yours="10.0.0.9"), talk(1, 67, client_port=68))
    assert told.reply
    assert told.fields["gov.dhcp.assigned_address"] == "10.0.0.9"
    assert told.fields["gov.dhcp.routers"] == ["10.0.0.1"]
    assert told.fields["gov.dhcp.dns_servers"] == ["10.0.0.2", "10.0.0.3"]
    assert told.fields["gov.dhcp.lease_seconds"] == 3_600
    assert told.native["domain"] == "example.com"


def test_full_names_in_both_encodings() -> None:
    wire = option(81, b"\x04\0\0\x04desk\x07example\0")
    plain = option(81, b"\0\0\0desk.example")
    for one in (wire, plain):
        assert read(DATAGRAM, bootp(1, one))[0].fields["gov.dhcp.full_name"] == "desk.example"


def test_what_is_not_dhcp() -> None:
    raw = bootp(1, b"")
    assert DATAGRAM.read(raw[:239], talk()) is None
    assert DATAGRAM.read(raw[:236] + b"abcd" + raw[240:], talk()) is None
    assert options_of(b"\0\0\x05\xff", 0) == {5: b""}
    assert len(options_of(option(7, b"x" * 255) * 100, 0)[7]) == 1_024


def option6(code: int, body: bytes) -> bytes:
    return pack("!HH", code, len(body)) + body


def test_version_6_with_a_relay() -> None:
    address = IPv6Address("2001:db8::9")
    lease = option6(5, address.packed + pack("!II", 100, 200))
    prefix = option6(26, pack("!IIB", 1, 2, 56) + IPv6Address("2001:db8:9::").packed)
    inner = b"\x07\xab\xcd\xef" + option6(1, b"\0\x03\0\x01" + MAC)
    inner += option6(3, bytes(12) + lease) + option6(25, bytes(12) + prefix)
    inner += option6(23, IPv6Address("2001:db8::53").packed) + option6(39, b"\0\x04desk\x07example\0")
    relayed = b"\x0d\0" + IPv6Address("2001:db8::1").packed + bytes(16) + option6(9, inner)
    for raw in (inner, relayed):
        (told,) = read(DATAGRAM6, raw)
        assert told.reply
        assert told.fields["gov.dhcp.type"] == "REPLY"
        assert told.fields["gov.dhcp.assigned_addresses"] == ["2001:db8::9", "2001:db8:9::/56"]
        assert told.fields["gov.dhcp.client_mac"] == "02-00-00-00-00-15"
        assert told.fields["gov.dhcp.dns_servers"] == ["2001:db8::53"]
        assert told.fields["gov.dhcp.full_name"] == "desk.example"
    assert read(DATAGRAM6, relayed)[0].fields["gov.dhcp.relay_address"] == "2001:db8::1"


def test_relays_in_relays_are_bounded() -> None:
    raw = b"\x01\0\0\0"
    for _ in range(10):
        raw = b"\x0c\0" + bytes(32) + option6(9, raw)
    assert DATAGRAM6.read(raw, talk()) is None
    assert DATAGRAM6.read(b"\x0c\0", talk()) is None
