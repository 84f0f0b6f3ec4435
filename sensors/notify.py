"""What the service manager is told: ready, alive, stopping; systemd's notification protocol, nothing else.

A datagram of ``KEY=value`` lines to the socket in NOTIFY_SOCKET. Without that variable nothing is sent.
"""

import contextlib
import os
import socket
from collections.abc import Mapping
from typing import Final

_WATCHDOG_SHARE: Final = 3  # a sign of life at least this often within WATCHDOG_USEC


class Notifier:
    """Talks to the service manager that started this process, if one did."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        watched = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        microseconds = environment.get("WATCHDOG_USEC", "")
        self.watchdog_seconds: Final = (
            int(microseconds) / 1_000_000 if watched and microseconds.isdigit() else 0.0
        )

    def alive_seconds(self, usual: float) -> float:
        """How long to wait between two signs of life."""
        return min(usual, self.watchdog_seconds / _WATCHDOG_SHARE) if self.watchdog_seconds else usual

    def ready(self, status: str = "") -> None:
        """Everything has started."""
        self._send("READY=1", status)

    def alive(self, status: str = "") -> None:
        """Not hung: to be said only by who has just seen the work go on."""
        self._send("WATCHDOG=1", status)

    def stopping(self) -> None:
        """The orderly end has begun."""
        self._send("STOPPING=1", "")

    def _send(self, line: str, status: str) -> None:
        if not self._address.startswith(("/", "@")):
            return
        lines = [line, *([f"STATUS={status.splitlines()[0][:200]}"] if status.strip() else [])]
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel,
        ):
            channel.settimeout(1.0)
            channel.sendto("\n".join(lines).encode(), address)
