"""The commands around the service: printed units, the program that starts itself again."""

import sys
from pathlib import Path

import pytest

from sensors.service_commands import again_command
from sensors.settings import Settings, write_settings
from soc_api.cli import main


def test_a_launcher_is_started_by_its_path_and_a_module_by_the_interpreter(tmp_path: Path) -> None:
    launcher = tmp_path / "liuhe"
    launcher.write_text("#!/bin/sh\n")
    launcher.chmod(0o755)
    assert again_command(["/usr/bin/python3", "-P", str(launcher), "sensor", "run"]) == [
        str(launcher),
        "sensor",
        "run",
    ]
    assert again_command(["python3", "-m", "soc_api.cli", "sensor"]) == [
        sys.executable,
        "-m",
        "soc_api.cli",
        "sensor",
    ]


def test_print_shows_the_unit_and_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    data.mkdir()
    write_settings(data, Settings(id="web", unit="u", kind="host", center=["127.0.0.1:1"]))
    prefix = tmp_path / "prefix"
    assert main(["sensor", "install", "--print", "--data", str(data), "--prefix", str(prefix)]) == 0
    printed = capsys.readouterr().out
    assert f"ExecStart={prefix}/current/liuhe sensor run --data {data}" in printed
    assert not prefix.exists()


def test_uninstall_of_what_is_not_installed_says_what_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sensors.service.UNIT_FOLDER", tmp_path)
    data = tmp_path / "data"
    data.mkdir()
    write_settings(data, Settings(id="web", unit="u", kind="host", center=["127.0.0.1:1"]))
    assert main(["sensor", "uninstall", "--data", str(data), "--prefix", str(tmp_path / "none")]) in (0, 1)
    assert data.exists()
    assert str(data) in capsys.readouterr().err
