"""SM TLS of the uplink with both ends on one core: throughput, mutual handshakes, memory of idle connections.

``python -m bench.uplink [--mib N] [--handshakes N] [--idle N]`` prints one JSON object a line. The limit is
the same library without sockets: two sessions that pass each other bytes in memory. Beside it the streams as
they serve, an asyncio listener and a blocking client in two processes bound to one core, and the ingest
listener itself with idle sensors, whose memory is told per connection.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import socket
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from crypto import pem, x509_issue
from crypto.authority_files import KEY_NAME
from crypto.keys import SigningKey
from crypto.link_authority import LinkAuthority
from crypto.link_identity import LinkIdentity
from crypto.link_peers import PeerJudge
from crypto.sm_async import SmAsyncStream, accept
from crypto.sm_stream import SmStream, client_stream
from crypto.sm_tls import Context, Session, client_context, server_context
from crypto.words import LiuheError, Words
from crypto.x509 import REQUEST
from crypto.x509_issue import Subject, request_der
from sensors.messages import Decoder, Enrolled, EnrolRequest, Hello, Welcome, encode_message
from sensors.segment_log import SegmentLog
from soc_api.center_link import CenterLink
from soc_api.enrolment import Admission
from soc_api.file_limit import raise_file_limit
from soc_api.ingest import IngestListener

LOOPBACK: Final = "127.0.0.1"
MIB: Final = 1 << 20
CHUNK: Final = 256 * 1024
SECONDS: Final = 120.0


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def say(name: str, value: float, unit: str, conditions: str) -> None:
    """One line of the common form."""
    line = {"name": name, "value": round(value, 3), "unit": unit, "conditions": conditions}
    print(json.dumps(line), flush=True)


def sensor_of(authority: LinkAuthority, name: str) -> LinkIdentity:
    """A sensor with its certificate."""
    key = SigningKey.generate()
    wish = pem.encode(request_der(key, "sensor", Subject(common_name=name, id=name)), REQUEST)
    chain = authority.issue_sensor(wish, sensor=name, unit="bench", now=now())
    return LinkIdentity(key=key, chain=chain)


def shaken(client: Context, server: Context) -> tuple[Session, Session]:
    """Both sessions after their handshake, in memory."""
    ends = Session(client, server=False), Session(server, server=True)
    done = [False, False]
    while not all(done):
        for at, (one, other) in enumerate((ends, ends[::-1])):
            done[at] = done[at] or one.handshake()
            other.feed(one.take())
    return ends


def in_memory(client: Context, server: Context, mib: int, handshakes: int) -> None:
    """The limit: no sockets, no event loop, no judging."""
    begun = perf_counter()
    for _ in range(handshakes):
        shaken(client, server)
    say(
        "link.limit.handshakes", handshakes / (perf_counter() - begun), "1/s", "memory, both ends, mutual SM2"
    )
    one, other = shaken(client, server)
    data, left = os.urandom(CHUNK), mib * MIB
    begun = perf_counter()
    while left > 0:
        one.write(data)
        other.feed(one.take())
        while (got := other.read(CHUNK)) is not None:
            left -= len(got)
    say(
        "link.limit.bytes",
        mib * MIB / (perf_counter() - begun) / 1e6,
        "MB/s",
        f"memory, both ends, {mib} MiB",
    )


def bind_to_one_core() -> None:
    """So that both processes share it."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def serve(folder: Path, end: Any) -> None:
    """The listener's process: judges who comes, reads what comes, says how many bytes it was."""
    bind_to_one_core()
    authority = LinkAuthority(folder)
    context = server_context(authority.identity())
    judge = PeerJudge(authority.store, now)

    async def talk(stream: SmAsyncStream) -> None:
        judge.sensor(stream.peer_chain)
        total = 0
        while data := await stream.read(CHUNK):
            total += len(data)
            if data.endswith(b"end"):
                stream.write(str(total).encode())
                await stream.drain()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(await accept(reader, writer, context, SECONDS))
        finally:
            writer.transport.abort()

    async def run() -> None:
        server = await asyncio.start_server(connected, LOOPBACK, 0, backlog=512)
        end.send(server.sockets[0].getsockname()[1])
        await asyncio.to_thread(end.recv)
        server.close()

    asyncio.run(run())


