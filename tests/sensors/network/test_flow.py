"""The flow table: directions, counts, every way a flow ends, and its bounds."""

from struct import pack

import craft
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.network.conn_state import conn_state
from sensors.network.flow import FLOW_BYTES, Ended, FlowTable
from sensors.network.packet import walk
from sensors.network.settings import NetworkSettings

SETTINGS = NetworkSettings()


def feed(table: FlowTable, packets: list[bytes], start: float = 0.0) -> list[Ended]:
    for number, raw in enumerate(packets):
        found = walk(raw, 1)
        assert found is not None
        table.see(found, start + number * 0.01)
    return table.take()


def test_an_orderly_connection_is_reported_within_a_second() -> None:
    table = FlowTable(SETTINGS)
    assert feed(table, craft.connection(b"question", 80, answer=b"the answer")) == []
    table.advance(1.0)
    (ended,) = table.take()
    flow = ended.flow
    assert (ended.action, ended.reason, conn_state(flow)) == ("flow-end", "closed", "SF")
    assert flow.payload_bytes == [8, 10]
    assert flow.packets == [5, 3]
    assert flow.key[2] == 40_000


def test_stragglers_open_no_new_flow() -> None:
    table = FlowTable(SETTINGS)
    feed(table, craft.connection(b"", 80))
    table.advance(2.0)
    assert len(table.take()) == 1
    assert feed(table, [craft.tcp(b"", 40_000, 80, craft.RST)], 2.5) == []
    table.advance(20.0)
    assert table.take() == []
    assert len(table) == 0


def test_retransmissions_are_not_counted_as_data() -> None:
    table = FlowTable(SETTINGS)
    feed(table, [craft.tcp(b"abc", 1_025, 80, sequence=100)] * 3)
    table.finish()
    assert table.take()[0].flow.payload_bytes == [3, 0]


@pytest.mark.parametrize(
    ("packets", "state"),
    [
        ([("out", craft.SYN)], "S0"),
        ([("out", craft.SYN), ("back", craft.SYN | craft.ACK), ("out", craft.ACK)], "S1"),
        ([("out", craft.SYN), ("back", craft.RST | craft.ACK)], "REJ"),
        ([("out", craft.SYN), ("back", craft.SYN | craft.ACK), ("out", craft.RST)], "RSTO"),
        ([("out", craft.SYN), ("back", craft.SYN | craft.ACK), ("back", craft.RST)], "RSTR"),
        ([("out", craft.SYN), ("out", craft.RST)], "RSTOS0"),
        ([("back", craft.SYN | craft.ACK), ("back", craft.RST)], "RSTRH"),
        ([("out", craft.SYN), ("out", craft.FIN)], "SH"),
        ([("back", craft.SYN | craft.ACK), ("back", craft.FIN)], "SHR"),
        ([("out", craft.SYN), ("back", craft.SYN | craft.ACK), ("out", craft.FIN | craft.ACK)], "S2"),
        ([("out", craft.SYN), ("back", craft.SYN | craft.ACK), ("back", craft.FIN | craft.ACK)], "S3"),
        ([("out", craft.ACK), ("back", craft.ACK)], "OTH"),
    ],
)
def test_connection_states(packets: list[tuple[str, int]], state: str) -> None:
    table = FlowTable(SETTINGS)
    raw = [
        craft.tcp(b"", 40_000, 8_080, flags)
        if way == "out"
        else craft.tcp(b"", 8_080, 40_000, flags, source=craft.THERE, destination=craft.HERE)
        for way, flags in packets
    ]
    feed(table, raw)
    table.finish()
    (ended,) = table.take()
    assert conn_state(ended.flow) == state
    assert ended.flow.key[2] == 40_000


def test_an_unanswered_syn_is_an_attempt_after_five_seconds() -> None:
    table = FlowTable(SETTINGS)
    feed(table, [craft.tcp(b"", 40_000, 22, craft.SYN)])
    table.advance(4.0)
    assert table.take() == []
    table.advance(6.0)
    assert [(one.reason, conn_state(one.flow)) for one in table.take()] == [("attempt", "S0")]


