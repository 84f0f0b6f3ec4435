"""What a packet sensor sees of our own link: RFC 8998 by its numbers, read by our own parser."""

import socket
import threading
from pathlib import Path

import pytest
from link_world import LOOPBACK, SECONDS, LinkWorld, dialled, served

from crypto.sm_stream import client_stream
from crypto.sm_tls import Session, client_context, server_context
from sensors.network.capture import may_capture
from sensors.network.inspection import Inspection
from sensors.network.observation import Reporter
from sensors.network.packet import walk
from sensors.network.settings import NetworkSettings
from sensors.network.tls import ClientHello, ServerHello, parse_message
from sensors.network.tls_records import Records

SUITE, GROUP, SIGNATURE, TLS13 = 0x00C6, 41, 0x0708, 0x0304
ETHERNET = 1


@pytest.fixture
def world(tmp_path: Path) -> LinkWorld:
    return LinkWorld(tmp_path)


def test_the_hellos_offer_and_choose_rfc_8998_alone(world: LinkWorld) -> None:
    client = Session(client_context(world.sensor()), server=False)
    server = Session(server_context(world.authority.identity()), server=True)
    client.handshake()
    first = client.take()
    offered = parse_message(Records().feed(first)[0].data)
    assert isinstance(offered, ClientHello)
    assert (offered.suites, offered.offered_version, offered.is_sm) == ([SUITE], TLS13, True)
    assert offered.ja3_text.split(",")[3] == str(GROUP), "no other group"
    assert SIGNATURE.to_bytes(2, "big") in first
    server.feed(first)
    server.handshake()
    chosen = parse_message(Records().feed(server.take())[0].data)
    assert isinstance(chosen, ServerHello)
    assert (chosen.version, chosen.suite, chosen.group, chosen.is_sm) == (TLS13, SUITE, GROUP, True)


def test_packets_of_a_live_connection(world: LinkWorld) -> None:
    """Captured from the loopback itself, as a sensor's capture gets them."""
    if not may_capture():
        pytest.skip("capturing needs CAP_NET_RAW")
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    wire.bind(("lo", 0))
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    wire.settimeout(0.05)
    packets: list[bytes] = []
    ended = threading.Event()

    def capture() -> None:
        while not ended.is_set():
            try:
                packets.append(wire.recv(1 << 16))
            except TimeoutError:
                continue

    thread = threading.Thread(target=capture)
    thread.start()
    with wire:
        with served(server_context(world.authority.identity())) as (port, _):
            judge = world.sensor_judge.center
            with client_stream(dialled(port), client_context(world.sensor()), judge, SECONDS) as stream:
                stream.settimeout(SECONDS)
                stream.sendall(b"an event that nobody else may read")
                assert stream.recv() == b"an event that nobody else may read"
        ended.set()
        thread.join(SECONDS)
    mine = [
        data
        for data in packets
        if (seen := walk(data, ETHERNET)) and port in (seen.source_port, seen.destination_port)
    ]
    assert mine
    assert not any(b"nobody else" in data for data in mine)
    inspection = Inspection(NetworkSettings(), Reporter("host", "lo"))
    for at, data in enumerate(mine):
        inspection.see(data, ETHERNET, 1_000.0 + at / 1_000)
    seen = [one.fields for one in inspection.take() if one.fields["event.dataset"] == "net.tls"]
    (hello, *_), (answer, *_) = (
        [one for one in seen if one["event.action"] == action] for action in ("client-hello", "server-hello")
    )
    assert hello["tls.client.supported_ciphers"] == ["TLS_SM4_GCM_SM3"]
    assert (answer["tls.cipher"], answer["tls.version"]) == ("TLS_SM4_GCM_SM3", "TLSv13")
    assert (hello["gov.tls.sm"], answer["gov.tls.sm"]) == (True, True)
    assert answer["destination.ip"] == LOOPBACK
