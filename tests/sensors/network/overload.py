"""Run inside a network namespace of its own: floods one end of a veth pair and captures the other.

Prints one JSON object: packets sent, and what the capture reported. ``overload.py send COUNT`` is the sender.
PYTHONPATH names the project and this folder.
"""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from struct import pack

import craft

from sensors.event import Observation
from sensors.network.capture import CaptureSource
from sensors.network.capture_ring import Ring
from sensors.network.settings import NetworkSettings

NEAR, FAR = "liuhe-a", "liuhe-b"


def send(count: int) -> None:
    """As fast as it goes: sessions, queries and requests from many addresses."""
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    wire.bind((NEAR, 0))
    packets = [
        packet
        for number in range(64)
        for packet in (
            craft.udp(craft.dns(f"n{number}.example.cn"), 2_000 + number, 53),
            *craft.connection(craft.http(f"/{number}"), 80, answer=b"x" * 900, source_port=3_000 + number),
        )
    ]
    sent = 0
    while sent < count:
        for packet in packets[: count - sent]:
            try:
                wire.send(packet)
            except OSError:  # the queue is full: not sent, not counted
                continue
            sent += 1
    print(sent)


def capture(count: int, *, own_ring: bool) -> dict[str, int]:
    """Flood a ring of the smallest size; the sums of the capture's own reports."""
    settings = NetworkSettings(ring_bytes=1 << 20, own_ring=own_ring)
    seen: list[Observation] = []
    stop = threading.Event()

    def emit(some: Sequence[Observation]) -> None:
        seen.extend(some)
        time.sleep(0.05)  # whoever takes the events is slow: the ring overflows

    thread = threading.Thread(target=CaptureSource(settings, FAR).run, args=(emit, stop))
    thread.start()
    time.sleep(0.5)
    done = subprocess.run(
        [sys.executable, __file__, "send", str(count)], capture_output=True, text=True, check=True, timeout=60
    )
    time.sleep(0.5)
    stop.set()
    thread.join(30.0)
    total = {"sent": int(done.stdout)}
    for one in craft.of("net.capture", seen):
        for name in ("received", "packets", "dropped", "interface_dropped", "malformed"):
            total[name] = total.get(name, 0) + int(str(one.fields[f"gov.capture.{name}"]))
        total["unread"] = int(str(one.fields["gov.capture.unread"]))
    total["flow_packets"] = sum(
        int(str(one.fields["network.packets"]))
        for one in craft.of("net.flow", seen)
        if one.fields["event.action"] == "flow-end"
    )
    return total


def tagged() -> list[str]:
    """Frames with VLAN tags, which the card takes off, through our own ring: as hexadecimal."""
    ring = Ring(FAR, snaplen_bytes=100, ring_bytes=1 << 21)
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    wire.bind((NEAR, 0))
    inner = craft.udp(b"tagged" * 40, 5_000, 5_001)
    wire.send(inner[:12] + pack("!HH", 0x8100, 0x2005) + inner[12:])
    wire.send(inner[:12] + pack("!HHHH", 0x88A8, 7, 0x8100, 9) + inner[12:])
    wire.send(inner)
    found: list[str] = []
    until = time.monotonic() + 20.0
    while len(found) < 3 and time.monotonic() < until:
        ring.wait(200)
        found += [data.hex() for data, _ in ring.batch()]
    ring.close()
    return found


if __name__ == "__main__":
    if sys.argv[1] == "tagged":
        print(json.dumps(tagged()))
    elif sys.argv[1] == "send":
        send(int(sys.argv[2]))
    else:
        print(json.dumps(capture(int(sys.argv[2]), own_ring=sys.argv[1] == "ring")))
