"""The network sensor beside other tools: packets a second, memory at 200,000 flows, longest packet, live.

``python -m bench.network_sensor [--live SECONDS] [--rate PACKETS]`` prints one JSON object a line. The mix is
every Ethernet capture of the shared data, joined and timed anew. Each tool runs in a process of its own, on
one core where ``taskset`` is there. Live needs root, ``ip`` and ``tcpreplay``: a veth pair in a network
namespace of its own.
"""

import argparse
import gzip
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from array import array
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from struct import Struct

from crypto.words import BadInput
from sensors.event import Observation, encode, stamp
from sensors.network.capture import CaptureSource
from sensors.network.capture_file import read_packets
from sensors.network.inspection import Inspection
from sensors.network.observation import Reporter
from sensors.network.settings import NetworkSettings
from sensors.read import read_file

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "pcap"
FLOWS = 200_000
FRAME_BYTES_MAX = 1_514
NAMESPACE, NEAR, FAR = "liuhe-bench", "liuhe-a", "liuhe-b"
TSHARK_FIELDS = ("frame.time_epoch", "ip.src", "ip.dst", "tcp.srcport", "tcp.dstport", "_ws.col.Protocol")
_head = Struct("<IHHiIII")
_record = Struct("<4I")
_address = Struct("!I")


def say(name: str, value: float, unit: str, conditions: str, versus: tuple[str, float] | None = None) -> None:
    """One line of the common form."""
    other, other_value = versus or (None, None)
    ratio = round(value / other_value, 3) if other_value else None
    line = {"name": name, "value": round(value, 3), "unit": unit, "versus": other}
    line |= {"versus_value": other_value, "ratio": ratio, "conditions": conditions}
    print(json.dumps(line), flush=True)


