"""The ring of raw packets: found again by flow and time, bounded, sealed, harmless when the disk refuses."""

import io
from itertools import pairwise
from pathlib import Path
from struct import pack

import craft
import pytest

from sensors.network.capture_file import Captured, read_packets
from sensors.network.community import community_id
from sensors.network.inspection import Inspection
from sensors.network.observation import Reporter
from sensors.network.packet_ring import (
    BLOCK_BYTES,
    FILE_BYTES_MIN,
    PacketRing,
    as_pcap,
    find_packets,
    packets_between,
)
from sensors.network.settings import NetworkSettings

KEY = bytes(range(32))
FOREVER = float("inf")


def filled(folder: Path, packets: list[bytes], *, bytes_max: int = 64 << 20) -> PacketRing:
    ring = PacketRing(folder / "eth0", KEY, bytes_max=bytes_max)
    for number, data in enumerate(packets):
        ring.put(data, 1, 1_000.0 + number * 0.5)
    ring.close()
    return ring


def community(source_port: int, port: int, protocol: int = 6) -> str:
    return community_id(protocol, b"\x0a\x14\0\x0f", b"\x0a\x14\0\x50", source_port, port)


def test_a_flow_is_found_again_by_its_community_id(tmp_path: Path) -> None:
    mine = craft.connection(craft.http("/mine"), 80)
    other = craft.connection(craft.http("/other"), 81)
    filled(tmp_path, [packet for pair in zip(mine, other, strict=True) for packet in pair])
    found = list(find_packets(tmp_path, KEY, community(40_000, 80), 0.0, FOREVER))
    assert [one.data for one in found] == mine
    assert found[1].time == pytest.approx(1_001.0)
    pcap = io.BytesIO(b"".join(as_pcap(iter(found))))
    assert [one.data for one in read_packets(pcap, Path("x.pcap"))] == mine


def test_times_bound_the_search(tmp_path: Path) -> None:
    filled(tmp_path, [craft.udp(b"%d" % number, 1, 2) for number in range(20)])
    found = list(packets_between(tmp_path, KEY, 1_002.0, 1_004.0))
    assert [one.time for one in found] == [1_002.0, 1_002.5, 1_003.0, 1_003.5, 1_004.0]


def test_what_a_tunnel_carries_is_found_too(tmp_path: Path) -> None:
    inner = craft.udp(b"inner", 5, 6)
    outer = craft.udp(pack("!II", 8 << 24, 1 << 8) + inner, 50_000, 4789)
    filled(tmp_path, [outer, craft.udp(b"", 7, 8)])
    for name in (community(5, 6, 17), community(50_000, 4789, 17)):
        assert [one.data for one in find_packets(tmp_path, KEY, name, 0.0, FOREVER)] == [outer]


def test_the_ring_is_bounded_and_keeps_the_newest(tmp_path: Path) -> None:
    bound = 4 * FILE_BYTES_MIN
    ring = PacketRing(tmp_path / "eth0", KEY, bytes_max=bound)
    packet = craft.udp(bytes(1_400), 1, 2)
    for number in range(6_000):
        ring.put(packet, 1, 1_000.0 + number * 0.001)
        if number % 500 == 0:
            assert sum(path.stat().st_size for path in tmp_path.rglob("*.ring")) <= bound
    ring.close()
    times = [one.time for one in packets_between(tmp_path, KEY, 0.0, FOREVER)]
    assert times[-1] == pytest.approx(1_005.999)
    assert bound // 2 < len(times) * len(packet) < bound
    assert all(later >= earlier for earlier, later in pairwise(times))


def test_nothing_can_be_read_without_the_key_or_after_a_change(tmp_path: Path) -> None:
    filled(tmp_path, [craft.udp(b"a secret of the wire", 1, 2)])
    (path,) = tmp_path.rglob("*.ring")
    assert path.stat().st_mode & 0o777 == 0o600
    raw = path.read_bytes()
    assert b"secret" not in raw
    assert list(packets_between(tmp_path, bytes(32), 0.0, FOREVER)) == []
    for place in range(8, len(raw)):
        path.write_bytes(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])
        assert list(packets_between(tmp_path, KEY, 0.0, FOREVER)) == []
    path.write_bytes(raw[:-3])
    assert list(packets_between(tmp_path, KEY, 0.0, FOREVER)) == []


def test_what_was_written_before_a_crash_is_there(tmp_path: Path) -> None:
    ring = PacketRing(tmp_path / "eth0", KEY, bytes_max=64 << 20)
    packet = craft.udp(bytes(1_000), 1, 2)
    for _ in range(BLOCK_BYTES // 1_000 + 10):
        ring.put(packet, 1, 1_000.0)
    assert len(list(packets_between(tmp_path, KEY, 0.0, FOREVER))) >= BLOCK_BYTES // 1_100
    ring.close()


def test_a_disk_that_refuses_ends_the_keeping_only(tmp_path: Path) -> None:
    (tmp_path / "eth0").write_text("in the way")
    ring = filled(tmp_path, [craft.udp(b"x", 1, 2)] * 3)
    assert ring.failed
    assert list(packets_between(tmp_path / "none", KEY, 0.0, FOREVER)) == []


def test_of_every_flow_the_first_packets_are_kept() -> None:
    kept: list[Captured] = []
    inspection = Inspection(
        NetworkSettings(packet_ring_flow_packets_max=5),
        Reporter("s", "t"),
        keep=lambda data, link, time: kept.append(Captured(data, link, time)),
    )
    for number in range(20):
        inspection.see(craft.udp(b"x", 1_000, 2_000), 1, float(number))
        inspection.see(craft.arp(1, craft.HERE, craft.THERE), 1, float(number))
    assert len(kept) == 25
