"""Records rules/samples/benign/network.ndjson: ordinary traffic on the loopback, seen by the live sensor.

Run from the project's root with CAP_NET_RAW: ``python tests/sensors/network/record_benign.py``. A web server,
a TLS server and a name server of its own are asked ordinary things; only their conversations are kept.
"""

import datetime
import http.client
import http.server
import socket
import ssl
import sys
import tempfile
import threading
import time
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

sys.path.insert(0, str(Path(__file__).parent))

import craft

from sensors.event import Observation, encode, stamp
from sensors.network.capture import CaptureSource
from sensors.network.settings import NetworkSettings

TARGET = Path("rules/samples/benign/network.ndjson")
AGENTS = (
    "curl/8.5.0",
    'pip/25.0 {"cpu":"x86_64","installer":{"name":"pip","version":"25.0"}}',
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36",
    "Debian APT-HTTP/1.3 (2.6.1)",
    "python-requests/2.32",
)
PAGES = (
    "/", "/index.html", "/favicon.ico", "/static/js/app.3f9c2d1b.js", "/static/css/main.css", "/robots.txt",
    "/simple/requests/", "/packages/py3/r/requests/requests-2.32.3-py3-none-any.whl", "/api/v1/health",
    "/search?q=trade+union+selection", "/search?q=%E4%BF%A1%E6%81%AF%E5%85%AC%E5%BC%80&page=2",
    "/news/2026/11/t20261120_381245.html", "/zwgk/zcwj/index.shtml?columnId=12", "/upload/2026/11/report.pdf",
    "/download?file=form-2026.docx", "/login?next=%2Fhome%2F", "/debian/dists/bookworm/InRelease",
    "/api/items?order=name&limit=50&cursor=eyJpZCI6NDJ9",
    "/oauth/authorize?response_type=code&client_id=portal",
    "/docs/git/config.html", "/select/department?from=list", "/images/..thumb/a.png",
)  # fmt: skip
NAMES = (
    ("www.gov.cn", 1), ("www.mofcom.gov.cn", 28), ("pypi.org", 1), ("files.pythonhosted.org", 28),
    ("deb.debian.org", 1), ("_http._tcp.deb.debian.org", 33), ("example.gov.cn", 16), ("example.gov.cn", 15),
    ("_dmarc.example.gov.cn", 16), ("selector1._domainkey.example.gov.cn", 16), ("time.windows.com", 1),
    ("1.0.0.127.in-addr.arpa", 12), ("d3ag4hukkh62yn.cloudfront.net", 1), ("ntp.ntsc.ac.cn", 1),
    ("a1-b2-web-prod-internal-lb-1234567890.cn-north-1.elb.amazonaws.com.cn", 1), ("oa.example.gov.cn", 65),
    ("e6858.dscx.akamaiedge.net", 1), ("mirrors.tuna.tsinghua.edu.cn", 28), ("example.gov.cn", 6),
    ("settings-win.data.microsoft.com", 1), ("ocsp.digicert.com", 1), ("no-such-host.example.gov.cn", 1),
)  # fmt: skip


class Page(http.server.BaseHTTPRequestHandler):
    """Answers everything with a small page."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b"<html><body>ok</body></html>"
        self.send_response(404 if "favicon" in self.path else 200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815  the server looks the method up by this name

    def log_message(self, *arguments: object) -> None:
        """Stay quiet."""


def resolver(server: socket.socket) -> None:
    while True:
        asked, address = server.recvfrom(2048)
        kind = int.from_bytes(asked[-4:-2], "big")
        missing = b"no-such-host" in asked
        data = {1: [b"\xc0\x00\x02\x10"], 28: [bytes(15) + b"\1"], 16: [b"\x0bv=spf1 -all"]}.get(kind, [])
        question = asked[12:]
        records = b"".join(
            b"\xc0\x0c" + question[-4:] + (60).to_bytes(4, "big") + len(one).to_bytes(2, "big") + one
            for one in ([] if missing else data)
        )
        flags = b"\x81\x83" if missing else b"\x81\x80"
        count = (0 if missing else len(data)).to_bytes(2, "big")
        server.sendto(asked[:2] + flags + b"\0\1" + count + bytes(4) + question + records, address)


def certificate(folder: str) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "portal.example.gov.cn")])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder().subject_name(named).issuer_name(named).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    path = Path(folder, "pair.pem")
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, form, plain)
        + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def serve(family: int, context: ssl.SSLContext | None = None) -> http.server.ThreadingHTTPServer:
    class Server(http.server.ThreadingHTTPServer):
        address_family = socket.AddressFamily(family)

    server = Server(("127.0.0.1" if family == socket.AF_INET else "::1", 0), Page)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def talk(
    web: list[http.server.ThreadingHTTPServer], secure: http.server.ThreadingHTTPServer, port: int
) -> None:
    for number, page in enumerate(PAGES):
        host, web_port = web[number % 2].server_address[:2]
        client = http.client.HTTPConnection(str(host), int(web_port))
        headers = {"User-Agent": AGENTS[number % len(AGENTS)], "Accept": "*/*"}
        client.request("POST" if number % 7 == 6 else "GET", page, headers=headers)
        client.getresponse().read()
        client.close()
    asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for number, (text, kind) in enumerate(NAMES):
        asking.sendto(craft.dns(text, kind, 0x100 + number), ("127.0.0.1", port))
        asking.recv(2048)
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    for number in range(12):
        trusting.maximum_version = ssl.TLSVersion.TLSv1_2 if number % 3 == 2 else ssl.TLSVersion.TLSv1_3
        with (
            socket.create_connection(secure.server_address[:2]) as plain,
            trusting.wrap_socket(plain, server_hostname="portal.example.gov.cn") as wrapped,
        ):
            wrapped.sendall(b"GET / HTTP/1.0\r\n\r\n")
            wrapped.recv(4096)


def main() -> None:
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    threading.Thread(target=resolver, args=(server,), daemon=True).start()
    web = [serve(socket.AF_INET), serve(socket.AF_INET6)]
    with tempfile.TemporaryDirectory() as folder:
        secure = serve(socket.AF_INET, certificate(folder))
        seen: list[Observation] = []
        stop = threading.Event()
        capture = CaptureSource(NetworkSettings(drop_report_seconds=1.0), "lo")
        thread = threading.Thread(target=capture.run, args=(seen.extend, stop))
        thread.start()
        time.sleep(0.5)
        for _ in range(2):
            talk(web, secure, server.getsockname()[1])
        time.sleep(1.5)
        stop.set()
        thread.join()
    ports = {web[0].server_port, web[1].server_port, secure.server_port, server.getsockname()[1]}
    kept = [one for one in seen if one.fields.get("destination.port", -1) in ports]
    kept += [one for one in seen if one.fields["event.dataset"] == "net.capture"][:2]
    for one in kept:
        one.fields["observer.name"] = "sensor-1"
    events = (
        stamp(one, unit="510100", sensor="sensor-1", epoch=1, sequence=n) for n, one in enumerate(kept, 1)
    )
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_bytes(b"".join(encode(event) + b"\n" for event in events))
    print(len(kept), "events")


if __name__ == "__main__":
    main()
