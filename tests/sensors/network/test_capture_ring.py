"""Our own ring and libpcap's on a veth pair in a namespace of its own: under overload no loss is untold."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sensors.network.capture import may_capture
from sensors.network.capture_pcap import is_there
from sensors.network.capture_ring import interface_type, link_type_of, missed_by
from sensors.network.packet import walk

OVERLOAD = Path(__file__).with_name("overload.py")
NAMESPACE = "liuhe-test-ring"
NEAR, FAR = "liuhe-a", "liuhe-b"


def test_interfaces_are_told_apart() -> None:
    assert link_type_of("lo") == 1
    assert interface_type("lo") == 772
    assert (interface_type("no-such-interface"), link_type_of("no-such-interface")) == (-1, -1)
    assert missed_by("no-such-interface") == 0


def inside(*command: str) -> str:
    paths = os.pathsep.join((str(OVERLOAD.parent), str(OVERLOAD.parents[3])))
    done = subprocess.run(
        ["ip", "netns", "exec", NAMESPACE, *command],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": paths},
    )
    return done.stdout


@pytest.fixture(scope="module")
def veth() -> Iterator[None]:
    """A namespace with a quiet veth pair."""
    if shutil.which("ip") is None or not may_capture():
        pytest.skip("needs the ip command and CAP_NET_RAW")
    subprocess.run(["ip", "netns", "del", NAMESPACE], capture_output=True, check=False)
    if subprocess.run(["ip", "netns", "add", NAMESPACE], capture_output=True, check=False).returncode:
        pytest.skip("network namespaces cannot be made here")
    try:
        inside("ip", "link", "add", NEAR, "type", "veth", "peer", "name", FAR)
        for name in (NEAR, FAR):
            inside("sh", "-c", f"echo 1 > /proc/sys/net/ipv6/conf/{name}/disable_ipv6 || true")
            inside("ip", "link", "set", name, "up", "arp", "off")
        yield
    finally:
        subprocess.run(["ip", "netns", "del", NAMESPACE], capture_output=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["ring", "pcap"])
def test_sent_is_processed_and_reported_drops(veth: None, way: str) -> None:
    if way == "pcap" and not is_there():
        pytest.skip("pcapy-ng is not installed")
    told = json.loads(inside(sys.executable, str(OVERLOAD), way, "120000"))
    assert told["sent"] == 120_000
    assert told["dropped"] > 0, "the ring of 1 MiB was to overflow"
    assert told["sent"] == told["packets"] + told["dropped"] + told["interface_dropped"]
    assert (told["unread"], told["malformed"]) == (0, 0)


@pytest.mark.slow
def test_tags_the_card_took_off_are_put_back_and_packets_are_cut(veth: None) -> None:
    frames = [bytes.fromhex(one) for one in json.loads(inside(sys.executable, str(OVERLOAD), "tagged"))]
    seen = [walk(frame, 1) for frame in frames]
    assert [(one.vlan, one.destination_port) for one in seen if one is not None] == [
        (5, 5_001),
        (7, 5_001),
        (-1, 5_001),
    ]
    assert all(96 <= len(frame) <= 104 for frame in frames)
    assert all(one is not None and one.payload_bytes == 240 for one in seen)
