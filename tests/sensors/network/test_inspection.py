"""The whole path of a packet: gates, joining of hellos, ports left alone, budgets, hostile streams."""

import time
from collections.abc import Callable
from pathlib import Path

import craft
from craft import of
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.event import Observation
from sensors.network.capture_file import read_packets
from sensors.network.inspection import Budget, Inspection
from sensors.network.observation import Reporter
from sensors.network.settings import NetworkSettings

Inspect = Callable[..., list[Observation]]


def fresh(**more: object) -> Inspection:
    return Inspection(NetworkSettings(), Reporter("s", "t"), **more)


def test_protocols_are_found_on_any_port(inspect: Inspect) -> None:
    question = craft.dns("a.example.cn")
    over_tcp = len(question).to_bytes(2, "big") + question
    seen = inspect(
        craft.udp(question, 40_000, 31_337),
        *craft.connection(over_tcp, 31_338, source_port=41_000),
        *craft.connection(craft.http("/"), 31_339, source_port=41_001),
        *craft.connection(craft.client_hello("a.cn"), 31_340, source_port=41_002),
    )
    found = {one.fields["destination.port"]: one.fields["event.dataset"] for one in seen}
    services = {one.fields["destination.port"]: one.native.get("service") for one in of("net.flow", seen)}
    assert found.keys() == {31_337, 31_338, 31_339, 31_340}
    assert services == {31_337: "dns", 31_338: "dns", 31_339: "http", 31_340: "ssl"}
    assert len(of("net.dns", seen)) == 2


def test_a_hello_over_segments_is_joined(inspect: Inspect) -> None:
    hello = craft.client_hello("split.example.cn", padding=3_000)
    parts = [hello[at : at + 1_400] for at in range(0, len(hello), 1_400)]
    packets = [craft.tcp(part, 40_000, 443, sequence=1 + 1_400 * n) for n, part in enumerate(parts)]
    (one,) = of("net.tls", inspect(*packets))
    assert one.fields["tls.client.server_name"] == "split.example.cn"


def test_ignored_ports_leave_no_trace_but_a_count() -> None:
    inspection = Inspection(NetworkSettings(ignore_ports=[9_440]), Reporter("s", "t"))
    for packet in craft.connection(craft.http("/"), 9_440):
        inspection.see(packet, 1, 1.0)
    inspection.finish()
    assert inspection.take() == []
    assert inspection.counts()["ignored"] == len(craft.connection(craft.http("/"), 9_440))


def test_repeated_arp_is_said_once_a_change_at_once() -> None:
    inspection = fresh()
    for second in range(5):
        inspection.see(craft.arp(2, craft.THERE, craft.HERE), 1, float(second))
    inspection.see(craft.arp(2, craft.THERE, craft.HERE, sender_mac=craft.MAC_THERE), 1, 6.0)
    first, changed = inspection.take()
    assert "gov.neighbour.previous_mac" not in first.fields
    assert changed.fields["gov.neighbour.previous_mac"] == "02-00-00-00-00-15"
    assert inspection.counts()["repeats_suppressed"] == 4


def test_the_control_plane_is_offered() -> None:
    offered: list[bytes] = []
    inspection = fresh(offer=lambda data, link, seen: offered.append(data))
    wanted = [craft.arp(1, craft.HERE, craft.THERE), craft.router_advertisement(), craft.udp(b"", 68, 67)]
    for packet in [*wanted, craft.udp(b"x", 1, 2), craft.icmp(8)]:
        inspection.see(packet, 1, 1.0)
    assert offered == wanted


def test_what_cannot_be_read_is_counted() -> None:
    inspection = fresh()
    inspection.see(b"short", 1, 1.0)
    inspection.see(b"\0" * 60, 147, 1.0)
    assert (inspection.counts()["malformed"], inspection.counts()["unknown_link"]) == (1, 1)


def test_a_flood_is_shed_and_counted() -> None:
    inspection = Inspection(NetworkSettings(events_per_second_max=10), Reporter("s", "t"))
    for number in range(200):
        inspection.see(craft.udp(craft.dns(f"n{number}.cn"), 40_000, 53), 1, 1.0)
    assert len(inspection.take()) == 50
    assert inspection.counts()["events_shed"] == 150


def test_a_budget_fills_up_again() -> None:
    budget = Budget(1)
    assert [budget.spend(0.0) for _ in range(6)] == [True] * 5 + [False]
    assert budget.spend(1.0)
    assert all(Budget(0).spend(0.0) for _ in range(100))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1_500), st.integers(0, 255)), max_size=60))
def test_mutated_streams_never_raise_and_end_soon(changes: list[tuple[int, int, int]]) -> None:
    packets = [
        *craft.connection(craft.client_hello("a.cn", padding=600), 443)[3:4],
        *craft.connection(craft.http("/a?b=c"), 80)[3:4],
        craft.udp(craft.dns_answer("a.b.cn", [b"\x01x\xc0\x0c"] * 20, 5), 53, 40_000),
        craft.arp(1, craft.HERE, craft.THERE),
        craft.router_advertisement(),
        craft.icmp(8),
    ]
    inspection = fresh()
    began = time.perf_counter()
    for number, (which, place, value) in enumerate(changes):
        raw = bytearray(packets[which])
        raw[place % len(raw)] = value
        inspection.see(bytes(raw), 1, float(number))
        inspection.advance(float(number))
    inspection.finish()
    inspection.take()
    assert time.perf_counter() - began < 2.0


def test_a_certificate_is_told_once_a_while_where_it_is_live() -> None:
    path = Path(__file__).parent / "captures" / "tlcp.pcap"
    with path.open("rb") as file:
        packets = list(read_packets(file, path))

    def certificates(live: bool, after: float) -> int:
        """Of the same conversations seen now and again so many seconds later."""
        inspection = Inspection(NetworkSettings(), Reporter("s", "eth0"), live=live)
        seen: list[Observation] = []
        for later in (0.0, after):
            for data, link_type, at in packets:
                inspection.see(data, link_type, at + later)
            inspection.finish()
            seen += inspection.take()
        return sum(one.fields["event.dataset"] == "net.x509" for one in seen)

    assert certificates(live=False, after=60.0) == 2 * certificates(live=True, after=60.0) > 0
    assert certificates(live=True, after=3_600.0) == certificates(live=False, after=60.0)
