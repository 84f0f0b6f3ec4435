"""Which packets go to scapy: the control plane always, long-tail conversations once a while."""

import craft
import pytest

from sensors.network.dissect_gate import AGAIN_SECONDS, Gate
from sensors.network.packet import Packet, walk


def packet(raw: bytes) -> Packet:
    found = walk(raw, 1)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "raw",
    [craft.arp(1, craft.HERE, craft.THERE), craft.ip(b"\x11\0\0\0" * 4, 2), craft.ip(b"\2\1\0\x2c" * 8, 89)],
)
def test_the_control_plane_always(raw: bytes) -> None:
    gate = Gate()
    assert [gate.wants(packet(raw), 1.0) for _ in range(3)] == [True] * 3


def test_the_long_tail_once_a_while() -> None:
    gate = Gate()
    radius, mqtt = craft.udp(b"\1\1\0\x14" + bytes(16), 40_000, 1_812), craft.tcp(b"\x10\x0c", 40_000, 1_883)
    for raw in (radius, mqtt):
        assert gate.wants(packet(raw), 1.0)
        assert not gate.wants(packet(raw), 2.0)
        assert gate.wants(packet(raw), 2.0 + AGAIN_SECONDS)
    assert gate.wants(packet(craft.udp(b"x", 40_000, 1_812, destination="10.20.0.81")), 2.0)


def test_the_rest_never() -> None:
    gate = Gate()
    for raw in (
        craft.tcp(b"GET /", 40_000, 80),
        craft.tcp(b"", 40_000, 179, craft.SYN),
        craft.udp(b"x", 40_000, 53),
        craft.icmp(8),
    ):
        assert not gate.wants(packet(raw), 1.0)
