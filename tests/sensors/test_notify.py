"""The service manager's protocol over a real socket."""

import os
import socket
from pathlib import Path

from sensors.notify import Notifier


def test_it_tells_ready_alive_and_stopping(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "n"))
        manager.settimeout(10)
        told = Notifier({"NOTIFY_SOCKET": str(tmp_path / "n"), "WATCHDOG_USEC": "6000000"})
        told.ready("connected\nsecond line")
        told.alive()
        told.stopping()
        assert [manager.recv(500) for _ in range(3)] == [
            b"READY=1\nSTATUS=connected",
            b"WATCHDOG=1",
            b"STOPPING=1",
        ]
        assert told.alive_seconds(10.0) == 2.0


def test_without_a_manager_nothing_is_sent(tmp_path: Path) -> None:
    for environment in ({}, {"NOTIFY_SOCKET": str(tmp_path / "gone")}, {"NOTIFY_SOCKET": "nonsense"}):
        Notifier(environment).ready()
    assert Notifier({}).alive_seconds(10.0) == 10.0
    other = {"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": str(os.getpid() + 1)}
    assert Notifier(other).alive_seconds(10.0) == 10.0
