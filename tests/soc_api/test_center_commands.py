"""``liuhe center``: made, looked after and stopped from the command line."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto.words import Refused
from soc_api import center_commands, run
from soc_api.cli import main
from soc_api.folders import Folders, identity_of, state_engine
from soc_api.settings import load_settings
from soc_api.supervisor import running_pid


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIUHE_LANG", "en")


def role_of(data: Path, username: str, password: str) -> str:
    engine = state_engine(Folders(data), load_settings(data))
    try:
        _, visit = identity_of(engine, Folders(data)).login(
            username, password, "192.0.2.1", datetime.now(UTC)
        )
    finally:
        engine.dispose()
    return visit.account.role


def test_init_makes_a_center_and_prints_its_login(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "a" / "center"
    made = ["center", "init", "--data", str(data), "--console-port", "9001", "--ingest-port", "9002"]
    assert main(made) == 0
    said = capsys.readouterr()
    username, password = said.out.split()
    assert role_of(data, username, password) == "shift_lead"
    settings = load_settings(data)
    assert (settings.console.port, settings.ingest.port) == (9001, 9002)
    assert str(data) in said.err
    assert main(made) == 1
    assert capsys.readouterr().err.startswith("center-exists")


@pytest.mark.parametrize("port", ["0", "65536", "-1"])
def test_a_port_that_is_none_is_refused_before_anything_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], port: str
) -> None:
    data = tmp_path / "center"
    assert main(["center", "init", "--data", str(data), "--console-port", port]) == 2
    assert "center-config" in capsys.readouterr().err
    assert not data.exists()


def test_an_account_is_added_and_its_password_reissued(
    center: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    account = ["center", "account", "li.na", "--data", str(center)]
    assert main([*account, "--role", "wall_display", "--name", "大屏"]) == 0
    username, first = capsys.readouterr().out.split()
    assert main(account) == 0
    again, password = capsys.readouterr().out.split()
    assert username == again == "li.na"
    assert role_of(center, username, password) == "wall_display"
    with pytest.raises(Refused):
        role_of(center, username, first)


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        (["nobody.here"], 1, "account-not-found"),
        (["li", "--role", "emperor"], 2, "account-malformed"),
        (["Li Na", "--role", "wall_display"], 2, "account-malformed"),
        (["duty", "--role", "wall_display"], 1, "account-exists"),
    ],
)
def test_an_account_that_cannot_be_is_one_line(
    center: Path, capsys: pytest.CaptureFixture[str], given: list[str], code: int, said: str
) -> None:
    assert main(["center", "account", *given, "--data", str(center)]) == code
    found = capsys.readouterr()
    assert found.err.startswith(said)
    assert found.out == ""


def test_status_of_a_center_that_does_not_run(center: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["center", "status", "--data", str(center)]) == 1
    assert "running: False" in capsys.readouterr().out
    assert main(["center", "status", "--json", "--data", str(center)]) == 1
    assert json.loads(capsys.readouterr().out)["running"] is False


def test_check_lists_every_problem(center: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["center", "check", "--data", str(center)]) == 0
    assert capsys.readouterr().err == "0 problems\n"
    (center / "keys" / "ledger.pem").unlink()
    (center / "keys" / "link.pem").unlink()
    assert main(["center", "check", "--data", str(center)]) == 1
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 2
    assert said.err == "2 problems\n"


@pytest.mark.parametrize("verb", ["status", "stop", "check", "run"])
def test_where_there_is_no_center_nothing_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    umask = os.umask(0o022)
    os.umask(umask)
    assert main(["center", verb, "--data", str(tmp_path / "none")]) in (1, 3)
    os.umask(umask)
    assert capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_an_empty_data_folder_is_not_this_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["center", "init", "--data", ""]) == 2
    assert "path-empty" in capsys.readouterr().err


def test_stop_of_a_center_that_does_not_run(center: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["center", "stop", "--data", str(center)]) == 1
    assert "center-not-running" in capsys.readouterr().err


HOLDER = """
import pathlib, signal, sys, time
from soc_api.supervisor import only_one
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0) if {stops} else None)
with only_one(pathlib.Path({run!r})):
    print("up", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize(("stops", "code"), [(True, 0), (False, 3)])
def test_stop_waits_until_the_center_has_ended(
    center: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    stops: bool,
    code: int,
) -> None:
    monkeypatch.setattr(center_commands, "STOP_SECONDS_MAX", 5.0 if stops else 0.2)
    program = HOLDER.format(stops=stops, run=str(center / "run"))
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout is not None
            holder.stdout.readline()
            assert running_pid(center / "run") == holder.pid
            assert main(["center", "stop", "--data", str(center)]) == code
        finally:
            holder.send_signal(signal.SIGKILL)
    assert ("stopped" if stops else "center-not-stopping") in capsys.readouterr().err


def test_run_tells_that_ports_of_a_made_center_stay(
    center: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[object] = []
    monkeypatch.setattr(run, "run_center", lambda *_, **given: called.append(given["first_login"]) or 0)
    port = load_settings(center).console.port
    same = ["center", "run", "--init", "--console-port", str(port), "--data", str(center)]
    assert main(same) == 0
    assert capsys.readouterr().err == ""
    assert main(["center", "run", "--console-port", "1", "--data", str(center)]) == 0
    assert f"has {port}" in capsys.readouterr().err
    assert called == [None, None]


def test_run_makes_the_center_that_is_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[tuple[str, str]] = []
    monkeypatch.setattr(run, "run_center", lambda *_, **given: called.append(given["first_login"]) or 0)
    data = tmp_path / "center"
    assert main(["center", "run", "--init", "--ingest-port", "9002", "--data", str(data)]) == 0
    ((username, password, token),) = called
    assert token.startswith("setup_")
    assert role_of(data, username, password) == "shift_lead"
    assert load_settings(data).ingest.port == 9002


def test_roles_go_to_one_process(center: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[tuple[Path, str]] = []
    monkeypatch.setattr(run, "run_roles", lambda *given: called.append(given) or 0)
    assert main(["center", "run", "--roles", "api,jobs", "--data", str(center)]) == 0
    assert called == [(center, "api,jobs")]
