"""The systemd unit: what it says, that systemd understands it, and that it comes and goes whole."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from crypto.words import BadInput, LiuheError, Refused
from sensors.limits import LimitSettings
from sensors.service import Placement, install, uninstall, unit_name, unit_text
from sensors.settings import Settings

HOST = Settings(id="web-host", unit="u1", kind="host", center=["127.0.0.1:8610"])
NETWORK = msgspec.structs.replace(HOST, id="web-network", kind="network")


def place(folder: Path, data: str = "data") -> Placement:
    (folder / data).mkdir(exist_ok=True)
    return Placement(folder / data, (sys.executable, "-m", "soc_api.cli"), folder)


def lines(text: str, key: str) -> list[str]:
    return [line.split("=", 1)[1] for line in text.splitlines() if line.startswith(f"{key}=")]


@pytest.mark.parametrize("settings", [HOST, NETWORK])
def test_the_unit_takes_away_what_a_sensor_does_not_use(tmp_path: Path, settings: Settings) -> None:
    text = unit_text(settings, place(tmp_path))
    assert lines(text, "WatchdogSec") == ["60"]
    assert lines(text, "Type") == ["notify"]
    assert lines(text, "NoNewPrivileges") == ["yes"]
    assert lines(text, "ProtectSystem") == ["strict"]
    assert lines(text, "ReadWritePaths") == [str(tmp_path / "data")]
    wanted = (
        "CAP_NET_RAW" if settings.kind == "network" else "CAP_DAC_READ_SEARCH CAP_SYS_PTRACE CAP_NET_ADMIN"
    )
    assert lines(text, "CapabilityBoundingSet") == lines(text, "AmbientCapabilities") == [wanted]
    assert lines(text, "ExecStart")[0].endswith(f"sensor run --data {tmp_path / 'data'}")


def test_the_kernels_limits_stand_above_the_sensors_own(tmp_path: Path) -> None:
    limited = msgspec.structs.replace(
        HOST, limits=LimitSettings(rss_bytes_max=100 << 20, cpu_percent_max=30.0)
    )
    text = unit_text(limited, place(tmp_path))
    assert lines(text, "MemoryMax") == ["200M"]
    assert lines(text, "CPUQuota") == ["60%"]


@pytest.mark.parametrize("name", ["a b", "a%n", "a;b", "a$HOME", 'a"b', "a\nUser=root"])
def test_a_path_that_systemd_reads_otherwise_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput):
        unit_text(HOST, place(tmp_path, name))


@pytest.mark.parametrize("settings", [HOST, NETWORK])
def test_systemd_understands_every_line(tmp_path: Path, settings: Settings) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / unit_name(settings)
    unit.write_text(unit_text(settings, place(tmp_path)))
    command = [analyze, "verify", "--man=no", "--recursive-errors=no", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    complaints = [line for line in done.stderr.splitlines() if unit.name in line]
    assert complaints == []


def test_it_is_installed_started_and_removed_without_a_trace(tmp_path: Path) -> None:
    called: list[Sequence[str]] = []

    def run(arguments: Sequence[str]) -> int:
        called.append(arguments)
        return 0

    where = place(tmp_path)
    path = install(HOST, where, run)
    assert path.stat().st_mode & 0o777 == 0o644
    assert ["enable", "--now", path.name] in called
    assert uninstall(HOST, where, purge=False, run=run) == [path]
    assert ["disable", "--now", path.name] in called
    assert where.data.is_dir()
    assert uninstall(HOST, where, purge=True, run=run) == [where.data]
    assert list(tmp_path.iterdir()) == []


def test_a_manager_that_refuses_is_said(tmp_path: Path) -> None:
    with pytest.raises(LiuheError) as caught:
        install(HOST, place(tmp_path), lambda _: 1)
    assert caught.value.code == "service-failed"


def test_only_root_installs_into_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(Refused):
        install(HOST, Placement(tmp_path, ("/usr/bin/liuhe",)), lambda _: 0)
