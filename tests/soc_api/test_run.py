"""What a start prints, and what it must not lose."""

import http.server
import os
import signal
import socket
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from crypto.words import LiuheError
from soc_api import run
from soc_api.folders import Folders
from soc_api.settings import Console, Endpoint, Settings, render_settings

LOGIN = run.FirstLogin("duty", "abcd-1234", "setup_x")


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
    for roles in ("ingest,api", "ingest", "ingest,detect,store,api", "jobs", "", "api,jobs,root", "API,jobs"):
        with pytest.raises(LiuheError, match="roles"):
            run.run_roles(tmp_path, roles)


@pytest.mark.usefixtures("process")
@pytest.mark.parametrize(
    ("roles", "called"), [("api, jobs", "api"), ("jobs,api", "api"), ("store,ingest,detect", "pipeline")]
)
def test_roles_that_belong_together_run_in_any_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, roles: str, called: str
) -> None:
    center_in(tmp_path)
    seen: list[str] = []
    monkeypatch.setattr("soc_api.api_process.run_api", lambda *_: seen.append("api"))
    monkeypatch.setattr("soc_api.pipeline_process.run_pipeline", lambda *_: seen.append("pipeline"))
    assert run.run_roles(tmp_path, roles) == 0
    assert seen == [called]


@pytest.mark.parametrize(
    ("roles", "names"),
    [
        (("ingest", "detect", "store", "api", "jobs"), ["pipeline", "api"]),
        (("api", "jobs"), ["api"]),
        (("detect",), ["pipeline"]),
        (("jobs", "ingest"), ["pipeline", "api"]),
    ],
)
def test_only_the_processes_of_the_roles_here_are_started(
    tmp_path: Path, roles: tuple[str, ...], names: list[str]
) -> None:
    settings = msgspec.structs.replace(Settings(), roles=roles)  # type: ignore[arg-type]
    children = run._children(Folders(tmp_path), settings)
    assert [child.name for child in children] == names
    assert all("--roles" in child.command for child in children)


def at(console: Console | None = None, ingest: Endpoint | None = None, **given: object) -> Settings:
    plain = {"console": console or Console(), "ingest": ingest or Endpoint(port=8610)}
    return msgspec.structs.replace(Settings(), **plain, **given)


def test_a_taken_port_is_named_with_its_key() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = Console(port=server.getsockname()[1])
        free = Console(port=run_free_port())
        run._free_or_refuse(at(free, free))
        for settings, key in ((at(taken, free), "console.port"), (at(free, taken), "ingest.port")):
            with pytest.raises(LiuheError, match="port-in-use") as caught:
                run._free_or_refuse(settings)
            assert key in caught.value.fix.en
            assert str(taken.port) in caught.value.field
        # A listener that is not of this machine's roles may well be another center's.
        run._free_or_refuse(at(free, taken, roles=("api", "jobs")))
        run._free_or_refuse(at(taken, free, roles=("ingest", "detect", "store")))


def run_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(
    ("host", "certificate", "url"),
    [
        ("127.0.0.1", "", "http://127.0.0.1:8600/"),
        ("::1", "", "http://[::1]:8600/"),
        ("console.example", "cert.pem", "https://console.example:8600/"),
        ("::", "cert.pem", "https://[::]:8600/"),
    ],
)
def test_the_consoles_url(host: str, certificate: str, url: str) -> None:
    assert run.url_of(at(Console(host=host, certificate=certificate))) == url


class Answer(http.server.BaseHTTPRequestHandler):
    """Health as a center tells it, or as ``status`` says."""

    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/api/v1/health" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(("status", "serving"), [(200, True), (503, False), (302, False)])
def test_a_console_serves_when_it_answers_whatever_proxy_is_set(
    monkeypatch: pytest.MonkeyPatch, status: int, serving: bool
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setattr(Answer, "status", status)
    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        worker = threading.Thread(target=server.handle_request)
        worker.start()
        assert run.serves(at(Console(port=server.server_port))) is serving
        worker.join()


def test_a_port_with_nothing_or_with_something_else_behind_does_not_serve() -> None:
    assert not run.serves(at(Console(port=run_free_port())))
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = Console(port=server.getsockname()[1])

        def speak() -> None:
            peer, _ = server.accept()
            with peer:
                peer.sendall(b"220 mail.example ESMTP\r\n")

        worker = threading.Thread(target=speak)
        worker.start()
        assert not run.serves(at(endpoint))
        worker.join()
        assert run.listens(endpoint)
        assert run.serves(at(Console(port=endpoint.port, certificate="cert.pem")))


def test_waiting_ends_at_once_when_the_center_has_died(tmp_path: Path) -> None:
    center_in(tmp_path, run_free_port())
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "center.log").write_bytes(b"starting\nport-in-use: \xff 8600\n\n")
    with pytest.raises(LiuheError, match=r"center-not-started.*port-in-use: . 8600 "):
        run.wait_until_serving(tmp_path, seconds_max=60, alive=lambda: False)


def test_waiting_has_an_end(tmp_path: Path) -> None:
    center_in(tmp_path, run_free_port())
    with pytest.raises(LiuheError, match="center-not-started"):
        run.wait_until_serving(tmp_path, seconds_max=0.0)
