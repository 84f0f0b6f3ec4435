"""The whole sensor as a process: enrols, reports itself, stops cleanly and stays light."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto import pem
from crypto.keys import SigningKey
from crypto.link_authority import LinkAuthority
from crypto.link_identity import LinkIdentity
from crypto.words import LiuheError, Words
from crypto.x509 import REQUEST
from crypto.x509_issue import Subject, request_der
from sensors import sensor
from sensors.event import LogSource, Observation
from sensors.heartbeat import Status, read_status
from sensors.host.settings import HostSettings
from sensors.link import IDENTITY_NAME, SensorLink
from sensors.settings import Settings, write_settings
from sensors.source import Emit, Source
from sensors.spool import Spool
from sensors.wire import batch_lines

QUIET = HostSettings(
    processes=False,
    listeners=False,
    logins=False,
    auth_logs=[],
    journal=False,
    file_integrity=False,
    probes=False,
    audit=False,
    inventory=False,
)


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
    authority = LinkAuthority(tmp_path / "center")
    authority.create("c", now)
    key = SigningKey.generate()
    request = pem.encode(request_der(key, "sensor", Subject(common_name="web01", id="web01")), REQUEST)
    chain = authority.issue_sensor(request, sensor="web01", unit="u", now=now)
    keys = tmp_path / "sensor" / "keys"
    LinkIdentity(key=key, chain=chain).save(keys / IDENTITY_NAME)
    SensorLink(keys).trust.pin(authority.bundle(), authority.root().fingerprint, now)
    settings = Settings(id="web01", unit="u", kind="host", center=["127.0.0.1:1"])
    write_settings(tmp_path / "sensor", settings)
    return tmp_path / "sensor"


def test_sources_and_heartbeat_reach_the_spool_and_stop_is_quick(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fakes(settings: Settings, folder: Path) -> Sequence[Source]:
        return [Ticking()]

    monkeypatch.setattr(sensor, "sources_of", fakes)
    monkeypatch.setattr("sensors.vitals.HEARTBEAT_SECONDS", 0.2)
    stop, with_center = threading.Event(), threading.Event()
    ending: list[bool] = []
    running = threading.Thread(target=lambda: ending.append(sensor.run(data, stop, with_center=with_center)))
    running.start()
    deadline = time.monotonic() + 60
    while (status := read_status(data / "run")) is None or status.events < 3:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with_center.set()
    stop.set()
    running.join(30)  # three seconds on a machine that is not busy
    assert not running.is_alive()
    quota = {"alerts": 1 << 20, "flows": 1 << 20, "bulk": 1 << 20}
    spool = Spool(data / "spool", sensor="web01", unit="u", quota_bytes=quota)
    found = {}
    while batch := spool.batch():
        found[batch.lane] = [json.loads(line)["fields"] for line in batch_lines(batch)]
    spool.close()
    assert found["bulk"] == [{"event.dataset": "tick"}]
    assert ending == [False]
    told = [one.get("event.action", one["event.dataset"]) for one in found["alerts"]]
    assert (told[0], told[-1]) == ("started", "stopped")
    assert found["alerts"][-1]["gov.lifecycle.reason"] == "center-stop"
    heartbeat = next(one for one in found["alerts"] if one["event.dataset"] == "liuhe.heartbeat")
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
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            time.sleep(0.1)
            code, facts = status()
            if code == 0 and "sources" in facts:
                break
        assert facts["running"] is True
        assert facts["sources"]
        child.send_signal(signal.SIGTERM)
        assert child.wait(30) == 0
    assert status()[0] == 1


@pytest.mark.slow
def test_the_service_manager_is_told_ready_alive_and_stopping(data: Path, tmp_path: Path) -> None:
    write_settings(data, Settings(id="web01", unit="u", kind="host", center=["127.0.0.1:1"], host=QUIET))
    command = [sys.executable, "-m", "soc_api.cli", "sensor", "run", "--data", str(data)]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        watched = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1500000"}
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, env=os.environ | watched) as child:
            said = [manager.recv(500).split(b"\n")[0] for _ in range(4)]
            child.send_signal(signal.SIGTERM)
            assert child.wait(30) == 0
        assert sorted(set(said)) == [b"READY=1", b"WATCHDOG=1"]
        while (last := manager.recv(500)) != b"STOPPING=1":
            assert last.startswith(b"WATCHDOG=1")


@pytest.mark.slow
def test_a_kill_is_told_at_the_next_start_and_sighup_starts_anew_in_place(data: Path) -> None:
    write_settings(data, Settings(id="web01", unit="u", kind="host", center=["127.0.0.1:1"], host=QUIET))
    command = [sys.executable, "-m", "soc_api.cli", "sensor", "run", "--data", str(data)]

    def status_after(epoch: int) -> Status:
        deadline = time.monotonic() + 60
        while (found := read_status(data / "run")) is None or found.epoch <= epoch:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        return found

    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as child:
        first = status_after(0)
        child.send_signal(signal.SIGKILL)
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as child:
        second = status_after(first.epoch)
        child.send_signal(signal.SIGHUP)
        third = status_after(second.epoch)
        assert child.poll() is None
        child.send_signal(signal.SIGTERM)
        assert child.wait(30) == 0
    assert third.epoch > second.epoch > first.epoch
    quota = {"alerts": 1 << 20, "flows": 1 << 20, "bulk": 1 << 20}
    spool = Spool(data / "spool", sensor="web01", unit="u", quota_bytes=quota)
    told = []
    while batch := spool.batch():
        told += [json.loads(line)["fields"] for line in batch_lines(batch)]
    spool.close()
    actions = [
        (one["event.action"], one.get("gov.lifecycle.reason"))
        for one in told
        if one["event.dataset"] == "liuhe.lifecycle"
    ]
    if actions[0][0] == "started":  # the kill may have been quicker than the first commit
        del actions[0]
    assert actions == [
        ("killed", None),
        ("started", None),
        ("stopped", "restart"),
        ("started", None),
        ("stopped", "stop"),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("module", ["sensors.sensor", "sensors.commands", "sensors.enrol"])
def test_the_sensor_imports_nothing_heavy(module: str) -> None:
    code = f"import {module}, sys; print([one for one in {_HEAVY!r} if one in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=os.environ)
    assert found.stdout.strip() == b"[]"
