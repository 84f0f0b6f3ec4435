"""The whole sensor as a process: enrols, reports itself, stops cleanly and stays light."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto import tls
from crypto.words import LiuheError, Words
from sensors import sensor
from sensors.event import LogSource, Observation
from sensors.settings import Settings, write_settings
from sensors.source import Emit, Source
from sensors.spool import Spool
from sensors.wire import batch_lines


class Ticking:
    """A source of one observation."""

    name = "ticking"

    def missing(self) -> Words | None:
        return None

    def run(self, emit: Emit, stop: threading.Event) -> None:
        emit([Observation(time=datetime.now(UTC), logsource=LogSource(), fields={"event.dataset": "tick"})])
        stop.wait()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """An enrolled sensor whose center does not answer."""
    now = datetime.now(UTC)
    authority = tls.create_authority(tmp_path / "center", "c", now)
    keys = tmp_path / "sensor" / "keys"
    keys.mkdir(parents=True)
    key, request = tls.create_request("web01")
    tls.write_private(keys / "sensor.key", key)
    certificate = tls.issue_sensor(authority, request, sensor="web01", unit="u", now=now)
    (keys / "sensor.pem").write_bytes(certificate)
    (keys / "ca.pem").write_bytes(authority.certificate.read_bytes())
    settings = Settings(id="web01", unit="u", kind="host", center=["127.0.0.1:1"])
    write_settings(tmp_path / "sensor", settings)
    return tmp_path / "sensor"


def test_sources_and_heartbeat_reach_the_spool_and_stop_is_quick(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fakes(settings: Settings, folder: Path) -> Sequence[Source]:
        return [Ticking()]

    monkeypatch.setattr(sensor, "sources_of", fakes)
    stop = threading.Event()
    running = threading.Thread(target=sensor.run, args=(data, stop))
    running.start()
    time.sleep(0.6)
    began = time.monotonic()
    stop.set()
    running.join(5)
    assert time.monotonic() - began < 3
    quota = {"alerts": 1 << 20, "flows": 1 << 20, "bulk": 1 << 20}
    spool = Spool(data / "spool", sensor="web01", unit="u", quota_bytes=quota)
    found = {}
    while batch := spool.batch():
        found[batch.lane] = [json.loads(line)["fields"] for line in batch_lines(batch)]
    spool.close()
    assert found["bulk"] == [{"event.dataset": "tick"}]
    heartbeat = found["alerts"][0]
    assert heartbeat["event.dataset"] == "liuhe.heartbeat"
    assert heartbeat["gov.sensor.sources"][0].startswith("ticking=")
    assert heartbeat["gov.sensor.rss_bytes"] > 0


def test_a_folder_without_a_sensor_is_named(tmp_path: Path) -> None:
    with pytest.raises(LiuheError) as caught:
        sensor.run(tmp_path, threading.Event())
    assert caught.value.code == "sensor-absent"


_LIUHE = [sys.executable, "-c", "import sys; from soc_api.cli import main; sys.exit(main())", "sensor"]
_HEAVY = ("pandas", "numpy", "scapy", "fastapi", "sqlalchemy", "pydantic", "duckdb", "pyarrow")


@pytest.mark.slow
def test_the_process_runs_reports_and_ends_on_sigterm(data: Path) -> None:
    def status() -> tuple[int, dict[str, object]]:
        asked = subprocess.run(
            [*_LIUHE, "status", "--data", str(data), "--json"], capture_output=True, check=False
        )
        return asked.returncode, json.loads(asked.stdout)

    assert status()[0] == 1
    with subprocess.Popen([*_LIUHE, "run", "--data", str(data)], stderr=subprocess.PIPE) as child:
        for _ in range(100):
            time.sleep(0.1)
            code, facts = status()
            if code == 0 and "sources" in facts:
                break
        assert facts["running"] is True
        assert facts["sources"]
        began = time.monotonic()
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == 0
        assert time.monotonic() - began < 3
    assert status()[0] == 1


@pytest.mark.slow
@pytest.mark.parametrize("module", ["sensors.sensor", "sensors.commands", "sensors.enrol"])
def test_the_sensor_imports_nothing_heavy(module: str) -> None:
    code = f"import {module}, sys; print([one for one in {_HEAVY!r} if one in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=os.environ)
    assert found.stdout.strip() == b"[]"
