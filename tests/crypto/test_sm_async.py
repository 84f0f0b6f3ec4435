"""Both asyncio ends: exact reads, end of stream, refusals, and a peer that stays silent in the handshake."""

import asyncio
import os
import ssl

import pytest
from link_world import LOOPBACK, SECONDS, LinkWorld, served

from crypto.link_identity import LinkIdentity
from crypto.sm_async import SmAsyncStream, accept, connect
from crypto.sm_tls import client_context, server_context
from crypto.words import Refused


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> LinkWorld:
    return LinkWorld(tmp_path_factory.mktemp("link"))


@pytest.fixture(scope="module")
def sensor(world: LinkWorld) -> LinkIdentity:
    return world.sensor()


def test_exact_reads_over_any_cut_of_the_stream(world: LinkWorld, sensor: LinkIdentity) -> None:
    data = os.urandom(300_000)

    async def run(port: int) -> None:
        stream = await connect(LOOPBACK, port, client_context(sensor), world.sensor_judge.center, SECONDS)
        assert stream.peer is not None
        assert (stream.peer.id, stream.suite, stream.address) == ("city", "TLS_SM4_GCM_SM3", LOOPBACK)
        stream.write(data)
        await stream.drain()
        got = [await stream.readexactly(size) for size in (1, 70_000, 0, 100_000)]
        assert b"".join(got) == data[:170_001]
        got.append(await stream.read(7))
        assert 0 < len(got[-1]) <= 7
        got.append(await stream.readexactly(300_000 - sum(map(len, got))))
        assert b"".join(got) == data
        stream.close()
        stream.close()
        await stream.wait_closed()

    with served(server_context(world.authority.identity())) as (port, failures):
        asyncio.run(run(port))
    assert failures == []


def test_an_end_in_the_middle_is_told(world: LinkWorld, sensor: LinkIdentity) -> None:
    async def some(stream: SmAsyncStream) -> None:
        stream.write(b"four")
        stream.close()

    async def run(port: int) -> None:
        stream = await connect(LOOPBACK, port, client_context(sensor), world.sensor_judge.center, SECONDS)
        with pytest.raises(asyncio.IncompleteReadError) as caught:
            await stream.readexactly(5)
        assert caught.value.partial == b"four"
        assert await stream.read() == b""
        stream.abort()

    with served(server_context(world.authority.identity()), some) as (port, _):
        asyncio.run(run(port))


def test_a_listener_sees_the_chain_and_judges_it(world: LinkWorld, sensor: LinkIdentity) -> None:
    seen: list[str] = []

    async def judged(stream: SmAsyncStream) -> None:
        stream.peer = world.center_judge.sensor(stream.peer_chain)
        seen.append(stream.peer.unit)
        stream.close()

    async def run(port: int) -> None:
        stream = await connect(LOOPBACK, port, client_context(sensor), world.sensor_judge.center, SECONDS)
        assert await stream.read() == b""
        stream.abort()

    with served(server_context(world.authority.identity()), judged) as (port, failures):
        asyncio.run(run(port))
    assert (seen, failures) == (["大数据局"], [])


def test_a_client_without_sm_is_refused_by_name(world: LinkWorld) -> None:
    plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    plain.check_hostname, plain.verify_mode = False, ssl.CERT_NONE

    async def run(port: int) -> None:
        with pytest.raises(ssl.SSLError):
            await asyncio.open_connection(LOOPBACK, port, ssl=plain)

    with served(server_context(world.authority.identity())) as (port, failures):
        asyncio.run(run(port))
    (failure,) = failures
    assert isinstance(failure, Refused)
    assert failure.code == "link-not-sm"


def test_a_center_that_is_not_trusted_is_left(
    world: LinkWorld, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = LinkWorld(tmp_path_factory.mktemp("other"))

    async def run(port: int) -> None:
        with pytest.raises(Refused) as caught:
            await connect(LOOPBACK, port, client_context(), world.sensor_judge.center, SECONDS)
        assert caught.value.code == "chain-no-issuer"

    with served(server_context(other.authority.identity())) as (port, _):
        asyncio.run(run(port))


def test_silence_in_the_handshake_is_bounded(world: LinkWorld) -> None:
    async def run() -> None:
        refused = asyncio.Event()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with pytest.raises(TimeoutError):
                await accept(reader, writer, server_context(world.authority.identity()), 0.05)
            writer.transport.abort()
            refused.set()

        server = await asyncio.start_server(connected, LOOPBACK, 0)
        _, writer = await asyncio.open_connection(LOOPBACK, server.sockets[0].getsockname()[1])
        await asyncio.wait_for(refused.wait(), SECONDS)
        writer.transport.abort()
        server.close()

    asyncio.run(run())
