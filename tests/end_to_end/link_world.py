"""A center's authority and sensors of it, for tests of the link: real keys and sockets, nothing doubled."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from crypto import pem
from crypto.keys import SigningKey
from crypto.link_authority import LinkAuthority
from crypto.link_identity import LinkIdentity
from crypto.link_peers import PeerJudge
from crypto.link_trust import LinkTrust
from crypto.sm_async import SmAsyncStream, accept
from crypto.sm_tls import Context
from crypto.x509 import REQUEST
from crypto.x509_issue import Subject, request_der

LOOPBACK = "127.0.0.1"
SECONDS = 60.0  # a bound for a loaded machine, not a wait


def now() -> datetime:
    return datetime.now(UTC)


def request_pem(key: SigningKey, name: str = "x") -> bytes:
    return pem.encode(request_der(key, "sensor", Subject(common_name=name, id=name)), REQUEST)


class LinkWorld:
    """``keys/`` of a center, and sensors with their trust below ``folder``."""

    def __init__(self, folder: Path, center: str = "city") -> None:
        self.folder = folder
        self.authority = LinkAuthority(folder / "keys")
        self.authority.create(center, now())
        self.center_judge = PeerJudge(self.authority.store, now)  # of those who come to the center
        self.trust = LinkTrust(folder / "trust")
        self.trust.pin(self.authority.bundle(), self.authority.root().fingerprint, now())
        self.sensor_judge = PeerJudge(self.trust.store, now)  # of the center, by a sensor

    def sensor(self, name: str = "web01", unit: str = "大数据局") -> LinkIdentity:
        key = SigningKey.generate()
        chain = self.authority.issue_sensor(request_pem(key), sensor=name, unit=unit, now=now())
        return LinkIdentity(key=key, chain=chain)


Serve = Callable[[SmAsyncStream], Awaitable[None]]


async def echo(stream: SmAsyncStream) -> None:
    """Say everything back."""
    while data := await stream.read():
        stream.write(data)
        await stream.drain()
    stream.close()


@contextmanager
def served(context: Context, serve: Serve = echo) -> Iterator[tuple[int, list[BaseException]]]:
    """A listener in a thread of its own: its port, and what its connections failed of."""
    started, ended = threading.Event(), threading.Event()
    ports: list[int] = []
    failures: list[BaseException] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(await accept(reader, writer, context, SECONDS))
        except Exception as error:  # noqa: BLE001 -- told to the test
            failures.append(error)
        finally:
            writer.transport.abort()

    async def listen() -> None:
        server = await asyncio.start_server(connected, LOOPBACK, 0)
        ports.append(server.sockets[0].getsockname()[1])
        started.set()
        await asyncio.to_thread(ended.wait)
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    thread = threading.Thread(target=asyncio.run, args=(listen(),))
    thread.start()
    assert started.wait(SECONDS)
    try:
        yield ports[0], failures
    finally:
        ended.set()
        thread.join(SECONDS)


def dialled(port: int) -> socket.socket:
    """A plain connection to loopback."""
    return socket.create_connection((LOOPBACK, port), timeout=SECONDS)
