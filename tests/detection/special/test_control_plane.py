"""Who speaks for the network: new routers and DHCP servers, changed settings, addresses fought over."""

from collections.abc import Callable
from typing import Any

from detection.special.control_plane import ControlPlaneDetector
from detection.special.detectors import SpecialParameters
from detection.special.durable import Durable
from sensors.event import Event

Make = Callable[..., Event]
HOUR, DAY = 3_600.0, 86_400.0


def announcement(make: Make, seconds: float, mac: str) -> Event:
    fields = {
        "interface.name": "eth0",
        "source.ip": f"fe80::{mac[-2:]}",
        "source.mac": mac,
        "network.type": "ipv6",
        "icmp.type": 134,
        "nd.options": [f"source-mac={mac}", "prefix=2001:db8:1::/64 valid=86400"],
    }
    return make(seconds, "net.icmp", fields)


def offer(make: Make, seconds: float, server: str, **more: Any) -> Event:
    fields = {
        "interface.name": "eth0",
        "source.ip": "255.255.255.255",
        "gov.dhcp.type": "ACK",
        "gov.dhcp.server": server,
        "gov.dhcp.routers": ["10.0.0.1"],
        **more,
    }
    return make(seconds, "net.dhcp", fields)


def learned(make: Make) -> list[Event]:
    steps = [announcement(make, n * HOUR, "02-00-00-00-00-01") for n in range(30)]
    return steps + [offer(make, n * HOUR, "10.0.0.1") for n in range(30)]


def test_new_announcers_after_learning(special: SpecialParameters, make: Make) -> None:
    detector = ControlPlaneDetector(special.control_plane)
    assert detector.feed(learned(make)) == []
    (router,) = detector.feed([announcement(make, 31 * HOUR + n, "02-00-00-00-00-66") for n in range(5)])
    assert (router.rule, router.entity) == ("special.rogue-router", "source:fe80::66")
    assert "prefix=2001:db8:1::/64" in router.reason.en
    (server,) = detector.feed([offer(make, 31 * HOUR, "10.0.0.99"), offer(make, 32 * HOUR, "10.0.0.1")])
    assert server.rule == "special.rogue-dhcp"
    (settings,) = detector.feed([offer(make, 33 * HOUR, "10.0.0.1", **{"gov.dhcp.routers": ["10.0.0.66"]})])
    assert settings.rule == "special.dhcp-settings"
    assert "10.0.0.66" in settings.reason.zh
    asks = offer(make, 34 * HOUR, "10.0.0.77", **{"gov.dhcp.type": "DISCOVER"})
    assert detector.feed([asks]) == []


def test_an_address_fought_over_and_one_that_moved(special: SpecialParameters, make: Make) -> None:
    detector = ControlPlaneDetector(special.control_plane)

    def claim(seconds: float, now: str, before: str | None) -> Event:
        fields = {
            "source.ip": "10.0.0.1",
            "source.mac": now,
            "arp.opcode": "reply",
            "gov.neighbour.previous_mac": before,
        }
        return make(seconds, "net.arp", fields)

    assert detector.feed([claim(0, "aa", None), claim(60, "bb", "aa")]) == []
    fought = [claim(2_000 + n * 20, "ab"[n % 2] * 2, "ba"[n % 2] * 2) for n in range(10)]
    (alert,) = detector.feed(fought)
    assert (alert.rule, alert.entity) == ("special.address-fight", "source:10.0.0.1")


def test_what_was_learned_outlives_the_process(special: SpecialParameters, make: Make) -> None:
    first = Durable(ControlPlaneDetector(special.control_plane), seconds=0)
    first.feed(learned(make))
    kept = first.snapshot()
    assert kept is not None
    second = Durable(ControlPlaneDetector(special.control_plane), seconds=0)
    second.recall(kept)
    assert second.feed([announcement(make, 40 * HOUR, "02-00-00-00-00-01")]) == []
    assert len(second.feed([announcement(make, 40 * HOUR, "02-00-00-00-00-66")])) == 1
