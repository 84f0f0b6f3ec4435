"""A capture file as a page: which packets, how they are numbered, what is cut."""

from datetime import UTC, datetime
from struct import pack

import pytest

from sensors.network import decode
from soc_api.packet_bodies import PacketRequestRow
from soc_api.packet_view import HEX_BYTES_MAX, page_of

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ROW = PacketRequestRow(
    id="a" * 32, sensor="tap", community_id="1:x", begins=NOW, ends=NOW, actor="u", asked=NOW,
    state="arrived", reason="", bytes=1, sm3="", finished=NOW,
)  # fmt: skip


def pcap(*packets: bytes) -> bytes:
    head = pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65_535, 1)
    return head + b"".join(pack("<4I", 5, 250_000_000, len(one), len(one)) + one for one in packets)


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "installed", lambda: False)


def test_a_page_numbers_packets_of_the_whole_file() -> None:
    page = page_of(ROW, pcap(*(bytes([n]) * 20 for n in range(5))), first=3, limit=10)
    assert (page.total, page.first, [one.number for one in page.rows]) == (5, 3, [4, 5])
    assert page.rows[0].time == datetime(1970, 1, 1, 0, 0, 5, 250_000, tzinfo=UTC)


def test_bytes_shown_are_bounded_and_the_length_is_true() -> None:
    (row,) = page_of(ROW, pcap(bytes(5_000)), first=0, limit=1).rows
    assert (row.length, len(row.hex)) == (5_000, HEX_BYTES_MAX * 2)


def test_what_is_no_capture_file_is_said() -> None:
    page = page_of(ROW, b"not a capture", first=0, limit=5)
    assert (page.total, page.rows) == (0, [])
    assert page.note
