"""A package goes from one center to another over real TLS sockets on loopback, through every interruption."""

import asyncio
import base64
import multiprocessing
import random  # noqa: TID251 -- seeded
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import pytest
from transfer_world import NOW, CertifiedWorld, World

from crypto.package_envelope import CHUNK_BYTES, TAG_BYTES
from crypto.sm_async import SmAsyncStream, connect
from crypto.sm_tls import client_context
from crypto.transfer.receipt import open_receipt
from crypto.words import BadInput, LiuheError, Refused
from running_center import until
from soc_api import transfer_messages as wire
from soc_api.transfer_ferry import glance
from soc_api.transfer_intake import CenterIntake, Desk
from soc_api.transfer_online import CREDIT_CHUNKS, PEER_CONNECTIONS_MAX, TransferListener
from soc_api.transfer_peers import client_link, issue_peer, server_link
from soc_api.transfer_push import Patience, Pushed, Target, push
from soc_api.transfer_staging import STAGED_DAYS, SYNC_CHUNKS, Staging

LOOPBACK = "127.0.0.1"
QUICK = Patience(first_seconds=0.02, longest_seconds=0.2)
QUICK_START = Patience(attempts_max=60, first_seconds=0.1, longest_seconds=0.5)
SEALED = CHUNK_BYTES + TAG_BYTES


def text_of(mib: int) -> bytes:
    return base64.encodebytes(random.Random(7).randbytes(mib << 20))[: mib << 20]


class Online:
    """The two centers of ``World``, each with its certificates, the province with its door."""

    def __init__(self, folder: Path, world: type[World] = World) -> None:
        self.world: Any = world(folder)
        self.folder = folder
        self.staged = folder / "province/transfer/online"
        for name, center in (("city", "市中心"), ("province", "省中心"), ("other", "邻中心")):
            issue_peer(folder / "authority", center, folder / name / "transfer/tls", datetime.now(UTC))

    def tls(self, name: str) -> Path:
        return self.folder / name / "transfer/tls"

    @asynccontextmanager
    async def door(self, port: int = 0) -> AsyncIterator[TransferListener]:
        world = self.world
        desk = Desk(world.province_parts, world.there, {world.wrap.public.key_id: world.wrap})
        async with TransferListener(
            CenterIntake(lambda: desk),
            Staging(self.staged),
            server_link(self.tls("province")),
            host=LOOPBACK,
            port=port,
            clock=lambda: NOW,
        ) as listener:
            yield listener

    def package(self, transfer: str) -> Path:
        path: Path = self.world.city.ferry.sealed(transfer)
        return path

    async def push(
        self, package: Path, port: int, *, center: str = "省中心", who: str = "city", **more: Any
    ) -> Pushed:
        target = Target(LOOPBACK, port, center)
        link = client_link(self.tls(who))
        return await asyncio.to_thread(push, package, target, link, patience=QUICK, **more)

    def take(self, receipt: bytes) -> tuple[str, str]:
        world = self.world
        channel = world.city.channels.find("out", "city-province")
        taken: tuple[str, str] = world.out.take_receipt(channel, receipt, NOW)
        return taken

    def imports(self) -> int:
        return len(self.world.province_parts.store.imports())


