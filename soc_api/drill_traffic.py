"""The drill's conversations: real connections between addresses of the loopback, with servers of our own.

Each server lives as long as its block, answers by a script and keeps nothing. Sources are addresses of
127.0.0.0/8 made from the run's mark, so that a detector that tells a source once a day tells each drill.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from struct import pack
from typing import Final

from soc_api import drill_frames

FAILURES: Final = 6
NAMES: Final = 14
TUNNEL_NAMES: Final = 45
SWEPT: Final = 48
SM_HELLOS: Final = 6
UPLOAD_BYTES: Final = 210_000_000
_PART_BYTES: Final = 60_000
_SM_SUITE: Final = 0x00C6  # RFC 8998: TLS_SM4_GCM_SM3
_OTHER_SUITE: Final = 0x1301
_WEAK_SUITE: Final = 0x0005  # TLS_RSA_WITH_RC4_128_SHA
_AGENTS: Final = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64)",
    "Mozilla/5.0 (Linux; Android 14)",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X)",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_0)",
)
_SERVER_SECONDS_MAX: Final = 30.0

Talk = Callable[[socket.socket], None]


def guessing(mark: str, *, users: int = 1, right_at_last: bool = False) -> None:
    """Wrong passwords, given in clear text to a file server of our own; then the right one."""
    names = [f"drill-{mark}" + (f"-{number}" if users > 1 else "") for number in range(users)]
    tries = [(names[number % users], f"wrong-{mark}-{number}", False) for number in range(FAILURES)]
    if right_at_last:
        tries.append((names[0], f"right-{mark}", True))
    _file_logins(drill_frames.here(mark), tries)


def shared_password(mark: str) -> None:
    """One password, in clear text, of five accounts."""
    tries = [(f"drill-{mark}-{number}", f"same-{mark}", True) for number in range(5)]
    _file_logins(drill_frames.here(mark), tries)


def tunnel(mark: str, send: Callable[[list[tuple[str, int]], str], None]) -> None:
    """Names like encoded data below one name, each asked for once."""
    names = [f"{_letters(f'{mark}{n}', 40)}.drill-{mark}.invalid" for n in range(TUNNEL_NAMES)]
    send([(name, 16) for name in names], drill_frames.here(mark))


def generated(mark: str, send: Callable[[list[tuple[str, int]], str], None]) -> None:
    """Names of chance letters, none of which exists."""
    names = [f"{_letters(f'{mark}-{n}', 16)}.invalid" for n in range(NAMES)]
    send([(name, 1) for name in names], drill_frames.here(mark))


def fall_back(mark: str) -> None:
    """A server that agrees on SM4-GCM-SM3 again and again, and then on AES."""
    _hellos(mark, [_SM_SUITE] * SM_HELLOS + [_OTHER_SUITE])


def weak(mark: str) -> None:
    """A server that agrees on RC4."""
    _hellos(mark, [_WEAK_SUITE])


def _hellos(mark: str, suites: list[int]) -> None:
    """Begin a TLS connection for each suite, which the server then chooses."""
    hello = _client_hello(f"drill-{mark}.invalid")
    source, chosen = drill_frames.here(mark), iter(suites)

    def answer(peer: socket.socket) -> None:
        peer.recv(4_096)
        peer.sendall(_server_hello(next(chosen)))

    with _server(answer) as address:
        for _ in suites:
            with _connected(source, address) as client:
                client.sendall(hello)
                client.recv(4_096)


def many_machines(mark: str) -> None:
    """Requests as from several kinds of machines, all from one address."""
    source = drill_frames.here(mark)

    def answer(peer: socket.socket) -> None:
        peer.recv(4_096)
        peer.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    with _server(answer) as address:
        for agent in _AGENTS:
            with _connected(source, address) as client:
                request = f"GET /drill-{mark} HTTP/1.1\r\nHost: drill.invalid\r\nUser-Agent: {agent}\r\n\r\n"
                client.sendall(request.encode())
                client.recv(4_096)


def sweep(mark: str) -> None:
    """ARP questions for many addresses."""
    source = drill_frames.here(mark)
    drill_frames.send(
        (drill_frames.asked(source, f"127.200.0.{number + 1}") for number in range(SWEPT)), every_seconds=0.01
    )


def foreign_address(mark: str) -> None:
    """ARP questions of own addresses, and then one of an address of somebody else."""
    own = [drill_frames.asked(drill_frames.here(mark, number), "127.200.0.1") for number in range(6)]
    foreign = drill_frames.asked(drill_frames.elsewhere(mark), "127.200.0.1")
    drill_frames.send([*own, foreign], every_seconds=0.01)


def address_fight(mark: str) -> None:
    """An address that two cards claim in turn."""
    address = drill_frames.here(mark)
    drill_frames.send((drill_frames.owned(address, 16 + n % 2) for n in range(8)), every_seconds=0.2)


def canary(mark: str) -> None:
    """A knock at the canary address that comes with the product, on the loopback alone."""
    drill_frames.send([drill_frames.knock(drill_frames.here(mark), "198.51.100.222", 443)])


def upload(mark: str) -> None:
    """A connection that carries 210 MB to an address of nobody, on the loopback alone."""
    parts = (bytes(_PART_BYTES) for _ in range(UPLOAD_BYTES // _PART_BYTES))
    source, target = drill_frames.here(mark), drill_frames.elsewhere(mark)
    drill_frames.send(drill_frames.conversation(source, target, 8_443, parts, b"ok"))


def beacon(mark: str, *, contacts: int = 33, period_seconds: float = 60.0) -> None:
    """The same small request once a minute for a little more than half an hour."""
    source, target = drill_frames.here(mark), drill_frames.elsewhere(mark)
    request = f"GET /news HTTP/1.1\r\nHost: drill-{mark}.invalid\r\nUser-Agent: drill/{mark}\r\n\r\n".encode()
    for number in range(contacts):
        if number:
            time.sleep(period_seconds)
        answer = b"HTTP/1.1 204 No Content\r\n\r\n"
        drill_frames.send(drill_frames.conversation(source, target, 80, [request], answer))


def slow_scan(mark: str, *, knocks: int = 70, period_seconds: float = 25.0) -> None:
    """A knock at another port every 25 s, which nobody answers."""
    source = drill_frames.here(mark)
    for number in range(knocks):
        if number:
            time.sleep(period_seconds)
        drill_frames.send([drill_frames.knock(source, "127.200.0.9", 20_000 + number)])


def _file_logins(source: str, tries: list[tuple[str, str, bool]]) -> None:
    """Log in by FTP, each try in a connection of its own (RFC 959)."""
    waiting = [right for _, _, right in tries]

    def answer(peer: socket.socket) -> None:
        right = waiting.pop(0)
        peer.sendall(b"220 FTP server of the drill\r\n")
        peer.recv(256)
        peer.sendall(b"331 password?\r\n")
        peer.recv(256)
        peer.sendall(b"230 in\r\n" if right else b"530 not in\r\n")
        peer.recv(256)

    with _server(answer) as address:
        for user, password, _ in tries:
            with _connected(source, address) as client:
                client.recv(256)
                client.sendall(f"USER {user}\r\n".encode())
                client.recv(256)
                client.sendall(f"PASS {password}\r\n".encode())
                client.recv(256)


@contextlib.contextmanager
def _server(answer: Talk) -> Iterator[tuple[str, int]]:
    """A server on a free loopback port that lets ``answer`` talk to one client after the other."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        done = threading.Event()
        deadline = time.monotonic() + _SERVER_SECONDS_MAX

        def serve() -> None:
            while not done.is_set() and time.monotonic() < deadline:
                with contextlib.suppress(TimeoutError, ConnectionError):
                    peer, _ = server.accept()
                    with peer:
                        peer.settimeout(5.0)
                        answer(peer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield server.getsockname()
        finally:
            done.set()
            thread.join()


def _connected(source: str, address: tuple[str, int]) -> socket.socket:
    return socket.create_connection(address, timeout=5.0, source_address=(source, 0))


def _letters(seed: str, size: int) -> str:
    """Chance letters and digits made from the seed."""
    digest = sha256(seed.encode()).digest() + sha256(f"{seed}+".encode()).digest()
    return "".join("bcdfghjkqvwxz0279"[byte % 17] for byte in digest)[:size]


def _client_hello(name: str) -> bytes:
    """A TLS 1.3 client that would speak SM or AES (RFC 8446 4.1.2)."""
    host = name.encode()
    extensions = pack("!HHHBH", 0, len(host) + 5, len(host) + 3, 0, len(host)) + host
    extensions += pack("!HHBH", 43, 3, 2, 0x0304)
    suites = pack("!HHH", 4, _SM_SUITE, _OTHER_SUITE)
    return _record(1, b"\x03\x03" + bytes(32) + b"\0" + suites + b"\x01\0", extensions)


def _server_hello(suite: int) -> bytes:
    extensions = pack("!HHH", 43, 2, 0x0304)
    return _record(2, b"\x03\x03" + bytes(32) + b"\0" + pack("!HB", suite, 0), extensions)


def _record(kind: int, body: bytes, extensions: bytes) -> bytes:
    body += pack("!H", len(extensions)) + extensions
    message = bytes([kind]) + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + pack("!H", len(message)) + message