def write_mix(path: Path, *, every: int = 1, frame_bytes_max: int = 65_535) -> int:
    """The Ethernet packets of all captures, 50 us apart; of every ``every`` blocks of 500 the first."""
    kept = seen = 0
    with path.open("wb") as out:
        out.write(_head.pack(0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1))
        for file in sorted(DATA.rglob("*.pcap*")):
            for data in _frames(file, frame_bytes_max):
                seen += 1
                if seen // 500 % every:
                    continue
                micro = 1_700_000_000_000_000 + 50 * kept
                out.write(_record.pack(micro // 1_000_000, micro % 1_000_000, len(data), len(data)) + data)
                kept += 1
    return kept


def _frames(file: Path, size_max: int) -> Iterator[bytes]:
    if file.is_dir() or "golden" in file.name:
        return
    with file.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(file, "rb") if packed else file.open("rb") as stream:
            for data, link_type, _ in read_packets(stream, file):  # type: ignore[arg-type]
                if link_type == 1 and len(data) <= size_max:
                    yield data
    except (BadInput, OSError, EOFError):
        return


def ours(path: Path) -> int:
    """Packet to Observation, as ``liuhe sensor read`` goes."""
    return sum(1 for _ in read_file(path))


def ours_encoded(path: Path) -> int:
    """Packet to the Event's line of JSON."""
    size = 0
    for number, seen in enumerate(read_file(path)):
        size += len(encode(stamp(seen, unit="u", sensor="s", epoch=1, sequence=number)))
    return size


def scapy_dissects(path: Path) -> int:
    """scapy, every layer it knows."""
    from scapy.all import PcapReader

    with PcapReader(str(path)) as reader:
        return sum(1 for packet in reader if packet.haslayer("IP"))


def dpkt_dissects(path: Path) -> int:
    """dpkt's Ethernet, IP and transport; no flows, no protocols above."""
    dpkt = import_module("dpkt")
    count = 0
    with path.open("rb") as stream:
        for _, data in dpkt.pcap.Reader(stream):
            try:
                count += dpkt.ethernet.Ethernet(data).type > 0
            except dpkt.UnpackError:
                continue
    return count


def nfstream_flows(path: Path) -> int:
    """nfstream's flows with the names nDPI gives them, one meter."""
    streamer = import_module("nfstream").NFStreamer(source=str(path), n_meters=1, n_dissections=20)
    return sum(flow.bidirectional_packets for flow in streamer)


def tshark_fields(path: Path) -> int:
    """tshark's fields of every packet."""
    wanted = [part for name in TSHARK_FIELDS for part in ("-e", name)]
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", *wanted]
    done = subprocess.run(command, capture_output=True, check=True)
    return done.stdout.count(b"\n")


TOOLS: dict[str, tuple[Callable[[Path], int], int, Callable[[], bool]]] = {
    "liuhe": (ours, 1, lambda: True),
    "liuhe-json": (ours_encoded, 1, lambda: True),
    "scapy": (scapy_dissects, 20, lambda: find_spec("scapy") is not None),
    "dpkt": (dpkt_dissects, 1, lambda: find_spec("dpkt") is not None),
    "nfstream": (nfstream_flows, 1, lambda: find_spec("nfstream") is not None),
    "tshark": (tshark_fields, 4, lambda: shutil.which("tshark") is not None),
}


def offline(folder: Path) -> None:
    """Every tool over the mix, or its share of it."""
    rates: dict[str, float] = {}
    for name, (_, every, is_there) in TOOLS.items():
        if not is_there():
            print(f"{name}: not installed", file=sys.stderr)
            continue
        path = folder / f"mix-{every}.pcap"
        packets = write_mix(path, every=every)
        told = child("tool", name, str(path))
        rates[name] = packets / told["cpu"]
        versus = ("liuhe", rates["liuhe"]) if name != "liuhe" else None
        how = f"{packets} packets of the mix, one core, {told['rss']:.0f} MiB resident"
        say(f"offline {name}", rates[name], "packets/s", how, versus)


def child(*arguments: str) -> dict[str, float]:
    """This script in a process of its own, on the last core."""
    pin = ["taskset", "-c", str((os.cpu_count() or 1) - 1)] if shutil.which("taskset") else []
    command = [*pin, sys.executable, "-m", "bench.network_sensor", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


def used() -> float:
    """Processor seconds of this process and its children."""
    own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


def tool(name: str, path: Path) -> dict[str, float]:
    """Run one tool; its time without imports that came before."""
    before = used()
    TOOLS[name][0](path)
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {"cpu": used() - before, "rss": peak / 1024}


def resident() -> float:
    """MiB resident now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def flows() -> dict[str, float]:
    """200,000 conversations at a time, three packets each with a request, all still open."""
    inspection = Inspection(NetworkSettings(), Reporter("bench", "none"), live=False)
    before = resident()
    request = b"GET /index.html HTTP/1.1\r\nHost: portal.example.gov.cn\r\n\r\n"
    for number in range(FLOWS):
        here, there = b"\x0a" + _address.pack(number)[1:], b"\xc0\xa8\0\1"
        now = 1_000.0 + number * 1e-5
        inspection.see(_segment(here, there, 40_000, 80, 2, 0, b""), 1, now)
        inspection.see(_segment(there, here, 80, 40_000, 0x12, 0, b""), 1, now)
        inspection.see(_segment(here, there, 40_000, 80, 0x18, 1, request), 1, now)
        if number % 1_000 == 0:
            inspection.take()
    return {"flows": inspection.flow_entries, "before": before, "after": resident()}


def _segment(
    here: bytes, there: bytes, source: int, port: int, flags: int, sequence: int, payload: bytes
) -> bytes:
    size = 40 + len(payload)
    head = b"\x45\0" + size.to_bytes(2, "big") + b"\0\7\0\0\x40\6\0\0" + here + there
    ports = source.to_bytes(2, "big") + port.to_bytes(2, "big") + sequence.to_bytes(4, "big") + bytes(4)
    return bytes(12) + b"\x08\0" + head + ports + bytes((0x50, flags)) + b"\x20\0\0\0\0\0" + payload


def longest(path: Path) -> dict[str, float]:
    """How long a packet of the mix holds the sensor: least of three rounds, so that only its own cost counts.

    ``pause`` is the longest of any round, with whatever else the machine and the interpreter did.
    """
    rounds = []
    for _ in range(3):
        took = array("d")
        inspection = Inspection(NetworkSettings(), Reporter("bench", "none"), live=False)
        with path.open("rb") as stream:
            for number, (data, link_type, now) in enumerate(read_packets(stream, path)):
                began = time.perf_counter()
                inspection.see(data, link_type, now)
                took.append(time.perf_counter() - began)
                if number % 512 == 0:
                    inspection.advance(now)
                    inspection.take()
        rounds.append(took)
    least = [min(each) for each in zip(*rounds, strict=True)]
    over = sum(one > 0.005 for one in least)
    return {"worst": max(least) * 1e3, "over": over, "pause": max(map(max, rounds)) * 1e3}


def capture(way: str) -> dict[str, float]:
    """Inside the namespace: capture the far end until stdin ends; what the capture itself reports."""
    if way == "scapy":
        return _sniffed()
    seen: list[Observation] = []
    count = [0]

    def emit(some: list[Observation]) -> None:
        count[0] += len(some)
        seen.extend(one for one in some if one.fields["event.dataset"] == "net.capture")
        for number, one in enumerate(some):
            encode(stamp(one, unit="u", sensor="s", epoch=1, sequence=number))

    settings = NetworkSettings(own_ring=way == "own ring", dissect=False)
    stop = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        stop.set()

    threading.Thread(target=wait).start()
    CaptureSource(settings, FAR).run(emit, stop)  # type: ignore[arg-type]
    names = ("received", "packets", "dropped", "interface_dropped")
    told = {name: sum(float(str(one.fields[f"gov.capture.{name}"])) for one in seen) for name in names}
    return told | {"cpu": used(), "events": count[0]}


def _sniffed() -> dict[str, float]:
    from scapy.all import AsyncSniffer

    count = [0]

    def seen(_packet: object) -> None:
        count[0] += 1

    sniffer = AsyncSniffer(iface=FAR, store=False, prn=seen)
    sniffer.start()
    sys.stdin.read()
    sniffer.stop()
    return {"packets": float(count[0]), "cpu": used()}


def live(folder: Path, seconds: float, rate: int) -> None:
    """Replay the mix into one end of a veth pair, capture the other; sent against processed."""
    if os.geteuid() or not shutil.which("tcpreplay") or not shutil.which("ip"):
        print("live: needs root, ip and tcpreplay", file=sys.stderr)
        return
    path = folder / "live.pcap"
    write_mix(path, frame_bytes_max=FRAME_BYTES_MAX)
    inside = ["ip", "netns", "exec", NAMESPACE]
    subprocess.run(["ip", "netns", "add", NAMESPACE], check=True)
    try:
        pair = ["ip", "link", "add", NEAR, "type", "veth", "peer", "name", FAR]
        subprocess.run([*inside, *pair], check=True)
        for end in (NEAR, FAR):
            quiet = f"echo 1 > /proc/sys/net/ipv6/conf/{end}/disable_ipv6"
            subprocess.run([*inside, "sh", "-c", quiet], check=False)
            subprocess.run([*inside, "ip", "link", "set", end, "up", "arp", "off"], check=True)
        for way, packets in (("libpcap", rate), ("own ring", rate), ("scapy", max(rate // 50, 1))):
            sent, told = _replayed(inside, path, way, seconds, packets)
            lost = sent - told["packets"]
            how = f"{sent:.0f} sent at {packets}/s for {seconds:.0f} s, {told['cpu']:.1f} s of processor"
            how += "" if way == "scapy" else f", {told['dropped']:.0f} dropped by the kernel, all reported"
            say(f"live {way}: lost", lost, "packets", how)
    finally:
        subprocess.run(["ip", "netns", "del", NAMESPACE], check=False)


def _replayed(
    inside: list[str], path: Path, way: str, seconds: float, rate: int
) -> tuple[float, dict[str, float]]:
    two = (os.cpu_count() or 1) > 1 and shutil.which("taskset")
    near, far = (["taskset", "-c", "0"], ["taskset", "-c", "1"]) if two else ([], [])
    script = [sys.executable, "-m", "bench.network_sensor", "capture", way]
    first = ["nice", "-n", "-15"]  # others work on this machine too, and the sender never sleeps
    command = [*inside, *far, *first, *script]
    capturing = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    time.sleep(3)
    limit = ["--limit", str(int(rate * seconds)), "--loop", "1000", "--pps", str(rate)]
    replay = ["tcpreplay", "-q", "--preload-pcap", "-i", NEAR, *limit, str(path)]
    done = subprocess.run([*inside, *near, *replay], capture_output=True, text=True, check=True)
    time.sleep(2)
    out, _ = capturing.communicate(timeout=120)
    sent = next(line for line in done.stdout.splitlines() if "Successful packets" in line)
    return float(sent.split(":")[1]), json.loads(out.splitlines()[-1])


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="*")
    parser.add_argument("--live", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--rate", type=int, default=80_000)
    options = parser.parse_args()
    match options.part:
        case ["tool", name, path]:
            print(json.dumps(tool(name, Path(path))))
        case ["flows"]:
            print(json.dumps(flows()))
        case ["longest", path]:
            print(json.dumps(longest(Path(path))))
        case ["capture", way]:
            print(json.dumps(capture(way)))
        case _:
            whole(options.live, options.rate)
    return 0


def whole(live_seconds: float, rate: int) -> None:
    """All parts, one after the other."""
    if not DATA.is_dir():
        print("no shared captures beside the project", file=sys.stderr)
        return
    print(f"# {datetime.now(UTC):%Y-%m-%d %H:%M} UTC", file=sys.stderr)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        offline(folder)
        told = child("flows")
        say(
            "memory", told["after"], "MiB", f"{told['flows']:.0f} flows open, {told['before']:.0f} MiB before"
        )
        took = child("longest", str(folder / "mix-1.pcap"))
        how = f"{took['over']:.0f} of the mix over 5 ms; longest pause of any kind {took['pause']:.0f} ms"
        say("longest packet", took["worst"], "ms", how)
        if live_seconds:
            live(folder, live_seconds, rate)


if __name__ == "__main__":
    sys.exit(main())