class Proxy:
    """Loopback between the two; each connection is cut after so many bytes towards the receiver."""

    def __init__(self, port: int, cuts: Iterator[int]) -> None:
        self.port = 0
        self.forwarded = 0
        self.connections = 0
        self._target, self._cuts = port, cuts

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._carry, LOOPBACK, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, onward = await asyncio.open_connection(LOOPBACK, self._target)
        self.connections += 1
        back = asyncio.create_task(self._back(there, writer))
        left = next(self._cuts, sys.maxsize)
        while left and (data := await reader.read(min(left, 65536))):
            left -= len(data)
            self.forwarded += len(data)
            onward.write(data)
            await onward.drain()
        onward.close()
        back.cancel()
        writer.close()

    async def _back(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await there.read(65536):
            writer.write(data)
        writer.close()


@pytest.fixture
def online(tmp_path: Path) -> Online:
    return Online(tmp_path)


def test_the_way_there_and_the_receipt_back(online: Online) -> None:
    transfer = online.world.exported()
    seen: list[tuple[int, int]] = []

    async def run() -> None:
        async with online.door() as door:
            package = online.package(transfer)
            size = package.stat().st_size
            first = await online.push(package, door.port, progress=lambda *at: seen.append(at))
            assert (first.attempts, first.sent_chunks) == (1, 1)
            again = await online.push(package, door.port)
            assert (again.receipt, again.sent_chunks) == (first.receipt, 0), "the stored receipt"
            assert seen[-1] == (size, size)
            assert online.take(first.receipt) == (transfer, "confirmed")

    asyncio.run(run())
    assert online.imports() == 1
    assert len(online.world.received()) == 1
    assert list(online.staged.iterdir()) == []


def test_ten_interruptions_cost_a_chunk_each_at_most(online: Online) -> None:
    files = {"a.txt": text_of(24)}
    transfer = online.world.exported(files)
    lot = random.Random(20261122)
    borders = [lot.choice((1, 2, 3)) * SEALED + 4_000 for _ in range(4)]
    inside = [lot.randrange(20_000, 3 * SEALED) for _ in range(6)]
    cuts = [*borders, *inside]
    lot.shuffle(cuts)

    async def run() -> Proxy:
        async with online.door() as door, Proxy(door.port, iter(cuts)) as proxy:
            pushed = await online.push(online.package(transfer), proxy.port)
            keys = {online.world.province.public.key_id: online.world.province.public}
            assert open_receipt(pushed.receipt, keys).verdict == "accepted"
            assert online.take(pushed.receipt) == (transfer, "confirmed")
            return proxy

    size = online.package(transfer).stat().st_size
    proxy = asyncio.run(run())
    assert proxy.connections >= 11
    tls = size // 500 + 8_192 * proxy.connections
    assert proxy.forwarded - size <= len(cuts) * SEALED + tls
    assert online.imports() == 1
    assert online.world.received() == [files]


def hostile(messages: list[bytes]) -> Callable[[SmAsyncStream, SmAsyncStream], Any]:
    """Say these things, then read the answers to the end."""

    async def talk(reader: SmAsyncStream, writer: SmAsyncStream) -> list[Any]:
        for message in messages:
            writer.write(message)
        answers = []
        try:
            while True:
                length = wire.length_of(await reader.readexactly(4), wire.ANSWER_BYTES_MAX)
                answers.append(wire.decode(await reader.readexactly(length), wire.ANSWER))
                if isinstance(answers[-1], wire.Problem):
                    return answers
        except (asyncio.IncompleteReadError, OSError):
            return answers
        finally:
            writer.abort()

    return talk


def test_hostile_peers_are_refused_and_the_others_go_on(online: Online) -> None:
    good = online.world.exported({"a.txt": text_of(3)})
    package = online.package(good)
    data = package.read_bytes()
    with package.open("rb", buffering=0) as file:
        seen = glance(file)
        header = data[: file.tell()]
    offer = wire.encode(wire.Offer(package_sm3=seen.package_sm3, package_bytes=seen.package_bytes))
    begin = offer + wire.encode(wire.HeaderBytes(data=header))
    chunk = data[len(header) : len(header) + SEALED]
    cases = {
        "transfer-wire": [
            [wire.LENGTH.pack(1 << 31)],
            [wire.LENGTH.pack(5) + b"\xc1zzzz"],
            [wire.encode(wire.Done())],
            [offer, wire.encode(wire.HeaderBytes(data=header[:-1] + bytes([header[-1] ^ 1])))],
            [wire.encode(wire.Offer(package_sm3=seen.package_sm3, package_bytes=5)), begin[len(offer) :]],
            [begin, wire.LENGTH.pack(wire.CHUNK_MESSAGE_BYTES_MAX + 1)],
        ],
        "package-malformed": [[offer, wire.encode(wire.Chunk(index=1000, sealed=chunk))]],
        "sm4-tag": [
            [offer, wire.encode(wire.Chunk(index=1, sealed=chunk))],
            [offer, wire.encode(wire.Chunk(index=0, sealed=bytes(len(chunk))))],
        ],
    }

    async def talk(port: int, messages: list[bytes], who: str = "city") -> list[Any]:
        link = client_link(online.tls(who))
        stream = await connect(LOOPBACK, port, link.context, link.judge, 10.0)
        result: list[Any] = await hostile(messages)(stream, stream)
        return result

    async def run() -> None:
        async with online.door() as door:
            for code, attempts in cases.items():
                for messages in attempts:
                    answers = await talk(door.port, messages)
                    assert [one.code for one in answers if isinstance(one, wire.Problem)] == [code], answers
            early = await talk(door.port, [offer, wire.encode(wire.Done())])
            assert early[-1].code == "transfer-wire", "done while chunks are missing"
            with pytest.raises(Refused) as caught:
                await online.push(package, door.port, who="other")
            assert (caught.value.code, caught.value.field) == ("transfer-refused-there", "transfer-peer")
            assert door.refused == 11
            pushed = await online.push(package, door.port)
            assert online.take(pushed.receipt) == (good, "confirmed")

    asyncio.run(run())
    assert online.imports() == 1


def test_nobody_comes_in_without_a_certificate_of_the_authority(online: Online, tmp_path: Path) -> None:
    package = online.package(online.world.exported())
    issue_peer(tmp_path / "strange", "市中心", tmp_path / "strange/tls", datetime.now(UTC))

    async def run() -> None:
        async with online.door() as door:
            bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            bare.check_hostname, bare.verify_mode = False, ssl.CERT_NONE
            with pytest.raises(ssl.SSLError, match=r"(?i)handshake.failure"):
                await asyncio.open_connection(LOOPBACK, door.port, ssl=bare, server_hostname="")
            nobody = await connect(
                LOOPBACK, door.port, client_context(), client_link(online.tls("city")).judge, 30
            )
            length = wire.length_of(await nobody.readexactly(4), wire.ANSWER_BYTES_MAX)
            answer = wire.decode(await nobody.readexactly(length), wire.ANSWER)
            assert isinstance(answer, wire.Problem)
            assert answer.code == "link-no-certificate"
            nobody.abort()
            stranger = client_link(tmp_path / "strange/tls", online.tls("city") / "trust")
            target = Target(LOOPBACK, door.port)
            with pytest.raises(Refused) as caught:
                await asyncio.to_thread(push, package, target, stranger)
            assert (caught.value.code, caught.value.field) == ("transfer-refused-there", "chain-no-issuer")
            with pytest.raises(Refused) as caught:
                await asyncio.to_thread(push, package, target, client_link(tmp_path / "strange/tls"))
            assert caught.value.code == "transfer-peer-untrusted", "the sender does not trust the receiver"
            with pytest.raises(Refused) as caught:
                await online.push(package, door.port, center="邻中心")
            assert caught.value.code == "transfer-peer-other"
            await online.push(package, door.port)

    asyncio.run(run())
    assert online.imports() == 1


def test_a_refusal_comes_back_as_a_signed_receipt(online: Online) -> None:
    transfer = online.world.exported()
    online.world.gate.failed = ("NET-09",)

    async def run() -> bytes:
        async with online.door() as door:
            return (await online.push(online.package(transfer), door.port)).receipt

    assert online.take(asyncio.run(run())) == (transfer, "rejected")
    assert online.imports() == 0
    assert online.world.received() == []


def test_chunks_whose_file_is_gone_are_asked_for_again(online: Online) -> None:
    transfer = online.world.exported({"a.txt": text_of(2)})
    package = online.package(transfer)

    async def run() -> None:
        async with online.door() as door, Proxy(door.port, iter([2 * SEALED])) as proxy:
            link, target = client_link(online.tls("city")), Target(LOOPBACK, proxy.port)
            with pytest.raises(LiuheError):
                await asyncio.to_thread(push, package, target, link, patience=Patience(1))
        # The door closes without waiting for the disk.
        await asyncio.to_thread(until, lambda: list(online.staged.glob("*/progress")), 60, 0.01)
        async with online.door() as door:
            (partial,) = online.staged.glob("*/package")
            partial.unlink()
            pushed = await online.push(package, door.port)
            assert pushed.sent_chunks == 2, "all of them"
            assert online.take(pushed.receipt) == (transfer, "confirmed")

    asyncio.run(run())
    assert list(online.staged.iterdir()) == []


def test_one_transfer_of_a_peer_at_a_time(online: Online, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("soc_api.transfer_online.TURN_SECONDS", 0.05)
    transfer = online.world.exported()
    package = online.package(transfer)

    async def run() -> None:
        async with online.door() as door:
            async with door.turn("市中心"):
                target, link = Target(LOOPBACK, door.port), client_link(online.tls("city"))
                with pytest.raises(LiuheError, match="transfer-in-progress"):
                    await asyncio.to_thread(push, package, target, link, patience=Patience(1))
            idle = [
                await connect(LOOPBACK, door.port, link.context, link.judge, 10.0)
                for _ in range(PEER_CONNECTIONS_MAX)
            ]
            with pytest.raises(LiuheError, match="transfer-in-progress"):
                await asyncio.to_thread(push, package, target, link, patience=Patience(1))
            for stream in idle:
                stream.abort()
            await online.push(package, door.port)

    asyncio.run(run())


def test_patience_ends(online: Online, unused_tcp_port: int) -> None:
    package = online.package(online.world.exported())
    with pytest.raises(LiuheError) as caught:
        push(
            package,
            Target(LOOPBACK, unused_tcp_port),
            client_link(online.tls("city")),
            patience=Patience(attempts_max=3, first_seconds=0.01),
        )
    assert caught.value.code == "transfer-interrupted"


@pytest.fixture
def unused_tcp_port() -> int:
    import socket

    with socket.socket() as free:
        free.bind((LOOPBACK, 0))
        port: int = free.getsockname()[1]
        return port


def serve(online: Online, port: int, orders: Any) -> None:
    """A receiver in a process of its own, from when it is told to until it is killed."""
    orders.recv()
    online.world.there = online.world.importer()  # a database connection of this process

    async def run() -> None:
        async with online.door(port):
            await asyncio.Event().wait()

    asyncio.run(run())


@pytest.mark.slow
def test_a_killed_receiver_goes_on_where_it_was(online: Online, unused_tcp_port: int) -> None:
    files = {"a.txt": text_of(160)}
    transfer = online.world.exported(files)
    package = online.package(transfer)
    online.world.province_parts.store._engine.dispose()
    fork = multiprocessing.get_context("fork")
    pipes = [fork.Pipe() for _ in range(4)]
    workers = [fork.Process(target=serve, args=(online, unused_tcp_port, end)) for _, end in pipes]
    for worker in workers:
        worker.start()
    kills = iter([0.2, 0.45, 0.8])
    state = {"at": 0, "next": next(kills)}

    def watch(done: int, total: int) -> None:
        if done >= state["next"] * total and state["at"] < 3:
            workers[int(state["at"])].kill()
            workers[int(state["at"])].join()
            state["at"] += 1
            state["next"] = next(kills, 2.0)
            pipes[int(state["at"])][0].send("go")

    pipes[0][0].send("go")
    try:
        with ThreadPoolExecutor(1) as pool:
            target, link = Target(LOOPBACK, unused_tcp_port), client_link(online.tls("city"))
            pushed = pool.submit(push, package, target, link, progress=watch, patience=QUICK_START).result()
    finally:
        for worker in workers:
            worker.kill()
            worker.join()
    online.world.there = online.world.importer()
    assert state["at"] == 3
    assert pushed.sent_chunks <= 160 + 3 * (2 * SYNC_CHUNKS + CREDIT_CHUNKS)
    assert online.take(pushed.receipt) == (transfer, "confirmed")
    assert online.imports() == 1
    assert online.world.received() == [files]


def test_messages_are_bounded() -> None:
    for length in (0, wire.SMALL_BYTES_MAX + 1):
        with pytest.raises(BadInput):
            wire.length_of(wire.LENGTH.pack(length), wire.SMALL_BYTES_MAX)
    with pytest.raises(BadInput):
        wire.decode(b"\x81\xa4type\xa4done", wire.OFFER)


def test_partial_packages_expire(tmp_path: Path) -> None:
    staging = Staging(tmp_path / "online")
    (tmp_path / "online" / ("0" * 32)).mkdir()
    now = datetime.now(UTC)
    assert staging.expire(now) == 0
    assert staging.expire(now + timedelta(days=STAGED_DAYS + 1)) == 1
    assert list((tmp_path / "online").iterdir()) == []


def test_certificates_count_online_as_they_do_by_ferry(tmp_path: Path) -> None:
    online = Online(tmp_path, CertifiedWorld)
    first, second = online.world.exported(), online.world.exported()

    async def run() -> LiuheError:
        async with online.door() as listener:
            pushed = await online.push(online.package(first), listener.port)
            assert online.take(pushed.receipt) == (first, "confirmed")
            online.world.revoke(online.world.author)
            online.world.lists(NOW, "province")
            with pytest.raises(Refused, match="transfer-refused-there") as caught:
                await online.push(online.package(second), listener.port)
            return caught.value

    refused = asyncio.run(run())
    assert refused.field == "chain-revoked"
    assert "吊销" in refused.what.zh
    assert online.imports() == 1
