"""RFC 8998 and nothing weaker: suites, groups, signatures and versions that are agreed on or refused."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from link_world import LinkWorld
from OpenSSL._util import lib

from crypto.link_identity import LinkIdentity
from crypto.sm_tls import Context, Session, TlsError, client_context, server_context
from crypto.words import LiuheError, Refused


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> LinkWorld:
    return LinkWorld(tmp_path_factory.mktemp("link"))


@pytest.fixture(scope="module")
def sensor(world: LinkWorld) -> LinkIdentity:
    return world.sensor()


def shake(client: Session, server: Session, *, turns: int = 10) -> None:
    """Carry bytes between the two until both are done."""
    done = {client: False, server: False}
    for _ in range(turns):
        for one, other in ((client, server), (server, client)):
            try:
                done[one] = done[one] or one.handshake()
            finally:
                other.feed(one.take())
        if all(done.values()):
            return
    raise AssertionError("the handshake does not end")


def pair(client: Context, server: Context) -> tuple[Session, Session]:
    made = Session(client, server=False), Session(server, server=True)
    shake(*made)
    return made


def test_the_suite_of_rfc_8998_with_certificates_of_both(world: LinkWorld, sensor: LinkIdentity) -> None:
    client, server = pair(client_context(sensor), server_context(world.authority.identity()))
    for one in (client, server):
        assert (one.suite, one.group) == ("TLS_SM4_GCM_SM3", "curveSM2")
    assert world.center_judge.sensor(server.peer_chain).id == "web01"
    assert world.sensor_judge.center(client.peer_chain).id == "city"
    assert server.peer_chain[0] == sensor.certificate.der
    client.write(b"event" * 100_000)
    server.feed(client.take())
    assert server.read(1_000_000) == b"event" * 100_000
    assert server.read() is None
    client.close()
    server.feed(client.take())
    assert server.read() == b""


def test_a_client_without_a_certificate_shows_none(world: LinkWorld) -> None:
    _, server = pair(client_context(), server_context(world.authority.identity()))
    assert server.peer_chain == ()
    with pytest.raises(Refused) as caught:
        world.center_judge.sensor(server.peer_chain)
    assert caught.value.code == "link-no-certificate"


@pytest.mark.parametrize("side", ["client", "server"])
def test_with_only_sm_off_standard_suites_are_taken_too(
    world: LinkWorld, sensor: LinkIdentity, side: str
) -> None:
    """Two ends that may both speak more still choose SM; one that speaks no SM is taken by one that may."""
    loose = pair(
        client_context(sensor, only_sm=False), server_context(world.authority.identity(), only_sm=False)
    )
    assert loose[0].suite == "TLS_SM4_GCM_SM3"
    client = client_context(sensor, only_sm=False)
    server = server_context(world.authority.identity(), only_sm=False)
    (client if side == "client" else server).raw.set_tls13_ciphersuites(b"TLS_AES_128_GCM_SHA256")
    agreed = pair(client, server)[0]
    assert agreed.suite == "TLS_AES_128_GCM_SHA256"
    assert world.sensor_judge.center(agreed.peer_chain).id == "city", "the certificate is SM2 still"


@pytest.mark.parametrize(
    "weaken",
    [
        lambda raw: raw.set_tls13_ciphersuites(b"TLS_AES_256_GCM_SHA384"),
        lambda raw: lib.SSL_CTX_set1_curves_list(raw._context, b"X25519"),
        lambda raw: lib.SSL_CTX_set1_sigalgs_list(raw._context, b"ecdsa_secp256r1_sha256"),
    ],
    ids=["suite", "group", "signature"],
)
@pytest.mark.parametrize("side", ["client", "server"])
def test_anything_weaker_is_refused_in_clear_words(
    world: LinkWorld, sensor: LinkIdentity, side: str, weaken: object
) -> None:
    client, server = client_context(sensor), server_context(world.authority.identity())
    other = client_context(sensor, only_sm=False)
    if side == "server":
        other = server_context(world.authority.identity(), only_sm=False)
    weaken(other.raw)  # type: ignore[operator]
    ends = (other, server) if side == "client" else (client, other)
    with pytest.raises(Refused) as caught:
        pair(*ends)
    assert caught.value.code == "link-not-sm"
    assert "RFC 8998" in caught.value.what.en


def test_tls_1_2_and_plain_bytes_are_refused(world: LinkWorld) -> None:
    for said in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x05hello", bytes(100)):
        server = Session(server_context(world.authority.identity()), server=True)
        server.feed(said)
        with pytest.raises((Refused, TlsError)):
            server.handshake()


def test_key_and_certificate_must_be_a_pair(world: LinkWorld, sensor: LinkIdentity, tmp_path: Path) -> None:
    with pytest.raises(Refused):
        LinkIdentity(key=world.sensor("other").key, chain=sensor.chain)
    with pytest.raises(LiuheError):
        LinkIdentity.load(tmp_path / "none.pem")


def test_a_changed_record_ends_the_connection(world: LinkWorld, sensor: LinkIdentity) -> None:
    client, server = pair(client_context(sensor), server_context(world.authority.identity()))
    client.write(b"x" * 100)
    record = bytearray(client.take())
    record[-1] ^= 1
    server.feed(bytes(record))
    with pytest.raises(TlsError):
        server.read()


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=400))
def test_any_bytes_raise_only_what_is_said(world: LinkWorld, data: bytes) -> None:
    server = Session(server_context(world.authority.identity()), server=True)
    server.feed(data)
    try:
        assert not server.handshake()
    except (TlsError, Refused):
        pass