def test_datagrams_idle_out_before_streams() -> None:
    table = FlowTable(SETTINGS)
    feed(table, [craft.udp(b"x", 5_000, 5_001), craft.tcp(b"x", 40_000, 8_080)])
    table.advance(60.0)
    assert [(one.action, one.reason) for one in table.take()] == [
        ("flow-start", "long"),
        ("flow-start", "long"),
        ("flow-end", "idle"),
    ]
    table.advance(400.0)
    assert [one.reason for one in table.take()] == ["idle"]


def test_a_flow_that_lives_is_told_again_while_it_has_traffic() -> None:
    table = FlowTable(NetworkSettings(flow_active_seconds=60.0, flow_idle_seconds=600.0))
    packet = walk(craft.tcp(b"x", 40_000, 8_080), 1)
    assert packet is not None
    for second in range(150):
        table.see(packet, float(second))
        table.advance(float(second))
    table.advance(500.0)
    table.finish()
    told = [(one.action, one.reason) for one in table.take()]
    assert told == [
        ("flow-start", "long"),
        ("flow-update", "active"),
        ("flow-update", "active"),
        ("flow-update", "active"),
        ("flow-end", "stopped"),
    ]


def test_the_table_is_bounded_in_bytes_too() -> None:
    table = FlowTable(NetworkSettings(flow_bytes_max=1 << 20))
    for number in range(3_000):
        packet = walk(craft.udp(b"", 10_000 + number, 53), 1)
        assert packet is not None
        table.see(packet, float(number) / 1_000)
    assert len(table) == (1 << 20) // FLOW_BYTES
    assert table.evicted == 3_000 - len(table)


def test_what_was_sent_before_is_not_fresh() -> None:
    table = FlowTable(SETTINGS)
    packet = walk(craft.tcp(b"abc", 1_025, 80, sequence=100), 1)
    assert packet is not None
    assert [table.see(packet, 1.0)[0].fresh for _ in range(2)] == [True, False]


@pytest.mark.parametrize(
    ("packet", "pause", "reason"),
    [
        (craft.udp(b"x", 5_000, 5_001), 31.0, "idle"),
        (craft.tcp(b"x", 5_000, 5_001), 301.0, "idle"),
        (craft.tcp(b"x", 5_000, 5_001, craft.RST), 6.0, "closed"),
    ],
)
def test_a_packet_after_the_end_opens_a_new_flow_though_time_was_not_moved(
    packet: bytes, pause: float, reason: str
) -> None:
    table = FlowTable(SETTINGS)
    found = walk(packet, 1)
    assert found is not None
    assert table.see(found, 1_000.0)[0] is not table.see(found, 1_000.0 + pause)[0]
    assert [one.reason for one in table.take()] == [reason]


def test_what_the_capture_missed_counts_as_sent_a_leap_does_not() -> None:
    for missed, counted in ((1_000, 1_004), (1 << 25, 4)):
        table = FlowTable(SETTINGS)
        packets = [craft.tcp(b"abc", 1_025, 80, sequence=100)]
        feed(table, [*packets, craft.tcp(b"d", 1_025, 80, sequence=103 + missed)])
        table.finish()
        assert table.take()[0].flow.payload_bytes == [counted, 0]


def test_new_syn_on_old_ports_is_a_new_flow() -> None:
    table = FlowTable(SETTINGS)
    once = craft.connection(b"a", 80)
    ended = feed(table, once + once)
    table.finish()
    assert [one.reason for one in ended + table.take()] == ["reused", "closed"]


def test_both_directions_of_a_ping_are_one_flow() -> None:
    table = FlowTable(SETTINGS)
    feed(table, [craft.icmp(8), craft.icmp(0, source=craft.THERE, destination=craft.HERE)])
    table.finish()
    (ended,) = table.take()
    assert ended.flow.packets == [1, 1]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 400), min_size=50, max_size=200))
def test_the_table_never_grows_beyond_its_bound(ports: list[int]) -> None:
    table = FlowTable(NetworkSettings(flow_entries_max=16))
    opened = 0
    for number, port in enumerate(ports):
        kind = craft.tcp if port % 2 else craft.udp
        packet = walk(kind(pack("!H", port), 40_000, 2_000 + port), 1)
        assert packet is not None
        table.see(packet, float(number) / 100)
        assert len(table) <= 16
    table.finish()
    opened = len([one for one in table.take() if one.action == "flow-end"])
    assert opened == len(set(ports)) or table.evicted > 0
