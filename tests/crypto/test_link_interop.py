"""A peer that has none of our code: plain pyOpenSSL, which builds and verifies the SM2 chains by itself.

No RFC 8998 peer of another make was at hand in these tests; docs/reference/link.md says what was run where.
"""

import asyncio
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from link_world import LOOPBACK, SECONDS, LinkWorld, dialled, served
from OpenSSL import SSL
from OpenSSL._util import lib

from crypto.link_identity import LinkIdentity
from crypto.sm_async import connect
from crypto.sm_stream import client_stream
from crypto.sm_tls import client_context, server_context


@pytest.fixture
def world(tmp_path: Path) -> LinkWorld:
    return LinkWorld(tmp_path)


def plain(method: int, identity: LinkIdentity, root: Path, folder: Path) -> SSL.Context:
    """A context as anybody would write it; OpenSSL's own verifier decides."""
    context = SSL.Context(method)
    context.set_min_proto_version(SSL.TLS1_3_VERSION)
    context.set_tls13_ciphersuites(b"TLS_SM4_GCM_SM3")
    assert lib.SSL_CTX_set1_curves_list(context._context, b"curveSM2")
    assert lib.SSL_CTX_set1_sigalgs_list(context._context, b"sm2sig_sm3")
    file = folder / "peer.pem"
    identity.save(file)
    context.use_privatekey_file(str(file))
    context.use_certificate_chain_file(str(file))
    context.load_verify_locations(str(root))
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT)
    return context


def answered(connection: SSL.Connection) -> bytes:
    """Say something, hear it back."""
    connection.sendall(b"hello")
    return connection.recv(100)


def test_a_plain_client_speaks_with_our_listener(world: LinkWorld, tmp_path: Path) -> None:
    root = tmp_path / "root.pem"
    root.write_bytes(world.authority.root().pem())
    context = plain(SSL.TLS_CLIENT_METHOD, world.sensor(), root, tmp_path)
    with served(server_context(world.authority.identity())) as (port, failures), dialled(port) as sock:
        sock.settimeout(None)
        connection = SSL.Connection(context, sock)
        connection.set_connect_state()
        connection.do_handshake()
        assert connection.get_cipher_name() == "TLS_SM4_GCM_SM3"
        assert connection.get_group_name() == "curveSM2"
        assert answered(connection) == b"hello"
        connection.shutdown()
    assert failures == []


@pytest.fixture
def plain_server(world: LinkWorld, tmp_path: Path) -> Iterator[int]:
    """Echoes one message on each of two connections."""
    root = tmp_path / "root.pem"
    root.write_bytes(world.authority.root().pem())
    context = plain(SSL.TLS_SERVER_METHOD, world.authority.identity(), root, tmp_path)
    with socket.create_server((LOOPBACK, 0)) as server:

        def serve() -> None:
            for _ in range(2):
                sock = server.accept()[0]
                with sock:
                    connection = SSL.Connection(context, sock)
                    connection.set_accept_state()
                    connection.do_handshake()
                    connection.sendall(connection.recv(100))
                    connection.shutdown()

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join(SECONDS)


def test_our_clients_speak_with_a_plain_server(world: LinkWorld, plain_server: int) -> None:
    judge = world.sensor_judge.center
    with client_stream(dialled(plain_server), client_context(world.sensor()), judge, SECONDS) as stream:
        stream.settimeout(SECONDS)
        stream.sendall(b"blocking")
        assert stream.recv() == b"blocking"

    async def run() -> bytes:
        sensor = client_context(world.sensor())
        stream = await connect(LOOPBACK, plain_server, sensor, judge, SECONDS)
        stream.write(b"asyncio")
        said = await stream.readexactly(7)
        assert await stream.read() == b""
        stream.close()
        return said

    assert asyncio.run(run()) == b"asyncio"


def test_a_plain_client_refuses_a_center_of_another_root(world: LinkWorld, tmp_path: Path) -> None:
    """The other half of agreeing: OpenSSL's verifier and ours refuse the same."""
    other = LinkWorld(tmp_path / "other")
    root = tmp_path / "root.pem"
    root.write_bytes(other.authority.root().pem())
    context = plain(SSL.TLS_CLIENT_METHOD, world.sensor(), root, tmp_path)
    with served(server_context(world.authority.identity())) as (port, _), dialled(port) as sock:
        sock.settimeout(None)
        connection = SSL.Connection(context, sock)
        connection.set_connect_state()
        with pytest.raises(SSL.Error, match="certificate verify failed"):
            connection.do_handshake()
