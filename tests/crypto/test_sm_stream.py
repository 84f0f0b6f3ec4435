"""The sensor's blocking stream: whole messages, timeouts that lose nothing, ends that are noticed."""

import asyncio
import os
import socket
import threading
from collections.abc import Iterator

import pytest
from link_world import SECONDS, LinkWorld, dialled, echo, served

from crypto.link_identity import LinkIdentity
from crypto.link_peers import Peer
from crypto.sm_async import SmAsyncStream
from crypto.sm_stream import SmStream, client_stream
from crypto.sm_tls import client_context, server_context
from crypto.words import Refused, Words


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> LinkWorld:
    return LinkWorld(tmp_path_factory.mktemp("link"))


@pytest.fixture(scope="module")
def sensor(world: LinkWorld) -> LinkIdentity:
    return world.sensor()


@pytest.fixture
def port(world: LinkWorld) -> Iterator[int]:
    with served(server_context(world.authority.identity())) as (port, _):
        yield port


def opened(world: LinkWorld, sensor: LinkIdentity, port: int) -> SmStream:
    return client_stream(dialled(port), client_context(sensor), world.sensor_judge.center, SECONDS)


def test_bytes_go_both_ways(world: LinkWorld, sensor: LinkIdentity, port: int) -> None:
    data = os.urandom(1 << 20)
    with opened(world, sensor, port) as stream:
        stream.settimeout(SECONDS)
        assert stream.peer is not None
        assert (stream.peer.id, stream.suite, stream.group) == ("city", "TLS_SM4_GCM_SM3", "curveSM2")
        got = bytearray()
        for start in range(0, len(data), 1 << 16):
            stream.sendall(data[start : start + (1 << 16)])
            while len(got) < start + (1 << 16):
                got += stream.recv()
        assert bytes(got) == data


def test_a_timeout_loses_nothing(world: LinkWorld, sensor: LinkIdentity) -> None:
    said = threading.Event()

    async def late(stream: SmAsyncStream) -> None:
        await asyncio.to_thread(said.wait)
        stream.write(b"late")
        await echo(stream)

    with (
        served(server_context(world.authority.identity()), late) as (port, _),
        opened(world, sensor, port) as stream,
    ):
        stream.settimeout(0.01)
        for _ in range(3):
            with pytest.raises(TimeoutError):
                stream.recv()
        said.set()
        stream.settimeout(SECONDS)
        assert stream.recv() == b"late"


def test_the_end_of_the_peer_is_noticed(world: LinkWorld, sensor: LinkIdentity) -> None:
    async def leave(stream: SmAsyncStream) -> None:
        stream.close()

    with (
        served(server_context(world.authority.identity()), leave) as (port, _),
        opened(world, sensor, port) as stream,
    ):
        stream.settimeout(SECONDS)
        assert stream.recv() == b""


def test_a_peer_that_is_not_believed_is_left(world: LinkWorld, sensor: LinkIdentity, port: int) -> None:
    def refuse(_: object) -> Peer:
        raise Refused("chain-revoked", Words("已吊销", "revoked"), Words("无", "none"))

    sock = dialled(port)
    with pytest.raises(Refused):
        client_stream(sock, client_context(sensor), refuse, SECONDS)
    assert sock.fileno() == -1


def test_silence_and_garbage_in_the_handshake_are_bounded(sensor: LinkIdentity) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        sock = dialled(server.getsockname()[1])
        with pytest.raises(TimeoutError):
            client_stream(sock, client_context(sensor), None, 0.05)
        sock = dialled(server.getsockname()[1])
        server.accept()[0].close()
        with server.accept()[0] as other:
            other.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        with pytest.raises((OSError, Refused)):
            client_stream(sock, client_context(sensor), None, SECONDS)
