"""Forbidden ways outside, each seen and each with what looks like it and is none."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from detection.special.detectors import SpecialParameters
from detection.special.networks import Inside
from detection.special.outside_link import OutsideLinkDetector
from sensors.event import Event

Make = Callable[..., Event]
COLUMNS = ["name", "mac", "ipv4", "ipv6", "state", "speed"]


@pytest.fixture
def detector(special: SpecialParameters, inside: Inside) -> OutsideLinkDetector:
    isolated = msgspec.structs.replace(special.outside_link, isolated=("10.9.0.0/16",))
    return OutsideLinkDetector(isolated, inside)


def rules(detector: OutsideLinkDetector, *events: Event) -> list[str]:
    return [alert.rule for alert in detector.feed(events)]


def flow(make: Make, source: str, target: str, state: str = "SF") -> Event:
    fields = {
        "event.action": "flow-end",
        "source.ip": source,
        "destination.ip": target,
        "destination.port": 443,
        "destination.bytes": 900 if state == "SF" else 0,
    }
    return make(0, "net.flow", fields, {"conn_state": state})


def interfaces(make: Make, *rows: str) -> Event:
    items = ["\t".join(row.split("|")) for row in rows]
    fields = {"host.name": "pc-1", "gov.inventory.columns": COLUMNS, "gov.inventory.items": items}
    return make(0, "inventory.interfaces", fields, product="linux")


def change(make: Make, name: str, **more: Any) -> Event:
    fields = {
        "host.name": "pc-1",
        "event.action": "added",
        "gov.inventory.kind": "interfaces",
        "gov.inventory.key": name,
        "gov.inventory.before": None,
        **more,
    }
    return make(0, "inventory.change", fields, {"state": "up", "ipv4": "192.168.43.7/24"}, product="linux")


def test_canaries_and_isolated_networks(detector: OutsideLinkDetector, make: Make) -> None:
    to_canary = flow(make, "10.0.0.7", "198.51.100.222", "S0")
    assert rules(detector, to_canary, to_canary) == ["special.canary-address"]
    assert rules(detector, flow(make, "10.9.1.1", "203.0.113.5", "S0")) == []
    assert rules(detector, flow(make, "10.9.1.1", "10.0.0.1")) == []
    assert rules(detector, flow(make, "10.0.0.8", "203.0.113.5")) == []
    told = rules(detector, flow(make, "10.9.1.1", "8.8.8.8"))
    assert told == ["special.isolated-outside"]


def test_hosts_in_both_worlds(detector: OutsideLinkDetector, make: Make) -> None:
    inner = "eth0|02-01|10.0.0.5/24||up|1000"
    loopback = "lo|00|127.0.0.1/8|::1/128|unknown|"
    assert rules(detector, interfaces(make, inner, loopback, "eth1|02-02|10.1.0.5/24|fe80::1/64|up|")) == []
    assert rules(detector, interfaces(make, inner, "eth1|02-02|8.8.4.4/24||down|")) == []
    both_families = "eth0|02-01|8.8.4.4/24|fd00::2/64|up|1000"
    assert rules(detector, interfaces(make, both_families, "docker0|02-09|172.17.0.1/16||up|")) == []
    assert rules(detector, interfaces(make, loopback, "eth1|02-02|8.8.4.4/24||up|")) == []
    assert rules(detector, interfaces(make, inner, "eth1|02-02|8.8.4.4/24||up|")) == ["special.dual-homed"]


def test_new_links(detector: OutsideLinkDetector, make: Make) -> None:
    assert rules(detector, change(make, "eth1")) == []
    assert rules(detector, change(make, "wlan0", **{"event.action": "removed"})) == []
    rise = {"event.action": "changed", "gov.inventory.before": "wlan1 down"}
    assert rules(detector, change(make, "wlan1", **rise, **{"gov.inventory.changed": ["speed"]})) == []
    assert rules(detector, change(make, "wlan1", **rise, **{"gov.inventory.changed": ["state"]})) == [
        "special.new-link"
    ]


def test_foreign_addresses_on_the_wire(detector: OutsideLinkDetector, make: Make) -> None:
    def arp(address: str, opcode: str = "request") -> Event:
        return make(0, "net.arp", {"source.ip": address, "source.mac": "02-07", "arp.opcode": opcode})

    assert rules(detector, arp("8.8.8.8")) == []  # a wire on which nobody of ours was seen
    assert rules(detector, *(arp(f"10.0.0.{n}") for n in range(20, 30))) == []
    assert rules(detector, arp("10.0.0.8"), arp("169.254.3.3"), arp("0.0.0.0"), arp("8.8.8.8", "reply")) == []
    assert rules(detector, arp("8.8.8.8")) == ["special.foreign-address"]


def test_several_kinds_of_machines_behind_one_address(detector: OutsideLinkDetector, make: Make) -> None:
    def browse(seconds: float, agent: str, source: str = "10.0.0.7") -> Event:
        return make(seconds, "net.http", {"source.ip": source, "user_agent.original": agent})

    windows = "Mozilla/5.0 (Windows NT 10.0; Win64)"
    android = "Mozilla/5.0 (Linux; Android 14; Mobile)"
    iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0)"
    assert rules(detector, browse(0, windows), browse(1, android), browse(9_000, iphone)) == []
    assert rules(detector, browse(9_001, windows), browse(9_002, "curl/8"), browse(9_003, android)) == [
        "special.shared-address"
    ]


def routes(make: Make, *rows: str, host: str = "pc-1") -> Event:
    fields = {
        "host.name": host,
        "gov.inventory.columns": ["destination", "interface", "gateway", "metric"],
        "gov.inventory.items": ["\t".join(row.split("|")) for row in rows],
    }
    return make(0, "inventory.routes", fields, product="linux")


def test_two_ways_out(detector: OutsideLinkDetector, make: Make) -> None:
    plain = ["0.0.0.0/0|eth0|10.0.0.1|100", "10.0.0.0/24|eth0||100"]
    assert rules(detector, routes(make, *plain, "192.168.43.0/24|wlan0||600")) == []
    assert rules(detector, routes(make, *plain, "0.0.0.0/0|eth0|10.0.0.2|200")) == []
    assert rules(detector, routes(make, *plain, "::/0|eth1|fe80::1|1024")) == []
    assert rules(detector, routes(make, *plain, "0.0.0.0/0|docker0|172.17.0.1|0")) == []
    two = routes(make, *plain, "0.0.0.0/0|wlan0|192.168.43.1|600")
    (alert,) = detector.feed([two, two])
    assert (alert.rule, alert.entity) == ("special.two-default-routes", "host:pc-1")
    assert "wlan0 192.168.43.1" in alert.reason.zh
    halves = ("0.0.0.0/1|tun0|10.8.0.1|0", "128.0.0.0/1|tun0|10.8.0.1|0")
    assert rules(detector, routes(make, *plain, *halves, host="pc-2")) == ["special.two-default-routes"]
