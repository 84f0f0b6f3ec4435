"""The self-test: what scapy builds is understood, what is not is named, losses are said."""

import threading
from importlib.util import find_spec

import craft
import pytest

from sensors.event import Observation
from sensors.network.dissect import Answer, Worker, WorkerLost
from sensors.network.self_test import SelfTest, SelfTestSource, datasets_of, observed, self_test


class Scripted(Worker):
    """Answers once."""

    def __init__(self, answer: Answer | None) -> None:
        super().__init__()
        self.answer = answer

    def ask(self, link_type: int, data: bytes, *, with_fields: bool = False) -> Answer:
        if self.answer is None:
            raise WorkerLost("start")
        return self.answer


FRAMES = [("net.arp", craft.arp(1, craft.HERE, craft.THERE).hex()), ("net.dns", "00")]


def test_what_is_not_understood_is_named() -> None:
    found = self_test(Scripted(Answer(frames=FRAMES)))
    assert (found.passed, found.failed) == (["net.arp"], ["net.dns"])
    told = observed(found, "tap-1", 5.0)
    assert told.fields["event.outcome"] == "failure"
    assert told.fields["gov.selftest.failed"] == ["net.dns"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (None, "start"),
        (Answer(), "frames"),
        (Answer(error="X"), "X"),
        (Answer(frames=[("a", "zz")]), "frames"),
    ],
)
def test_why_there_was_nothing(answer: Answer | None, error: str) -> None:
    assert self_test(Scripted(answer)) == SelfTest(passed=[], failed=[], error=error)


def test_the_source_tells_it_once() -> None:
    seen: list[Observation] = []
    stop = threading.Event()
    source = SelfTestSource(worker=Scripted(Answer(frames=FRAMES[:1])))
    thread = threading.Thread(target=source.run, args=(lambda found: (seen.extend(found), stop.set()), stop))
    thread.start()
    thread.join(30)
    assert [one.fields["event.outcome"] for one in seen] == ["success"]


def test_a_frame_of_our_own() -> None:
    assert "net.dns" in datasets_of(craft.udp(craft.dns("a.example"), 40_000, 53))


@pytest.mark.slow
@pytest.mark.skipif(find_spec("scapy") is None, reason="scapy is not installed (extra dissect)")
def test_what_scapy_builds_is_understood() -> None:
    """The worker makes them in sensors.network.dissect_traffic."""
    worker = Worker()
    try:
        found = self_test(worker)
    finally:
        worker.stop()
    assert found.passed == ["net.arp", "net.dns", "net.tls", "net.icmp", "net.dhcp", "net.snmp"]
    assert found.failed == []
