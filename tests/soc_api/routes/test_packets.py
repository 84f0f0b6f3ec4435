"""The packet routes: who may ask and look, that it is audited, and what a page shows."""

from struct import pack
from typing import Any

import pytest

from sensors.messages import PacketsFound
from sensors.network import decode
from soc_api.packet_desk import PacketCounter

FLOW = "1:LQU9qZlK+B5F3KDmev6m5PMibrg="
IP = pack("!BBHHHBBH4s4s", 0x45, 0, 28, 1, 0, 64, 17, 0, b"\x0a\0\0\1", b"\x0a\0\0\2")
PACKET = IP + pack("!HHHH", 40_000, 53, 8, 0)
HEAD = pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 101)


def pcap(count: int) -> bytes:
    return HEAD + b"".join(pack("<4I", 1_000 + n, 0, len(PACKET), len(PACKET)) + PACKET for n in range(count))


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "installed", lambda: False)


def arrived(world: Any, client: Any, body: bytes) -> str:
    group = world.raise_alert(network__community_id=FLOW).group
    (row,) = client("POST", f"/alerts/{group}/packets").json()["rows"]
    counter = PacketCounter(world.packets, world.packet_files, lambda: world.now)
    counter.take("host-1", PacketsFound(request=row["id"], part=0, more=False, body=body))
    (row,) = client("GET", f"/alerts/{group}/packets").json()["rows"]
    assert row["state"] == "arrived"
    return str(row["id"])


def test_packets_are_asked_for_shown_and_taken_away(world: Any) -> None:
    client = world.signed_in("analyst")
    request = arrived(world, client, pcap(7))
    page = client("GET", f"/packets/{request}?first=2&limit=3").json()
    assert (page["total"], page["first"], [row["number"] for row in page["rows"]]) == (7, 2, [3, 4, 5])
    assert page["rows"][0]["summary"] == "UDP 10.0.0.1:40000 > 10.0.0.2:53 0"
    assert page["rows"][0]["time"] == "1970-01-01T00:16:42Z"
    assert (page["veiled"], page["rows"][0]["hex"]) == (True, "")  # what people sent may name them
    refused = client("GET", f"/packets/{request}/pcap")
    assert (refused.status_code, refused.json()["code"]) == (409, "names-hidden")
    client("POST", "/names", json={"reason": "核实报文内容", "minutes": 10})
    page = client("GET", f"/packets/{request}?first=2&limit=3").json()
    assert not page["veiled"]
    assert bytes.fromhex(page["rows"][0]["hex"]) == PACKET
    assert page["rows"][0]["layers"][1]["fields"][1] == {"name": "dport", "value": "53"}
    taken = client("GET", f"/packets/{request}/pcap")
    assert (taken.content, taken.headers["content-type"]) == (pcap(7), "application/vnd.tcpdump.pcap")
    said = [line[1:] for line in world.audited() if line[1].startswith("packets.")]
    assert [line[0] for line in said] == ["packets.ask", "packets.read", "packets.read", "packets.download"]
    assert all(line[2] == "accepted" for line in said)


def test_a_broken_file_shows_what_it_can(world: Any) -> None:
    client = world.signed_in("shift_lead")
    request = arrived(world, client, pcap(2) + pack("<4I", 0, 0, 1 << 30, 1 << 30) + b"x")
    page = client("GET", f"/packets/{request}").json()
    assert page["note"]


def test_what_did_not_come_or_never_was(world: Any) -> None:
    client = world.signed_in("analyst")
    group = world.raise_alert(network__community_id=FLOW).group
    (row,) = client("POST", f"/alerts/{group}/packets").json()["rows"]
    assert client("GET", f"/packets/{row['id']}").json()["code"] == "packets-absent"
    assert client("GET", f"/packets/{'f' * 32}").status_code == 404
    assert client("GET", "/packets/..%2f..").status_code in (404, 422)
    plain = world.raise_alert(rule="r2", sequence=2).group
    answer = client("POST", f"/alerts/{plain}/packets")
    assert (answer.status_code, answer.json()["code"]) == (409, "packets-no-flow")


@pytest.mark.parametrize("role", ["system_admin", "security_admin", "audit_admin", "compliance_officer"])
def test_others_see_no_packets(world: Any, role: str) -> None:
    group = world.raise_alert(network__community_id=FLOW).group
    client = world.signed_in(role)
    assert client("POST", f"/alerts/{group}/packets").status_code == 403
    assert client("GET", f"/packets/{'f' * 32}/pcap").status_code == 403
