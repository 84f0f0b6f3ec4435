"""The drill's actions, done for real: harmless, seen from outside, nothing left behind."""

import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto.words import LiuheError
from soc_api import drill_actions


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def listening(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(0.5)
        return client.connect_ex(("127.0.0.1", port)) == 0


def commands() -> Iterator[str]:
    """Command lines of our own children."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text().rsplit(")", 1)[1].split()
                if stat[1] == str(os.getpid()):
                    yield (folder / "cmdline").read_bytes().decode().replace("\0", " ")
            except OSError:
                continue


def test_the_burst_knocks_at_as_many_ports_as_a_scan_and_is_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []

    class Watched(socket.socket):
        def connect(self, address: tuple[str, int]) -> None:
            asked.append(address)
            super().connect(address)

    monkeypatch.setattr(drill_actions.socket, "socket", Watched)
    began = time.monotonic()
    drill_actions.connection_burst()
    assert time.monotonic() - began < 2
    assert len(set(asked)) == drill_actions.CONNECTIONS
    assert {host for host, _ in asked} == {"127.0.0.1"}
    assert max(port for _, port in asked) < 65_536


def test_tunnel_names_are_asked_of_our_own_resolver_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[bytes, tuple[str, int]]] = []

    class Watched(socket.socket):
        def sendto(self, data: bytes, address: tuple[str, int]) -> int:  # type: ignore[override]
            sent.append((data, address))
            return super().sendto(data, address)

    monkeypatch.setattr(drill_actions.socket, "socket", Watched)
    before = threads()
    began = time.monotonic()
    drill_actions.tunnel_names("0a1b2c3d")
    assert time.monotonic() - began < 3
    assert threads() == before
    assert {host for _, (host, _) in sent} == {"127.0.0.1"}
    queries = [data for data, _ in sent if data[2:4] == b"\x01\x00"]
    answers = [data for data, _ in sent if data[2:4] == b"\x81\x83"]
    assert len(queries) == len(answers) == drill_actions.TUNNEL_QUERIES
    labels = {data[13:73] for data in queries}
    assert len(labels) == drill_actions.TUNNEL_QUERIES
    assert all(
        data[12] == 60 and data.endswith(b"\x01t\x05drill\x07invalid\0\0\x10\0\x01") for data in queries
    )


def test_the_resolver_answers_only_while_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with drill_actions._resolver() as address:
        assert address[0] == "127.0.0.1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(address)


def test_a_listener_is_there_for_a_while_and_then_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drill_actions, "HOLD_SECONDS", 0.4)
    port = drill_actions.free_port()
    assert not listening(port)
    action = threading.Thread(target=drill_actions.new_listener, args=(port,))
    action.start()
    deadline = time.monotonic() + 2
    seen = False
    while action.is_alive() and not seen and time.monotonic() < deadline:
        seen = listening(port)
        time.sleep(0.01)
    action.join()
    assert seen
    assert not listening(port)


def test_a_port_that_was_taken_meanwhile_fails_the_action() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(subprocess.CalledProcessError):
        drill_actions.new_listener(taken.getsockname()[1])


def test_a_file_is_written_changed_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    states: list[str] = []
    path = tmp_path / "drill-ab12.conf"
    monkeypatch.setattr(drill_actions.time, "sleep", lambda _: states.append(path.read_text()))
    drill_actions.changed_file(tmp_path, "ab12")
    assert len(set(states)) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    for folder in (tmp_path / "absent", tmp_path / "file"):
        (tmp_path / "file").touch()
        with pytest.raises(LiuheError, match="drill-folder"):
            drill_actions.changed_file(folder, "ab12")


def test_a_change_that_is_interrupted_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(drill_actions.time, "sleep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        drill_actions.changed_file(tmp_path, "ab12")
    assert list(tmp_path.iterdir()) == []


def test_the_suspicious_command_is_a_comment_of_a_sleeping_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drill_actions, "HOLD_SECONDS", 1.0)
    action = threading.Thread(target=drill_actions.suspicious_command, args=("ab12",))
    action.start()
    deadline = time.monotonic() + 0.9
    seen: list[str] = []
    while not seen and time.monotonic() < deadline:
        seen = [line for line in commands() if "ab12" in line and "# " in line]
        time.sleep(0.01)
    action.join()
    assert "/dev/tcp/192.0.2.1" in seen[0]
    assert not [line for line in commands() if "ab12" in line]
