"""Agreement with Zeek's conn logs, and every public capture read; skips without the captures."""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import craft
import pytest

from crypto.words import BadInput
from sensors.event import Observation
from sensors.network.capture_file import read_packets
from sensors.network.inspection import Inspection
from sensors.network.observation import Reporter
from sensors.network.settings import NetworkSettings

ReadAll = Callable[[Path], list[Observation]]
# Not our view: tunnels are not opened, other link layers (FDDI, 802.11, PPP, tags of one vendor) not walked,
# checksums not verified; both ends of these DHCP exchanges use a port below 1024.
OTHER_VIEW = (
    "tunnel", "fabric", "erspan", "bad-chk", "llc.pcap", "radiotap", "wlanmon", "pbb", "ppp/", "vntag",
    "dhcp/dhcp.pcap", "ssh.client-side-half-duplex", "pppoe",
)  # fmt: skip
CONN_FIELDS = ("conn_state", "orig_pkts", "resp_pkts", "orig_bytes", "resp_bytes", "orig_ip_bytes")


def golden(folder: Path, kind: str) -> Iterator[tuple[Path, list[dict[str, str]]]]:
    for entry in json.loads((folder / "index.json").read_bytes()):
        if any(word in entry["capture"] for word in OTHER_VIEW):
            continue
        for log in entry["golden"]:
            if log["log"] == kind and not (log.get("own_script") or log.get("settings") or log.get("cut")):
                yield folder / entry["capture"], list(rows(folder / log["file"]))


def rows(file: Path) -> Iterator[dict[str, str]]:
    names: list[str] = []
    for line in file.read_text(errors="replace").splitlines():
        if line.startswith("#fields"):
            names = line.split("\t")[1:]
        elif line and not line.startswith("#"):
            yield dict(zip(names, line.split("\t"), strict=False))


def ends(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in ("proto", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p"))


@pytest.mark.slow
def test_flows_agree_with_zeek(shared_captures: Path, read_all: ReadAll) -> None:
    agreed: Counter[str] = Counter()
    compared: Counter[str] = Counter()
    traces = set()
    for capture, expected in golden(shared_captures / "zeek", "conn"):
        flows: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for one in craft.of("net.flow", read_all(capture)):
            if one.fields["event.action"] == "flow-end":
                flows.setdefault(ends(one.native), []).append(one.native)
        for row in expected:
            traces.add(capture)
            compared["flow"] += 1
            if not flows.get(ends(row)):
                continue
            agreed["flow"] += 1
            ours = flows[ends(row)].pop(0)
            for name in CONN_FIELDS:
                if row.get(name, "-") != "-":
                    compared[name] += 1
                    agreed[name] += str(ours[name]) == row[name]
    share = {name: agreed[name] / count for name, count in compared.items()}
    assert len(traces) >= 24
    assert {name: part for name, part in share.items() if part < 0.97} == {}


@pytest.mark.slow
def test_every_public_capture_is_read_without_harm(shared_captures: Path) -> None:
    packets = refused = 0
    for path in sorted((shared_captures / "zeek" / "captures").rglob("*.pcap*")):
        if path.is_dir() or "golden" in path.name:
            continue
        inspection = Inspection(NetworkSettings(), Reporter("s", path.name), live=False)
        opened = gzip.open if path.read_bytes()[:2] == b"\x1f\x8b" else Path.open
        with opened(path, "rb") as stream:
            try:
                for data, link_type, time in read_packets(stream, path):
                    inspection.see(data, link_type, time)
                    packets += 1
            except BadInput:
                refused += 1
        inspection.finish()
        inspection.take()
    assert packets > 100_000
    assert refused == 0
