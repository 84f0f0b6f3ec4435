"""How much of what TShark recognises the network sensor recognises too, by message, on the public captures.

``python -m bench.protocol_recall`` prints one JSON object a line. TShark goes by ports and heuristics, the
sensor by the form of the bytes; a message counts as found up to the number TShark counts in that capture.
Captures above ``CAPTURE_BYTES_MAX`` are left out.
"""

import gzip
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from crypto.words import BadInput
from sensors.event import Observation
from sensors.network.capture_file import read_packets
from sensors.network.inspection import Inspection
from sensors.network.observation import Reporter
from sensors.network.settings import NetworkSettings

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "pcap"
CAPTURE_BYTES_MAX = 1_000_000
# What the sensor does not open or walk: other link layers and tunnels, broken packets.
NOT_OURS = (
    "nflog",
    "radiotap",
    "wlanmon",
    "ayiya",
    "gre-aruba",
    "gre-over-udp",
    "dns-invalid-names",
    "dns-edns-ecs-bad",
)


class Kind(NamedTuple):
    """One kind of message: TShark's filter, and what the sensor says of it."""

    name: str
    shown: str  # TShark's display filter; one message a line of ``field``
    field: str
    wanted: str  # the field's value that counts, '' for each packet
    marks: tuple[bytes, ...]  # a capture with none of these bytes is passed over
    ours: Callable[[Observation], bool]


def _hello(one: Observation) -> bool:
    is_hello = one.fields["event.dataset"] == "net.tls" and one.fields["event.action"] == "client-hello"
    return is_hello and not str(one.fields["tls.client.ja4"]).startswith("d")


KINDS = (
    Kind("ClientHello", "tls.handshake.type==1 && !dtls", "tls.handshake.type", "1", (b"\x16\x03",), _hello),
    Kind(
        "HTTP request",
        "http.request && tcp",
        "frame.number",
        "",
        (b" HTTP/1.",),
        lambda one: one.fields["event.dataset"] == "net.http" and one.fields["event.action"] == "request",
    ),
    Kind(
        "DNS message",
        "dns && udp && !icmp && !icmpv6 && !mdns && !llmnr && !nbns",
        "frame.number",
        "",
        (b"\x00\x35",),
        lambda one: one.fields["event.dataset"] == "net.dns" and one.fields["network.protocol"] == "dns",
    ),
    Kind(
        "SSH banner",
        "ssh.protocol",
        "frame.number",
        "",
        (b"SSH-",),
        lambda one: one.fields["event.dataset"] == "net.ssh" and "banner" in str(one.fields["event.action"]),
    ),
)


def captures() -> Iterator[tuple[Path, bytes]]:
    """The public captures and their bytes, unpacked."""
    for path in sorted(DATA.rglob("*.pcap*")):
        if any(word in path.name for word in NOT_OURS):
            continue
        if not path.is_file() or "golden" in str(path) or path.suffix == ".json":
            continue
        raw = path.read_bytes()
        raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
        if len(raw) <= CAPTURE_BYTES_MAX:
            yield path, raw


def seen(path: Path) -> list[Observation]:
    """A capture through the sensor."""
    inspection = Inspection(NetworkSettings(), Reporter("bench", path.name), live=False)
    opened = gzip.open if path.read_bytes()[:2] == b"\x1f\x8b" else Path.open
    with opened(path, "rb") as stream:
        try:
            for data, link_type, time in read_packets(cast("BinaryIO", stream), path):
                inspection.see(data, link_type, time)
        except BadInput:
            pass  # what came before counts
    inspection.finish()
    return inspection.take()


def counted(tshark: str, kind: Kind, path: Path) -> int:
    """How many TShark sees."""
    shown = f"{kind.shown} && !tcp.analysis.retransmission"
    command = [tshark, "-r", str(path), "-Y", shown, "-T", "fields", "-e", kind.field]
    lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    return sum(line.split(",").count(kind.wanted) if kind.wanted else bool(line) for line in lines)


def main() -> int:
    """Count and print."""
    tshark = shutil.which("tshark")
    if tshark is None or not DATA.is_dir():
        print("skipped: needs tshark and the public captures", file=sys.stderr)
        return 0
    theirs, ours = dict.fromkeys(KINDS, 0), dict.fromkeys(KINDS, 0)
    for path, raw in captures():
        kinds = [kind for kind in KINDS if any(mark in raw for mark in kind.marks)]
        told = seen(path) if kinds else []
        for kind in kinds:
            wanted = counted(tshark, kind, path)
            have = min(wanted, sum(kind.ours(one) for one in told))
            theirs[kind] += wanted
            ours[kind] += have
            if have < wanted:
                print(f"{kind.name}: {path.name} {have} of {wanted}", file=sys.stderr)
    for kind in KINDS:
        line = {"name": f"recall of {kind.name}", "value": ours[kind], "unit": "messages", "versus": "tshark"}
        line |= {"versus_value": theirs[kind], "ratio": round(ours[kind] / max(1, theirs[kind]), 4)}
        print(
            json.dumps(line | {"conditions": "zeek and ja4 captures up to 1 MB, NOT_OURS left out"}),
            flush=True,
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
