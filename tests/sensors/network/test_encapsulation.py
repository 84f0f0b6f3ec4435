"""Tunnels: what lies inside is walked, what cannot be opened stays as it is, depth is bounded."""

from collections.abc import Callable
from struct import pack

import craft
import pytest
from craft import of
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.event import Observation
from sensors.network.encapsulation import GENEVE_PORT, GTP_PORT, TUNNELS_MAX, UDP_TUNNEL_PORTS, open_udp
from sensors.network.packet import Packet, walk, walk_inner

Inspect = Callable[..., list[Observation]]
INNER = craft.udp(craft.dns("inside.example.cn"), 40_000, 53, "192.168.7.1", "192.168.7.2")
NAKED = INNER[14:]  # from the IP header on
INNER6 = craft.udp(b"x", 40_000, 53, "fd00::1", "fd00::2")[14:]


def inside(raw: bytes) -> Packet:
    found = walk(raw, 1)
    assert found is not None
    if found.tunnel is None:
        found = walk_inner(raw, found)
        assert found is not None
    return found


@pytest.mark.parametrize(
    ("raw", "kind", "identifier"),
    [
        (craft.ip(NAKED, 4), "ip", -1),
        (craft.ip(INNER6, 41), "ip", -1),
        (craft.ip(pack("!HH", 0, 0x0800) + NAKED, 47), "gre", -1),
        (craft.ip(pack("!HHII", 0x3000, 0x0800, 99, 5) + NAKED, 47), "gre", 99),
        (craft.ip(pack("!HHI", 0x8000, 0x86DD, 0) + INNER6, 47), "gre", -1),
        (craft.ip(pack("!HHI", 0x2000, 0x6558, 7 << 8) + INNER, 47), "gre", 7 << 8),
        (craft.ip(pack("!HHHHI", 0x3001, 0x880B, 4, 8, 1) + b"\xff\x03\x00\x21" + NAKED, 47), "gre", 8),
        (craft.ip(pack("!HHII", 0x1000, 0x88BE, 1, 0x1000_0005) + bytes(4) + INNER, 47), "erspan", 5),
        (craft.ip(pack("!HH", 0, 0x88BE) + INNER, 47), "erspan", -1),
        (craft.udp(pack("!II", 8 << 24, 4_711 << 8) + INNER, 50_000, 4789), "vxlan", 4_711),
        (craft.udp(pack("!BBHI", 1, 0, 0x6558, 3 << 8) + bytes(4) + INNER, 50_000, GENEVE_PORT), "geneve", 3),
        (craft.udp(pack("!BBHI", 0x30, 0xFF, len(NAKED), 12) + NAKED, 2152, GTP_PORT), "gtp", 12),
        (craft.udp(INNER6, 50_000, 3_544), "teredo", -1),
        (craft.udp(b"\0\1\0\0" + bytes(9) + bytes(8) + INNER6, 3_544, 50_000), "teredo", -1),
        (craft.ethernet(pack("!I", 0x0001_2345) + INNER, 0x88E7), "pbb", 0x01_2345),
        (craft.ethernet(pack("!H", 0x1234) + INNER, 0x8903), "fabricpath", 0x1234),
        (craft.ethernet(pack("!II", 16 << 12 | 0x1FF, 0) + INNER, 0x8847), "mpls", 16),
    ],
)
def test_what_is_inside_is_seen(raw: bytes, kind: str, identifier: int) -> None:
    found = inside(raw)
    assert found.tunnel is not None
    assert (found.tunnel.kind, found.tunnel.identifier) == (kind, identifier)
    assert (found.source_port, found.destination_port) == (40_000, 53)
    assert found.source in (b"\xc0\xa8\x07\x01", b"\xfd" + bytes(14) + b"\x01")


def test_tags_of_every_kind() -> None:
    tagged = craft.ethernet(pack("!HHHH", 5, 0x8100, 7, 0x0800) + NAKED, 0x88A8)
    labelled = craft.ethernet(pack("!II", 20 << 12, 21 << 12 | 0x100) + NAKED, 0x8847)
    for raw, vlan in (
        (tagged, 5),
        (labelled, -1),
        (craft.ethernet(pack("!IH", 0, 0x0800) + NAKED, 0x8926), -1),
    ):
        found = walk(raw, 1)
        assert found is not None
        assert (found.vlan, found.destination_port, found.tunnel) == (vlan, 53, None)


def test_what_is_inside_a_tunnel_is_reported_with_it(inspect: Inspect) -> None:
    seen = inspect(craft.udp(pack("!II", 8 << 24, 4_711 << 8) + INNER, 50_000, 4789))
    (query,) = of("net.dns", seen)
    assert query.fields["source.ip"] == "192.168.7.1"
    assert query.fields["gov.tunnel.type"] == "vxlan"
    assert query.fields["gov.tunnel.id"] == 4_711
    assert query.fields["gov.tunnel.source"] == craft.HERE
    services = {one.fields["destination.port"]: one.native["service"] for one in of("net.flow", seen)}
    assert services == {4789: "vxlan", 53: "dns"}


def test_tunnels_in_tunnels_end() -> None:
    raw = NAKED
    for _ in range(TUNNELS_MAX + 3):
        raw = craft.ip(raw, 4)[14:]
    found = walk(craft.ethernet(raw, 0x0800), 1)
    assert found is not None
    assert found.tunnel is not None
    assert found.tunnel.depth == TUNNELS_MAX
    assert found.protocol == 4


def test_what_is_no_tunnel_stays_outside() -> None:
    for port in UDP_TUNNEL_PORTS:
        assert open_udp(b"\xff" * 40, 0, 40, port) is None or port == 4790
        found = walk(craft.udp(craft.dns("a.cn"), 50_000, port), 1)
        assert found is not None
        assert found.destination_port == port
    routed = walk(craft.ip(pack("!HH", 0x4000, 0x0800) + NAKED, 47), 1)
    assert routed is not None
    assert (routed.protocol, routed.tunnel) == (47, None)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=80), st.sampled_from([4, 41, 47]), st.sampled_from(sorted(UDP_TUNNEL_PORTS)))
def test_any_bytes_in_a_tunnel_are_answered(data: bytes, protocol: int, port: int) -> None:
    for raw in (craft.ip(data, protocol), craft.udp(data, 1, port)):
        found = walk(raw, 1)
        assert found is not None
        inner = walk_inner(raw, found)
        assert inner is None or inner.end <= len(raw)
