"""Tests of soc_api.outbound: the center goes where it may, to the address it judged, and follows nothing."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest

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
    inner = networks("127.0.0.0/8")
    target = target_of(f"http://name.example:{port}/in", inner, lambda host, at: ["127.0.0.1"])
    assert post(target, b"{}", {"Content-Type": "application/json"}) == 302
    assert Receiver.got == [("/in", b"{}", f"name.example:{port}")]
