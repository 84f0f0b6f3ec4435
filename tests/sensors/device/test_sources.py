"""Sources from settings; a followed file is read once, over a restart and a rotation."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from crypto.words import BadInput
from sensors.device.settings import DeviceSettings
from sensors.device.sources import RecordFileSource, device_sources
from sensors.event import Observation

RECORD = (
    '{{"timestamp":"2026-11-22T09:08:07.000000+0800","event_type":"alert","alert":{{"signature":"s{}"}}}}\n'
)


def read(path: Path, cursors: Path, count: int) -> list[object]:
    """What a run of the source emits until there are ``count`` or nothing more comes."""
    seen: list[Observation] = []
    stop = threading.Event()

    def emit(more: Sequence[Observation]) -> None:
        seen.extend(more)

    source = RecordFileSource(path, DeviceSettings(), cursors)
    thread = threading.Thread(target=source.run, args=(emit, stop))
    thread.start()
    deadline = time.monotonic() + 20
    while len(seen) < count and time.monotonic() < deadline:
        time.sleep(0.02)
    stop.set()
    thread.join(20)
    assert not thread.is_alive()
    return [one.fields["rule.name"] for one in seen]


def test_a_file_is_read_on_where_it_stopped_and_through_a_rotation(tmp_path: Path) -> None:
    path, cursors = tmp_path / "eve.json", tmp_path / "cursors"
    source = RecordFileSource(path, DeviceSettings(), cursors)
    assert source.missing() is None  # a file may come later
    assert not source.pressing()
    read(path, cursors, 0)
    path.write_text("".join(RECORD.format(n) for n in range(3)))
    assert read(path, cursors, 3) == ["s0", "s1", "s2"]
    with path.open("a") as out:
        out.write(RECORD.format(3))
    path.rename(tmp_path / "eve.json.1")
    path.write_text(RECORD.format(4))
    assert read(path, cursors, 2) == ["s3", "s4"]


def test_every_setting_makes_its_source(tmp_path: Path) -> None:
    syslog, flows = ["udp://127.0.0.1:5514", "tcp://[::1]:5601"], ["udp://127.0.0.1:2055"]
    made = device_sources(DeviceSettings(syslog=syslog, flows=flows, files=["/var/log/x"]), tmp_path)
    assert [one.name for one in made] == [
        *(f"syslog:{one}" for one in syslog),
        *(f"flows:{one}" for one in flows),
        "file:/var/log/x",
    ]
    with pytest.raises(BadInput):
        device_sources(DeviceSettings(flows=["tcp://127.0.0.1:1"]), tmp_path)
