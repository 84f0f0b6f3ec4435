"""The leash of the scapy worker: deadline, respawn, shedding; with scapy where it is installed."""

import sys
import threading
import time
from importlib.util import find_spec
from struct import pack

import craft
import pytest

from sensors.event import Observation
from sensors.network.dissect import Answer, DissectSource, Worker, WorkerLost
from sensors.network.settings import NetworkSettings

ARP = craft.arp(1, craft.HERE, craft.THERE)
READY = (
    "import sys,time,struct;o=sys.stdout.buffer;o.write(struct.pack('!I',14)+b'{\"ready\":true}');o.flush();"
)
# 250 records whose names each walk 120 labels: the slowest packet found for scapy within 4 KiB, about 10 ms
DEEP = b"\x01a" * 120 + b"\0"
RECORDS = (b"\xc0\x0c" + pack("!HHIH", 2, 1, 1, 2) + b"\xc0\x0c") * 250
HOSTILE = craft.udp(pack("!6H", 1, 0x8180, 1, 250, 0, 0) + DEEP + pack("!HH", 2, 1) + RECORDS, 53, 4_000)

needs_scapy = pytest.mark.skipif(find_spec("scapy") is None, reason="scapy is not installed (extra dissect)")


def child(program: str, **more: float) -> Worker:
    return Worker([sys.executable, "-c", READY + program], **more)


@pytest.mark.slow
def test_a_worker_that_is_late_is_killed() -> None:
    worker = child("sys.stdin.buffer.read(4);time.sleep(60)", deadline_seconds=0.1)
    began = time.monotonic()
    with pytest.raises(WorkerLost, match="deadline"):
        worker.ask(1, ARP)
    assert time.monotonic() - began < 5.0
    assert worker._child is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("sys.exit(0)", "died"),
        ("sys.stdin.buffer.read(4);o.write(b'\\xff\\xff\\xff\\xff');o.flush();time.sleep(9)", "died"),
        ("sys.stdin.buffer.read(4);o.write(b'\\0\\0\\0\\2xx');o.flush();time.sleep(9)", "died"),
    ],
)
def test_a_worker_that_breaks_off_is_lost(program: str, reason: str) -> None:
    worker = child(program)
    with pytest.raises(WorkerLost, match=reason):
        worker.ask(1, ARP)
    worker.stop()


@pytest.mark.slow
def test_a_worker_that_cannot_start_is_said_to() -> None:
    with pytest.raises(WorkerLost, match="start"):
        Worker([sys.executable, "-c", "pass"]).ask(1, ARP)


@pytest.mark.slow
@needs_scapy
def test_scapy_reads_the_control_plane_and_survives_a_hostile_packet() -> None:
    worker = Worker(deadline_seconds=0.25)
    try:
        answer = worker.ask(1, ARP)
        assert answer.layers == ["Ether", "ARP"]
        assert craft.THERE in answer.summary
        worker._deadline_seconds = 0.001
        began = time.monotonic()
        with pytest.raises(WorkerLost, match="deadline"):
            worker.ask(1, HOSTILE)
        assert time.monotonic() - began < 2.0
        worker._deadline_seconds = 5.0
        assert worker.ask(1, ARP).layers == ["Ether", "ARP"]
    finally:
        worker.stop()


class Scripted(Worker):
    """Answers from a list; a string is the reason of a loss."""

    def __init__(self, answers: list[Answer | str]) -> None:
        super().__init__()
        self.answers = answers

    def ask(self, link_type: int, data: bytes) -> Answer:
        found = self.answers.pop(0)
        if isinstance(found, str):
            raise WorkerLost(found)
        return found


def run(source: DissectSource, packets: list[bytes]) -> list[Observation]:
    seen: list[Observation] = []
    stop = threading.Event()
    thread = threading.Thread(target=source.run, args=(seen.extend, stop))
    thread.start()
    time.sleep(0.05)
    for packet in packets:
        source.offer(packet, 1, 1.0)
    time.sleep(0.1)
    stop.set()
    thread.join(2.0)
    return seen


def test_answers_are_reported_and_losses_counted() -> None:
    good = Answer(summary="Ether / ARP", layers=["Ether", "ARP"])
    source = DissectSource(NetworkSettings(), worker=Scripted([good, "deadline", Answer(error="X"), good]))
    seen = run(source, [ARP, ARP, bytes(5_000), ARP, ARP])
    assert [one.fields.get("packet.summary") for one in craft.of("net.dissect", seen)] == ["Ether / ARP"] * 2
    (losses,) = craft.of("net.capture", seen)
    counted = {name: count for name, count in losses.fields.items() if "dissect" in name}
    assert counted == {
        "gov.capture.dissect_dropped_deadline": 1,
        "gov.capture.dissect_dropped_error": 1,
        "gov.capture.dissect_dropped_size": 1,
    }


def test_the_rate_is_bounded() -> None:
    good = Answer(summary="s", layers=[])
    source = DissectSource(NetworkSettings(dissect_per_second_max=2), worker=Scripted([good] * 50))
    seen = run(source, [ARP] * 20)
    assert 2 <= len(craft.of("net.dissect", seen)) <= 4
    assert craft.of("net.capture", seen)[0].fields["gov.capture.dissect_dropped_rate"] >= 16


def test_nothing_is_queued_before_it_runs() -> None:
    source = DissectSource(NetworkSettings(), worker=Scripted([]))
    source.offer(ARP, 1, 1.0)
    assert source._queue.empty()


def test_scapy_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensors.network.dissect.find_spec", lambda name: None)
    missing = DissectSource(NetworkSettings()).missing()
    assert missing is not None
    assert "scapy" in missing.en
