"""``liuhe sensor packets`` prints what the ring holds, and says so where it holds nothing."""

import io
import sys
from pathlib import Path

import craft
import pytest

from crypto.words import BadInput
from sensors.network.capture_file import read_packets
from sensors.network.packet_ring import PacketRing
from sensors.network.secret import KEY_FILE, load_key, mark_key
from soc_api.cli import main


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sensor's folder with one kept packet."""
    monkeypatch.setattr("sensors.settings.load_settings", lambda folder: None)
    ring = PacketRing(tmp_path / "packets" / "eth0", load_key(tmp_path / "keys"), bytes_max=1 << 24)
    ring.put(craft.udp(b"kept", 1, 2), 1, 1_795_305_600.0)
    ring.close()
    return tmp_path


def run(data: Path, *more: str) -> int:
    return main(["sensor", "packets", "--data", str(data), *more])


def test_packets_are_printed_as_pcap(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", out)
    assert run(data, "--since", "2026-11-22T00:00:00Z") == 0
    found = list(read_packets(io.BytesIO(out.buffer.getvalue()), Path("out")))
    assert [one.data for one in found] == [craft.udp(b"kept", 1, 2)]


def test_nothing_found_is_said(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(data, "--community-id", "1:none") == 1
    assert run(data, "--until", "2020-01-01") == 1
    assert capsys.readouterr().err
    assert run(data, "--since", "yesterday") == 2


def test_the_key_is_made_once_and_checked(tmp_path: Path) -> None:
    key = load_key(tmp_path)
    assert load_key(tmp_path) == key
    assert len(mark_key(key)) == 32 != key
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o077 == 0
    (tmp_path / KEY_FILE).write_text("damaged")
    with pytest.raises(BadInput) as raised:
        load_key(tmp_path)
    assert raised.value.code == "network-key-malformed"
