"""NetFlow and IPFIX: a real exporter's datagrams, a second encoder's, hostile ones."""

from collections.abc import Iterator
from pathlib import Path
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.device.netflow import TEMPLATES_MAX, Collector, FlowRecord

SAMPLES = Path(__file__).parent / "samples"
FIELDS = ((8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (1, 4), (2, 4), (21, 4), (22, 4))


def datagrams(version: int) -> Iterator[bytes]:
    raw = (SAMPLES / f"netflow-{version}.bin").read_bytes()
    while raw:
        size = int.from_bytes(raw[:4])
        yield raw[4 : 4 + size]
        raw = raw[4 + size :]


def read(version: int) -> list[FlowRecord]:
    collector = Collector()
    found = [flow for one in datagrams(version) for flow in collector.read(one, "r")]
    counts = collector.counts()["r"]
    assert (counts.records, counts.malformed, counts.missing, counts.without_template) == (
        len(found),
        0,
        0,
        0,
    )
    return found


def test_what_a_real_exporter_sends_as_version_5() -> None:
    found = read(5)
    assert [(one.source_port, one.destination_port, one.octets, one.packets) for one in found] == [
        (59856, 80, 512, 7), (80, 59856, 5379, 7),
    ]  # fmt: skip
    assert all(one.protocol == 6 and one.end - one.start == pytest.approx(0.212, abs=1e-3) for one in found)


@pytest.mark.parametrize("version", [9, 10])
def test_what_a_real_exporter_sends_by_templates(version: int) -> None:
    found = read(version)
    assert len(found) == 10
    assert {len(one.source) for one in found} == {16}
    assert [(one.protocol, one.octets) for one in found[:3]] == [(58, 72), (58, 72), (6, 392)]
    assert all(0 <= one.end - one.start < 1 and one.start > 1.7e9 for one in found)


def test_a_second_encoder_is_read_alike() -> None:
    netflow = pytest.importorskip("scapy.layers.netflow")
    record = netflow.NetflowRecordV5(
        src="10.0.0.1",
        dst="10.0.0.2",
        srcport=4000,
        dstport=443,
        prot=6,
        dpkts=3,
        dOctets=999,
        first=1_000,
        last=2_500,
    )
    header = netflow.NetflowHeader(version=5) / netflow.NetflowHeaderV5(
        count=1, sysUptime=5_000, unixSecs=1_000_000
    )
    (found,) = Collector().read(bytes(header / record), "r")
    assert (found.source, found.destination_port, found.octets) == (b"\x0a\0\0\1", 443, 999)
    assert (found.start, found.end) == (999_996.0, 999_997.5)


def ipfix(sequence: int, *sets: bytes, domain: int = 1) -> bytes:
    body = b"".join(sets)
    return pack("!HHIII", 10, 16 + len(body), 1_000_000, sequence, domain) + body


def a_set(number: int, body: bytes) -> bytes:
    return pack("!HH", number, 4 + len(body)) + body


TEMPLATE = a_set(2, pack("!HH", 256, len(FIELDS)) + b"".join(pack("!HH", *one) for one in FIELDS))
RECORD = pack("!4s4sHHBIIII", b"\x0a\0\0\1", b"\x0a\0\0\2", 1, 2, 17, 50, 1, 10, 10)


def test_data_before_its_template_is_counted_not_guessed() -> None:
    collector = Collector()
    assert collector.read(ipfix(0, a_set(256, RECORD)), "r") == []
    assert len(collector.read(ipfix(1, TEMPLATE, a_set(256, RECORD * 2)), "r")) == 2
    assert collector.counts()["r"].without_template == 1
    assert collector.read(ipfix(3, a_set(256, RECORD), domain=2), "r") == []  # a template is its domain's own
    assert collector.read(ipfix(3, a_set(256, RECORD)), "other") == []  # and its exporter's


def test_missing_records_are_counted_and_a_restart_is_none() -> None:
    collector = Collector()
    for sequence in (0, 1, 12, 0):
        collector.read(ipfix(sequence, TEMPLATE, a_set(256, RECORD)), "r")
    assert collector.counts()["r"].missing == 10


def test_lengths_that_vary_enterprises_and_both_directions() -> None:
    fields = pack("!HHHHHHHHHHI", 8, 4, 12, 4, 82, 65_535, 1, 8, 0x8000 | 1, 8, 29_305)
    template = a_set(2, pack("!HH", 300, 5) + fields)
    record = b"\x0a\0\0\1\x0a\0\0\2" + b"\x03eth" + pack("!QQ", 100, 200)
    long_name = b"\x0a\0\0\1\x0a\0\0\2" + b"\xff\x00\x04eth0" + pack("!QQ", 7, 8)
    found = Collector().read(ipfix(0, template, a_set(300, record + long_name)), "r")
    assert [(one.octets, one.reverse_octets) for one in found] == [(100, 200), (7, 8)]


def test_options_describe_the_exporter_and_are_no_flows() -> None:
    options = a_set(3, pack("!HHHHHHH", 257, 2, 1, 149, 4, 160, 8))
    boot = a_set(257, pack("!IQ", 1, 500_000_000))
    found = Collector().read(ipfix(0, options, boot, TEMPLATE, a_set(256, RECORD)), "r")
    assert [one.start for one in found] == [500_000.01]


def test_templates_are_bounded() -> None:
    collector = Collector()
    for number in range(256, 256 + TEMPLATES_MAX + 50):
        collector.read(ipfix(0, a_set(2, pack("!HHHHHH", number, 2, 8, 4, 12, 4))), "r")
    assert collector.read(ipfix(0, a_set(256, b"\x0a\0\0\1\x0a\0\0\2")), "r") == []
    assert len(collector.read(ipfix(0, a_set(256 + TEMPLATES_MAX, b"\x0a\0\0\1\x0a\0\0\2")), "r")) == 1


@given(st.binary(max_size=120), st.sampled_from([5, 9, 10]), st.integers(0, 1_000))
def test_any_datagram_is_read_or_counted(noise: bytes, version: int, at: int) -> None:
    collector = Collector()
    collector.read(pack("!H", version) + noise, "r")
    real = bytearray(next(datagrams(version)))
    real[at % len(real) : at % len(real) + len(noise)] = noise
    collector.read(bytes(real), "r")
    collector.read(bytes(real[: at % len(real)]), "r")
