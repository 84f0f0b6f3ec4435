"""Listeners: what real senders send arrives once and in order; losses and refusals are told."""

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from crypto.words import BadInput
from sensors.device import receive
from sensors.device.receive import Peers, StreamSource, flow_datagrams, syslog_datagrams, zone_of
from sensors.device.settings import FLOW_SCHEMES, SYSLOG_SCHEMES, DeviceSettings, endpoint
from sensors.event import Observation
from sensors.source import Source

LOGGER = shutil.which("logger")
SAMPLES = Path(__file__).parent / "samples"
SECONDS_MAX = 30.0


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Running:
    """A source in its thread, and what it emitted."""

    def __init__(self, source: Source) -> None:
        self.seen: list[Observation] = []
        self.hold = threading.Event()
        self.hold.set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=source.run, args=(self._emit, self._stop))
        self._thread.start()

    def _emit(self, seen: Sequence[Observation]) -> None:
        self.hold.wait(SECONDS_MAX)
        self.seen.extend(seen)

    def until(self, condition: Callable[[list[Observation]], bool]) -> list[Observation]:
        deadline = time.monotonic() + SECONDS_MAX
        while not condition(self.seen):
            assert time.monotonic() < deadline, [one.fields for one in self.seen[-5:]]
            time.sleep(0.02)
        return self.seen

    def stop(self) -> list[Observation]:
        self._stop.set()
        self._thread.join(SECONDS_MAX)
        assert not self._thread.is_alive()
        return self.seen


@contextlib.contextmanager
def running(source: Source) -> Iterator[Running]:
    assert source.missing() is None
    run = Running(source)
    try:
        yield run
    finally:
        run.stop()


def connect(port: int) -> socket.socket:
    deadline = time.monotonic() + SECONDS_MAX
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=10)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def messages(seen: list[Observation]) -> list[object]:
    return [one.fields["message"] for one in seen if one.fields["event.dataset"] == "syslog"]


@pytest.mark.parametrize("form", ["--rfc3164", "--rfc5424"])
@pytest.mark.parametrize("scheme", ["udp", "tcp"])
def test_what_the_systems_own_logger_sends(scheme: str, form: str) -> None:
    if LOGGER is None:
        pytest.skip("logger (util-linux) is not installed")
    kind = socket.SOCK_DGRAM if scheme == "udp" else socket.SOCK_STREAM
    port = free_port(kind)
    where = endpoint(f"{scheme}://127.0.0.1:{port}", SYSLOG_SCHEMES)
    settings = DeviceSettings()
    source: Source = syslog_datagrams(where, settings) if scheme == "udp" else StreamSource(where, settings)
    command = [LOGGER, "-n", "127.0.0.1", "-P", str(port), "-t", "liuhe-test", "-p", "auth.warning", form]
    command += ["--udp"] if scheme == "udp" else ["--tcp", "--octet-count"]
    with running(source) as run:
        if scheme == "tcp":
            connect(port).close()  # it listens
        deadline = time.monotonic() + SECONDS_MAX
        while not messages(run.seen) and time.monotonic() < deadline:
            subprocess.run([*command, "中文 and words"], check=True, timeout=20)
            time.sleep(0.2)
        seen = run.until(lambda seen: bool(messages(seen)))[0]
    assert seen.fields["message"] == "中文 and words"
    assert (seen.fields["process.name"], seen.fields["observer.ip"]) == ("liuhe-test", "127.0.0.1")
    assert (seen.fields["log.syslog.facility.name"], seen.fields["log.syslog.severity.name"]) == (
        "auth",
        "warning",
    )
    assert abs(seen.time - datetime.now(UTC)) < timedelta(minutes=2)


def test_a_stream_waits_while_the_spool_is_full_and_loses_nothing() -> None:
    port = free_port(socket.SOCK_STREAM)
    source = StreamSource(endpoint(f"tcp://127.0.0.1:{port}", SYSLOG_SCHEMES), DeviceSettings())
    sent = [f"<13>Nov 22 09:08:07 h p: {number}" for number in range(5_000)]
    with running(source) as run:
        run.hold.clear()
        with connect(port) as client:
            writer = threading.Thread(target=client.sendall, args=("\n".join(sent).encode() + b"\nlast",))
            writer.start()
            time.sleep(0.3)
            assert not run.seen
            run.hold.set()
            writer.join(SECONDS_MAX)
        run.until(lambda seen: len(messages(seen)) == len(sent) + 1)
    assert messages(run.seen) == [*map(str, range(5_000)), "last"]


def certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "syslog")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("syslog")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    shown, secret = folder / "c.pem", folder / "k.pem"
    shown.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
    return shown, secret