def over_loopback(folder: Path, sensor: LinkIdentity, mib: int, handshakes: int) -> None:
    """The streams in service: a blocking client, an asyncio listener, one core for both."""
    bind_to_one_core()
    mine, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=serve, args=(folder, theirs))
    process.start()
    port = mine.recv()
    judge = PeerJudge(LinkAuthority(folder).store, now)

    def dial() -> Any:
        plain = socket.create_connection((LOOPBACK, port))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client_stream(plain, client_context(sensor), judge.center, SECONDS)

    begun = perf_counter()
    for _ in range(handshakes):
        dial().close()
    say(
        "link.uplink.handshakes",
        handshakes / (perf_counter() - begun),
        "1/s",
        "loopback, both ends on one core, connecting and both chains judged included",
    )
    data = os.urandom(CHUNK - 3)
    with dial() as stream:
        stream.settimeout(SECONDS)
        begun = perf_counter()
        for _ in range(mib * MIB // CHUNK - 1):
            stream.sendall(data + b"...")
        stream.sendall(data + b"end")
        total = int(stream.recv())
        seconds = perf_counter() - begun
    assert total == mib * MIB
    say("link.uplink.bytes", total / seconds / 1e6, "MB/s", f"loopback, both ends on one core, {mib} MiB")
    mine.send("stop")
    process.join()


class BenchDesk:
    """Lets in whom the authority certified; the register has a bench of its own."""

    def authority_pem(self) -> str:
        """Nobody enrols here."""
        return ""

    def enrol(self, request: EnrolRequest) -> Enrolled:
        """Nobody enrols here."""
        raise LiuheError("bench", Words("无", "no"), Words("无", "no"), field=request.sensor)

    def admission(self, sensor: str, fingerprint: str) -> Admission:  # noqa: ARG002
        """Everybody may."""
        return Admission(unit="bench")

    def hold(self, sensor: str, reason: str) -> None:
        """Never."""


def listen(folder: Path, end: Any) -> None:
    """The ingest listener's process; answers each ``True`` with its memory in KiB, ends with ``False``."""
    raise_file_limit()
    link = CenterLink(LinkAuthority(folder))

    async def run() -> None:
        log = SegmentLog.open(folder / "log", name="center", writer=True)
        hosts, desk = [LOOPBACK], BenchDesk()
        async with IngestListener(
            log, link, desk, center="bench", unit="bench", hosts=hosts, port=0
        ) as listener:
            end.send(listener.port)
            while await asyncio.to_thread(end.recv):
                end.send((listener.connected, memory_kib()))
        log.close()

    asyncio.run(run())


def memory_kib() -> int:
    """What this process alone holds, shared pages by their share."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def idle(folder: Path, authority: LinkAuthority, count: int) -> None:
    """Greeted sensors, each with a certificate of its own, that say nothing."""
    raise_file_limit()
    mine, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=listen, args=(folder, theirs))
    process.start()
    port = mine.recv()
    judge = PeerJudge(authority.store, now)
    issuer, key = authority.folder.certificate(), authority.folder.keys.signing_key(KEY_NAME, None)
    lines: list[SmStream] = []

    def connect(name: str) -> None:
        own = SigningKey.generate()
        leaf = x509_issue.issue(
            "sensor",
            Subject(common_name=name, id=name, unit="bench"),
            own.public.spki(),
            issuer=issuer,
            key=key,
            serial=x509_issue.new_serial(),
            now=now(),
            days=30,
        )
        context = client_context(LinkIdentity(key=own, chain=(leaf, issuer)))
        plain = socket.create_connection((LOOPBACK, port))
        stream = client_stream(plain, context, judge.center, SECONDS)
        stream.settimeout(SECONDS)
        stream.sendall(encode_message(Hello(sensor=name, version="1", kind="host", epoch=1)))
        welcome, *_ = Decoder().feed(stream.recv())
        assert isinstance(welcome, Welcome)
        lines.append(stream)

    for n in range(20):  # what every listener needs is not counted
        connect(f"warm{n}")
    mine.send(True)
    _, base = mine.recv()
    begun = perf_counter()
    for n in range(count):
        connect(f"s{n}")
    seconds = perf_counter() - begun
    mine.send(True)
    connected, most = mine.recv()
    assert connected == count + 20
    given = f"ingest listener, {count} idle sensors with certificates of their own"
    say("link.idle.memory", (most - base) / count, "KiB per connection", given)
    say("link.idle.connecting", count / seconds, "1/s", f"{given}; issuing them included, two cores")
    for stream in lines:
        stream.close()
    mine.send(False)
    process.join()


def main() -> None:
    """All of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=256)
    parser.add_argument("--handshakes", type=int, default=400)
    parser.add_argument("--idle", type=int, default=2_000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        authority = LinkAuthority(folder)
        authority.create("bench", now())
        sensor = sensor_of(authority, "s")
        idle(folder, authority, chosen.idle)
        bind_to_one_core()
        in_memory(client_context(sensor), server_context(authority.identity()), chosen.mib, chosen.handshakes)
        over_loopback(folder, sensor, chosen.mib, chosen.handshakes)


if __name__ == "__main__":
    main()
