"""The remote support channel (P-30): a port that is closed unless a ticket holds it open, until a set time.

While it is open it passes connections on to the console, where two factors are asked as everywhere. Every
connection is on record with its address, its length and its bytes, and counts at the console as coming
from that address, never as local. It is closed at the end of the ticket, by
hand and by every restart, and looked at from outside afterwards: a port that still answers is on record.
"""

import contextlib
import socket
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Final

import msgspec

from crypto.words import Refused, Words

CONNECTIONS_MAX: Final = 8
_PIECE_BYTES: Final = 64 * 1024
_POLL_SECONDS: Final = 0.5
Tell = Callable[[str, str, str], None]  # action, about, result


class Opening(msgspec.Struct, frozen=True):
    """The channel is open for a ticket until then."""

    ticket: str
    until: datetime


class SupportChannel:
    """Safe to share between threads; ``port`` 0: there is none. ``tell`` puts a line into the audit log."""

    def __init__(self, address: tuple[str, int], console: tuple[str, int], tell: Tell) -> None:
        self._address, self._console, self._tell = address, console, tell
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self._open: Opening | None = None
        self._live: set[socket.socket] = set()
        self._callers: dict[tuple[str, int], str] = {}  # by the address the console sees

    def caller(self, seen: tuple[str, int]) -> str | None:
        """Who really calls over a connection that the console sees as coming from ``seen``."""
        return self._callers.get(seen)

    @property
    def opening(self) -> Opening | None:
        """What holds it open."""
        return self._open

    @property
    def port(self) -> int:
        """Where it is while it is open; the configured port else."""
        return self._listener.getsockname()[1] if self._listener is not None else self._address[1]

    def open(self, ticket: str, until: datetime) -> None:
        """Listen until then. Raises Refused (support-absent, support-open)."""
        with self._lock:
            if self._open is not None:
                raise Refused(
                    "support-open",
                    Words("支持通道已为另一工单开放", "the channel is open for another ticket"),
                    Words("请先关闭", "close it first"),
                )
            family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
            self._listener = socket.create_server(self._address, family=family, backlog=CONNECTIONS_MAX)
            self._listener.settimeout(_POLL_SECONDS)
            self._open = Opening(ticket, until)
            threading.Thread(
                target=self._accept, args=(self._listener, ticket), name="support", daemon=True
            ).start()
        self._tell("support.open", f"ticket:{ticket} until {until.isoformat()}", "done")

    def close(self, why: str) -> None:
        """Close it and everything that goes through it, and look whether it is closed."""
        with self._lock:
            held, listener, live = self._open, self._listener, list(self._live)
            self._open, self._listener = None, None
            if held is None or listener is None:
                return
            address = listener.getsockname()[:2]
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # a thread that waits in accept would hold it open
            listener.close()
            for one in live:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
        closed = not answers(address)
        self._tell(
            "support.close", f"ticket:{held.ticket} {why}", "checked closed" if closed else "STILL OPEN"
        )

    def beat(self, now: datetime) -> None:
        """Close it when the ticket is over."""
        held = self._open
        if held is not None and now >= held.until:
            self.close("expired")

    def _accept(self, listener: socket.socket, ticket: str) -> None:
        while self._listener is listener:
            try:
                caller, address = listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            if len(self._live) >= 2 * CONNECTIONS_MAX:
                caller.close()
                continue
            about = f"ticket:{ticket} {address[0]}"
            self._tell("support.connect", about, "accepted")
            arguments = (caller, address[0], about)
            threading.Thread(target=self._pass, args=arguments, daemon=True).start()

    def _pass(self, caller: socket.socket, address: str, about: str) -> None:
        passed = [0, 0]
        try:
            console = socket.create_connection(self._console, timeout=5)
        except OSError:
            caller.close()
            return
        console.settimeout(None)
        host, port = console.getsockname()[:2]
        with self._lock:
            self._live |= {caller, console}
            self._callers[host, port] = address
        back = threading.Thread(target=_pump, args=(console, caller, passed, 1), daemon=True)
        back.start()
        _pump(caller, console, passed, 0)
        back.join()
        with self._lock:
            self._live -= {caller, console}
            del self._callers[host, port]
        caller.close()
        console.close()
        self._tell("support.disconnect", f"{about} {passed[0]} bytes in, {passed[1]} out", "done")


def answers(address: tuple[str, int]) -> bool:
    """Whether anything listens there."""
    try:
        socket.create_connection(address, timeout=1).close()
    except OSError:
        return False
    return True


def absent() -> Refused:
    """Nothing is configured."""
    return Refused(
        "support-absent",
        Words("本中心没有配置远程支持通道", "this center has no remote support channel"),
        Words(
            "如确需要,请在 center.toml 设置 support.port", "set support.port in center.toml if you need one"
        ),
    )


def _pump(source: socket.socket, sink: socket.socket, passed: list[int], place: int) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_PIECE_BYTES):
            sink.sendall(data)
            passed[place] += len(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