@pytest.mark.parametrize("mutual", [False, True])
def test_tls_with_and_without_device_certificates(tmp_path: Path, mutual: bool) -> None:
    shown, secret = certificate(tmp_path)
    port = free_port(socket.SOCK_STREAM)
    settings = DeviceSettings(
        tls_certificate=str(shown), tls_key=str(secret), tls_authorities=str(shown) if mutual else ""
    )
    context = ssl.create_default_context(cafile=str(shown))
    with running(StreamSource(endpoint(f"tls://127.0.0.1:{port}", SYSLOG_SCHEMES), settings)) as run:
        if mutual:  # without a certificate nothing gets in
            with (
                contextlib.suppress(OSError),
                connect(port) as plain,
                context.wrap_socket(plain, server_hostname="syslog") as line,
            ):
                line.sendall(b"<13>Nov 22 09:08:07 h p: refused\n")
                line.recv(1)
            context.load_cert_chain(shown, secret)
        with connect(port) as plain, context.wrap_socket(plain, server_hostname="syslog") as line:
            line.sendall(b"34 <13>Nov 22 09:08:07 h p: counted!!<13>Nov 22 09:08:07 h p: ended\n")
        run.until(lambda seen: len(messages(seen)) == 2)
    assert messages(run.seen) == ["counted!!", "ended"]


def test_a_listener_without_its_certificate_says_what_is_missing() -> None:
    source = StreamSource(
        endpoint("tls://127.0.0.1:6514", SYSLOG_SCHEMES), DeviceSettings(tls_certificate="/no")
    )
    assert source.missing() is not None


def test_a_port_in_use_is_missing_not_an_exception() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        where = endpoint(f"udp://127.0.0.1:{taken.getsockname()[1]}", FLOW_SCHEMES)
        assert flow_datagrams(where, DeviceSettings()).missing() is not None


def test_flows_of_a_real_exporter_and_what_is_missing() -> None:
    port = free_port(socket.SOCK_DGRAM)
    raw = (SAMPLES / "netflow-9.bin").read_bytes()[4:]
    source = flow_datagrams(endpoint(f"udp://127.0.0.1:{port}", FLOW_SCHEMES), DeviceSettings())
    with running(source) as run, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        deadline = time.monotonic() + SECONDS_MAX
        while not run.seen and time.monotonic() < deadline:
            sender.sendto(raw, ("127.0.0.1", port))
            time.sleep(0.1)
        flows = run.until(lambda seen: len(seen) >= 10)[:10]
    assert {one.fields["event.dataset"] for one in flows} == {"net.flow"}
    last = run.stop()[-1]
    assert (last.fields["event.dataset"], last.fields["gov.capture.dropped"]) == ("net.capture", 0)


def test_senders_outside_the_peers_are_refused_and_counted() -> None:
    port = free_port(socket.SOCK_DGRAM)
    source = syslog_datagrams(
        endpoint(f"udp://127.0.0.1:{port}", SYSLOG_SCHEMES),
        DeviceSettings(peers=["10.0.0.0/8", "2001:db8::/32"]),
    )
    run = Running(source)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(20):
            sender.sendto(b"<13>forged", ("127.0.0.1", port))
            time.sleep(0.02)
    seen = run.stop()
    assert not messages(seen)
    assert sum(int(str(one.fields["gov.gap.count"])) for one in seen) > 0
    with pytest.raises(BadInput, match="nets"):
        Peers(["nets"])


def test_datagrams_the_kernel_dropped_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receive, "RECEIVE_BUFFER_BYTES", 32 * 1024)
    port = free_port(socket.SOCK_DGRAM)
    source = syslog_datagrams(endpoint(f"udp://127.0.0.1:{port}", SYSLOG_SCHEMES), DeviceSettings())
    run = Running(source)
    sent = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        while not messages(run.seen):  # it listens
            sent += bool(sender.sendto(b"<13>x", ("127.0.0.1", port)))
            time.sleep(0.02)
        run.hold.clear()  # the spool is full
        for _ in range(2_000):
            sent += bool(sender.sendto(b"<13>" + b"y" * 1_000, ("127.0.0.1", port)))
        run.hold.set()
        run.until(lambda seen: len(messages(seen)) > 10)
        sent += bool(sender.sendto(b"<13>last", ("127.0.0.1", port)))  # brings the kernel's newest count
        run.until(lambda seen: "last" in messages(seen))
    seen = run.stop()
    gaps = [one for one in seen if one.fields["event.dataset"] == "liuhe.gap"]
    lost = sum(int(str(one.fields["gov.gap.count"])) for one in gaps)
    assert lost > 0
    assert 0 <= sent - len(messages(seen)) - lost <= 5  # the first ones came before it listened


def test_the_zone_of_clocks() -> None:
    assert zone_of(DeviceSettings()) is None
    zone = zone_of(DeviceSettings(zone_hours=8))
    assert zone is not None
    assert zone.utcoffset(None) == timedelta(hours=8)
