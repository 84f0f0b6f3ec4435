"""TLCP as scapy's layer: a second opinion on the handshakes of a real TLCP stack; skips without scapy."""

from importlib.util import find_spec
from pathlib import Path
from struct import pack

import craft
import pytest

from sensors.network.capture_file import read_packets
from sensors.network.dissect import Answer, Worker

CAPTURE = Path(__file__).parent / "captures" / "tlcp.pcap"
RECORD = (b"\x14\x01\x01", b"\x15\x01\x01", b"\x16\x01\x01", b"\x17\x01\x01")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("scapy") is None, reason="scapy is not installed (extra dissect)"),
]


@pytest.fixture(scope="module")
def worker() -> Worker:
    return Worker(deadline_seconds=5.0)


def text_of(answer: Answer) -> str:
    return " ".join(value for layer in answer.fields for _, value in layer)


def test_every_record_of_a_real_stack_is_one(worker: Worker) -> None:
    hellos = certificates = 0
    try:
        with CAPTURE.open("rb") as stream:
            for data, link_type, _ in read_packets(stream, CAPTURE):
                answer = worker.ask(link_type, data, with_fields=True)
                payload = data[14 + 20 + (data[14 + 20 + 12] >> 4) * 4 :]
                assert ("Tlcp" in answer.layers) is payload.startswith(RECORD)
                hellos += "TlcpClientHello" in text_of(answer)
                certificates += text_of(answer).count("TlcpCertificateEntry")
    finally:
        worker.stop()
    assert hellos >= 3
    assert certificates >= 4


def test_lied_sizes_are_answered(worker: Worker) -> None:
    hello = craft.client_hello(version=0x0101, suites=(0xE013,), offered=(), record_version=0x0101)
    try:
        for at in range(5, len(hello)):
            raw = hello[:at] + pack("!H", 0xFFFF) + hello[at + 2 :]
            answer = worker.ask(1, craft.tcp(raw, 40_000, 443))
            assert answer.error or "Tlcp" in answer.layers
    finally:
        worker.stop()
