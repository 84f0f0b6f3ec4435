"""Community ID against the values every implementation of version 1 gives."""

from ipaddress import ip_address

import pytest

from sensors.network.community import community_id
from sensors.network.packet import ICMP, ICMPV6, TCP, UDP

KNOWN = [
    (TCP, "128.232.110.120", 34_855, "66.35.250.204", 80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
    (UDP, "192.168.1.52", 54_585, "8.8.8.8", 53, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="),
    (ICMP, "192.168.0.89", 8, "192.168.0.1", 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="),
    (
        ICMPV6,
        "fe80::200:86ff:fe05:80da",
        135,
        "fe80::260:97ff:fe07:69ea",
        136,
        "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=",
    ),
]


@pytest.mark.parametrize(("protocol", "here", "port", "there", "other_port", "expected"), KNOWN)
def test_known_values_from_both_sides(
    protocol: int, here: str, port: int, there: str, other_port: int, expected: str
) -> None:
    source, destination = ip_address(here).packed, ip_address(there).packed
    assert community_id(protocol, source, destination, port, other_port) == expected
    assert community_id(protocol, destination, source, other_port, port) == expected


def test_the_seed_changes_the_name() -> None:
    source, destination = ip_address("128.232.110.120").packed, ip_address("66.35.250.204").packed
    assert community_id(TCP, source, destination, 34_855, 80, 1) == "1:3V71V58M3Ksw/yuFALMcW0LAHvc="


def test_one_way_messages_keep_their_direction() -> None:
    here, there = ip_address("192.0.2.9").packed, ip_address("192.0.2.1").packed
    assert community_id(ICMP, here, there, 3, 1) != community_id(ICMP, there, here, 3, 1)
