"""What a start prints, and what it must not lose."""

import os
import signal
import socket
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from crypto.words import LiuheError
from soc_api import run
from soc_api.settings import Settings, render_settings

LOGIN = ("duty", "abcd-1234")


@pytest.fixture
def process() -> Iterator[None]:
    """A start changes this very process: its file mode mask and what signals do. Put both back."""
    signals = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    mask = os.umask(0o022)
    yield
    os.umask(mask)
    for number, action in signals.items():
        signal.signal(number, action)


def center_in(data: Path, console_port: int = 8600) -> Settings:
    settings = Settings()
    settings = msgspec.structs.replace(
        settings, console=msgspec.structs.replace(settings.console, port=console_port)
    )
    (data / "center.toml").write_text(render_settings(settings))
    return settings


def test_the_summary_names_url_login_stop_and_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIUHE_LANG", "en")
    center_in(tmp_path)
    text = "\n".join(run.summary(tmp_path, LOGIN))
    assert "console   http://127.0.0.1:8600/" in text
    assert "user duty  password abcd-1234" in text
    assert f"center stop --data {tmp_path}" in text
    again = "\n".join(run.summary(tmp_path, None))
    assert "password" not in again
    assert f"center account duty --data {tmp_path}" in again


def test_the_command_is_printed_as_it_can_be_called_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ".venv" / "bin"
    folder.mkdir(parents=True)
    script = folder / "liuhe"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.chdir(tmp_path)
    assert run.command_word() == ".venv/bin/liuhe"
    monkeypatch.chdir("/")
    assert run.command_word() in (str(script), str(script).lstrip("/"))
    monkeypatch.setenv("PATH", str(folder))
    assert run.command_word() == "liuhe"


@pytest.mark.usefixtures("process")
def test_a_login_is_printed_even_if_the_center_cannot_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        center_in(tmp_path, taken.getsockname()[1])
        with pytest.raises(LiuheError, match="port"):
            run.run_center(tmp_path, local_sensors=False, drill=False, first_login=LOGIN)
    assert "abcd-1234" in capsys.readouterr().out
    assert stat.S_IMODE((tmp_path / "run" / "center.pid").stat().st_mode) == 0o600


@pytest.mark.usefixtures("process")
def test_roles_that_share_nothing_are_refused(tmp_path: Path) -> None:
    center_in(tmp_path)
    with pytest.raises(LiuheError, match="roles"):
        run.run_roles(tmp_path, "ingest,api")
