"""Capture files: both formats in both byte orders, cut files, broken files."""

import io
from pathlib import Path
from struct import pack

import craft
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.words import BadInput
from sensors.network.capture_file import Captured, is_capture, read_packets

NAME = Path("x.pcap")
PACKET = craft.udp(b"hello", 1, 2)
MAGICS = {">": 0xA1B2C3D4, "<": 0xA1B2C3D4}


def pcap(order: str = "<", magic: int = 0xA1B2C3D4, fraction: int = 500_000, link: int = 1) -> bytes:
    head = pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65_535, link)
    record = pack(f"{order}4I", 1_000, fraction, len(PACKET), len(PACKET)) + PACKET
    return head + record * 2


def block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    size = len(body) + 12
    return pack(f"{order}II", kind, size) + body + pack(f"{order}I", size)


def pcapng(order: str = "<", *, resolution: int = 6) -> bytes:
    section = block(order, 0x0A0D0D0A, pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1))
    options = pack(f"{order}HHB3xHH", 9, 1, resolution, 0, 0)
    interface = block(order, 1, pack(f"{order}HHI", 1, 0, 65_535) + options)
    units = 1_000 * 10**resolution + 5 * 10 ** (resolution - 1)
    numbers = pack(f"{order}5I", 0, units >> 32, units & 0xFFFF_FFFF, len(PACKET), len(PACKET))
    unknown = block(order, 5, b"statistics")
    simple = block(order, 3, pack(f"{order}I", len(PACKET)) + PACKET)
    return section + interface + unknown + block(order, 6, numbers + PACKET) + simple


def read(raw: bytes) -> list[Captured]:
    return list(read_packets(io.BytesIO(raw), NAME))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "fraction"), [(0xA1B2C3D4, 500_000), (0xA1B23C4D, 500_000_000)])
def test_pcap(order: str, magic: int, fraction: int) -> None:
    raw = pcap(order, magic, fraction)
    assert is_capture(raw)
    assert read(raw) == [Captured(PACKET, 1, 1_000.5)] * 2


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("resolution", [3, 6, 9])
def test_pcapng(order: str, resolution: int) -> None:
    raw = pcapng(order, resolution=resolution)
    assert is_capture(raw)
    full, simple = read(raw)
    assert (full.data, full.link_type) == (PACKET, 1)
    assert full.time == pytest.approx(1_000.5)
    assert simple.data == PACKET


def test_sections_follow_one_another() -> None:
    assert len(read(pcapng("<") + pcapng(">"))) == 4


@pytest.mark.parametrize("raw", [pcap(), pcapng()])
def test_a_file_that_ends_early_gives_what_is_whole(raw: bytes) -> None:
    assert 0 < len(read(raw[:-5])) <= 2


@pytest.mark.parametrize(
    ("raw", "offset"),
    [
        (b"%PDF-1.7", 0),
        (pcap()[:10], 4),
        (pcap()[:24] + pack("<4I", 1, 1, 1 << 30, 1 << 30), 24),
        (pcapng()[:28] + pack("<II", 1, 7), 28),
        (pcapng()[:28] + block("<", 6, pack("<5I", 9, 0, 0, 0, 0)), 28),
        (pack("<III", 0x0A0D0D0A, 28, 0xDEADBEEF), 0),
    ],
)
def test_broken_files_name_the_offset(raw: bytes, offset: int) -> None:
    with pytest.raises(BadInput) as caught:
        read(raw)
    assert caught.value.field == f"{NAME}:{offset}"


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([pcap(), pcapng(), pcapng(">")]), st.integers(0, 400), st.integers(0, 255))
def test_mutated_files_are_read_or_refused(raw: bytes, place: int, value: int) -> None:
    changed = bytearray(raw)
    changed[place % len(raw)] = value
    try:
        found = read(bytes(changed))
    except BadInput as refused:
        where = refused.field
    else:
        assert len(found) <= 4
        return
    assert where.startswith(f"{NAME}:")
