"""Makes craft.py importable, and gives the tests one way through the parsers."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from sensors.event import Observation
from sensors.network.capture_file import read_packets
from sensors.network.inspection import Inspection
from sensors.network.observation import Reporter
from sensors.network.settings import NetworkSettings

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "pcap"


@pytest.fixture
def inspect() -> Callable[..., list[Observation]]:
    """Packets 10 ms apart through one inspection, all flows ended; settings by keyword."""

    def run(*packets: bytes, **settings: object) -> list[Observation]:
        inspection = Inspection(NetworkSettings(**settings), Reporter("sensor-1", "test"), live=False)
        for number, packet in enumerate(packets):
            inspection.see(packet, 1, 1_000.0 + number * 0.01)
        inspection.finish()
        return inspection.take()

    return run


@pytest.fixture
def shared_captures() -> Path:
    """The folder of public captures beside the project."""
    if not SHARED.is_dir():
        pytest.skip("no public captures beside the project (../shared/data/pcap)")
    return SHARED


@pytest.fixture
def read_all() -> Callable[[Path], list[Observation]]:
    """A capture file through the sensor."""

    def run(path: Path) -> list[Observation]:
        inspection = Inspection(NetworkSettings(), Reporter("sensor-1", path.name), live=False)
        with path.open("rb") as stream:
            for data, link_type, time in read_packets(stream, path):
                inspection.see(data, link_type, time)
                inspection.advance(time)
        inspection.finish()
        return inspection.take()

    return run
