"""Every public capture is read; skips without the captures. What Zeek says of them: agreement.py."""

import gzip
from pathlib import Path

import pytest

from crypto.words import BadInput
from sensors.network.capture_file import read_packets
from sensors.network.inspection import Inspection
from sensors.network.observation import Reporter
from sensors.network.settings import NetworkSettings


@pytest.mark.slow
def test_every_public_capture_is_read_without_harm(shared_captures: Path) -> None:
    packets = refused = 0
    for path in sorted((shared_captures / "zeek" / "captures").rglob("*.pcap*")):
        if path.is_dir() or "golden" in path.name:
            continue
        inspection = Inspection(NetworkSettings(), Reporter("s", path.name), live=False)
        opened = gzip.open if path.read_bytes()[:2] == b"\x1f\x8b" else Path.open
        with opened(path, "rb") as stream:
            try:
                for data, link_type, time in read_packets(stream, path):
                    inspection.see(data, link_type, time)
                    packets += 1
            except BadInput:
                refused += 1
        inspection.finish()
        inspection.take()
    assert packets > 100_000
    assert refused == 0
