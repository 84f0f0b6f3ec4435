"""Tests of soc_api.outbound: the center goes where it may, to the address it judged, and follows nothing."""

import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from crypto.words import BadInput
from soc_api.outbound import allowed, networks, post, target_of

PUBLIC = "93.184.216.34"


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1"),
        *("::1", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "224.0.0.1", "ff02::1", "x"),
    ],
)
def test_inner_addresses_are_refused(address: str) -> None:
    assert not allowed(address, ())


def test_public_ones_and_named_networks_are_not() -> None:
    assert allowed(PUBLIC, ())
    assert allowed("2400:3200::1", ())
    inner = networks("10.1.0.0/16, fd00::/8")
    assert allowed("10.1.2.3", inner)
    assert allowed("::ffff:10.1.2.3", inner)
    assert allowed("fd00::5", inner)
    assert not allowed("10.2.0.1", inner)
    with pytest.raises(BadInput, match="outbound-networks"):
        networks("10.0.0.0/33")


@pytest.mark.parametrize(
    "url",
    [
        *(
            "ftp://a/",
            "file:///etc/passwd",
            "http://",
            "http://user@a/",
            "http://a/#x",
            "//a",
            "http://a:99999/",
        ),
        *("http://a/\r\nX: y", "http://a b/", "http://a/" + "x" * 600),
    ],
)
def test_odd_urls_are_refused(url: str) -> None:
    with pytest.raises(BadInput, match="outbound-address"):
        target_of(url, (), lambda host, port: [PUBLIC])


def test_every_address_of_a_name_is_judged() -> None:
    target = target_of("https://a.example:8443/x?y=1", (), lambda host, port: [PUBLIC])
    assert (target.address, target.host, target.port, target.path) == (PUBLIC, "a.example", 8443, "/x?y=1")
    with pytest.raises(BadInput, match="outbound-address"):
        target_of("http://a.example/", (), lambda host, port: [PUBLIC, "127.0.0.1"])
    with pytest.raises(BadInput, match="outbound-address"):
        target_of("http://[::1]/", (), lambda host, port: [host])


class Receiver(BaseHTTPRequestHandler):
    """Answers with a redirect and keeps what it got."""

    got: ClassVar[list[tuple[str, bytes, str]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((self.path, body, self.headers["Host"]))
        self.send_response(302)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


def certified(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begun = datetime.now(UTC) - timedelta(hours=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begun)
        .not_valid_after(begun + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(secret)
    return folder / "cert.pem", folder / "key.pem"


def test_https_wants_the_name_and_the_authority_that_were_given(tmp_path: Path) -> None:
    Receiver.got.clear()
    certificate, key = certified(tmp_path, "siem.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    # The handshake is the worker's: a client that refuses the certificate does not stop the server.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    worker = threading.Thread(target=server.serve_forever, daemon=True)
    worker.start()
    try:
        inner, port = networks("127.0.0.0/8"), server.server_port

        def sent(name: str, authority: Path | None) -> int:
            target = target_of(f"https://{name}:{port}/in", inner, lambda host, at: ["127.0.0.1"])
            return post(target, b"{}", {}, authority)

        assert sent("siem.example", certificate) == 302
        assert Receiver.got == [("/in", b"{}", f"siem.example:{port}")]
        with pytest.raises(ssl.SSLCertVerificationError):
            sent("other.example", certificate)
        with pytest.raises(ssl.SSLCertVerificationError):
            sent("siem.example", None)
        assert len(Receiver.got) == 1
    finally:
        server.shutdown()
        server.server_close()
        worker.join()


@pytest.fixture(name="port")
def _port() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    worker = threading.Thread(target=server.serve_forever, daemon=True)
    worker.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    worker.join()


def test_one_post_to_the_judged_address_and_no_redirect(port: int) -> None:
    Receiver.got.clear()
    inner = networks("127.0.0.0/8")
    target = target_of(f"http://name.example:{port}/in", inner, lambda host, at: ["127.0.0.1"])
    assert post(target, b"{}", {"Content-Type": "application/json"}) == 302
    assert Receiver.got == [("/in", b"{}", f"name.example:{port}")]
