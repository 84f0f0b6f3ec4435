"""Live capture: what is missing is said, and over the loopback a query, a request and a hello are seen."""

import gc
import http.client
import http.server
import socket
import ssl
import threading
import time
from collections.abc import Iterator

import craft
import pytest

from sensors.event import Observation
from sensors.network.capture import COLLECT_THRESHOLDS, CaptureSource, interfaces_of, is_up, may_capture
from sensors.network.capture_pcap import is_there
from sensors.network.settings import NetworkSettings


def test_interfaces() -> None:
    assert "lo" in interfaces_of(NetworkSettings())
    assert interfaces_of(NetworkSettings(interfaces=["b", "a", "b"])) == ["b", "a"]
    assert not is_up("no-such-interface")
    assert not is_up("../../etc")


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def words(interface: str) -> str:
        missing = CaptureSource(NetworkSettings(), interface).missing()
        assert missing is not None
        assert missing.zh
        return missing.en

    monkeypatch.setattr("sensors.network.capture.may_capture", lambda: True)
    assert "no-such-interface" in words("no-such-interface")
    monkeypatch.setattr("sensors.network.capture.may_capture", lambda: False)
    assert "CAP_NET_RAW" in words("lo")


class Replay:
    """A reader that has packets, drops some of them, and counts in 32 bits."""

    link_type = 1

    def __init__(self, packets: list[bytes], dropped: int, stop: threading.Event) -> None:
        self._packets = packets
        self._counts = (len(packets) + dropped, dropped, 0)
        self._stop = stop
        self._left = 3
        self.calls: list[str] = []

    def wait(self, milliseconds: int) -> None:
        time.sleep(0.001)

    def batch(self) -> list[tuple[bytes, float]]:
        if self._left and not self._stop.is_set():
            self._left -= 1
            self._stop.set() if not self._left else None
            return []
        part, self._packets = self._packets[:7], self._packets[7:]
        return [(data, 1_000.0) for data in part]

    def refuse(self) -> None:
        self.calls.append("refuse")

    def stats(self) -> tuple[int, int, int]:
        received, dropped, other = self._counts
        return (received + (1 << 32) - 5) & 0xFFFF_FFFF if self.calls else (1 << 32) - 5, dropped, other

    def close(self) -> None:
        self.calls.append("close")


def test_what_waits_in_the_ring_is_read_on_stop_and_all_is_accounted(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()
    reader = Replay([craft.udp(b"x", 1_000 + n, 2_000) for n in range(30)], 12, stop)
    source = CaptureSource(NetworkSettings(), "test")
    monkeypatch.setattr(source, "_open", lambda: reader)
    seen: list[Observation] = []
    thresholds = gc.get_threshold()
    try:
        source.run(seen.extend, stop)
        assert gc.get_threshold() == COLLECT_THRESHOLDS
    finally:
        gc.set_threshold(*thresholds)
    assert reader.calls == ["refuse", "close"]
    reports = craft.of("net.capture", seen)
    assert reports[0].fields["gov.capture.dropped"] == 12, "losses are told at once"
    total = {
        name: sum(int(str(one.fields[f"gov.capture.{name}"])) for one in reports)
        for name in ("packets", "dropped")
    }
    assert total == {"packets": 30, "dropped": 12}
    assert reports[-1].fields["gov.capture.unread"] == 0


@pytest.mark.parametrize(
    ("installed", "own_ring", "expected"), [(True, False, "pcap"), (False, False, "ring")]
)
def test_our_own_ring_stands_in_for_libpcap(
    monkeypatch: pytest.MonkeyPatch, installed: bool, own_ring: bool, expected: str
) -> None:
    made: list[str] = []
    monkeypatch.setattr("sensors.network.capture.is_there", lambda: installed)
    monkeypatch.setattr("sensors.network.capture.Pcap", lambda *_, **__: made.append("pcap"))
    monkeypatch.setattr("sensors.network.capture.Ring", lambda *_, **__: made.append("ring"))
    CaptureSource(NetworkSettings(own_ring=own_ring), "lo")._open()
    assert made == [expected]


@pytest.fixture(params=["libpcap", "own ring"])
def loopback(request: pytest.FixtureRequest) -> Iterator[list[Observation]]:
    """What the sensor sees on the loopback while the test runs."""
    if not may_capture() or not is_up("lo"):
        pytest.skip("live capture needs CAP_NET_RAW and the loopback up")
    own_ring = request.param == "own ring"
    if not own_ring and not is_there():
        pytest.skip("pcapy-ng is not installed")
    seen: list[Observation] = []
    stop = threading.Event()
    settings = NetworkSettings(drop_report_seconds=0.5, own_ring=own_ring)
    source = CaptureSource(settings, "lo")
    thread = threading.Thread(target=source.run, args=(seen.extend, stop))
    thread.start()
    time.sleep(0.3)
    yield seen
    stop.set()
    thread.join(5.0)
    assert not thread.is_alive()
    assert seen[-1].fields["event.dataset"] == "net.capture"
    reports = craft.of("net.capture", seen)
    received, packets, dropped = (
        sum(int(str(one.fields[f"gov.capture.{name}"])) for one in reports)
        for name in ("received", "packets", "dropped")
    )
    assert received == packets + dropped > 0


class Quiet(http.server.BaseHTTPRequestHandler):
    """Answers 204 and logs nothing."""

    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Stay quiet."""


def wait_for(seen: list[Observation], dataset: str, port: int, seconds: float = 5.0) -> list[Observation]:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = [one for one in craft.of(dataset, list(seen)) if one.fields.get("destination.port") == port]
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{dataset} to port {port} not seen within {seconds} s")


@pytest.mark.slow
def test_the_loopback_is_seen(loopback: list[Observation]) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as resolver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        resolver.bind(("127.0.0.1", 0))
        client.sendto(craft.dns("tunnel.t.drill.invalid", 16), resolver.getsockname())
        query = wait_for(loopback, "net.dns", resolver.getsockname()[1])
    assert len(query) == 1  # the loopback hands a packet over once
    assert query[0].native["query"] == "tunnel.t.drill.invalid"

    server = http.server.HTTPServer(("127.0.0.1", 0), Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        asking = http.client.HTTPConnection("127.0.0.1", server.server_port)
        asking.request("GET", "/live?x=1", headers={"User-Agent": "probe/1"})
        asking.getresponse().read()
        asking.close()
        head = wait_for(loopback, "net.http", server.server_port)[0]
        assert (head.native["uri"], head.native["user_agent"]) == ("/live?x=1", "probe/1")
        ended = wait_for(loopback, "net.flow", server.server_port)[0]
        assert (ended.native["conn_state"], ended.native["service"]) == ("SF", "http")
        assert time.time() - ended.time.timestamp() < 3.0

        plain = socket.create_connection(("127.0.0.1", server.server_port), 2.0)
        context = ssl.create_default_context()
        with plain, pytest.raises(ssl.SSLError):
            context.wrap_socket(plain, server_hostname="live.example.invalid")
        hello = wait_for(loopback, "net.tls", server.server_port)[0]
        assert hello.fields["tls.client.server_name"] == "live.example.invalid"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
