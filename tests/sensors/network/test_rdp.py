"""RDP: cookie, what is asked, what is chosen or refused, the client's name; TPKT's frames."""

from struct import pack

from converse import CLIENT, SERVER, actions, converse, talk

from sensors.network.rdp import STREAM, claims_rdp
from sensors.network.tpkt import measure_tpkt, x224_kind, x224_payload


def tpkt(x224: bytes) -> bytes:
    return pack("!BBH", 3, 0, 4 + len(x224)) + x224


def request(cookie: bytes = b"anna", protocols: int | None = 3) -> bytes:
    body = b"\xe0" + bytes(5) + (b"Cookie: mstshash=" + cookie + b"\r\n" if cookie else b"")
    body += pack("<BBHI", 1, 0, 8, protocols) if protocols is not None else b""
    return tpkt(bytes([len(body)]) + body)


def confirm(kind: int, number: int) -> bytes:
    return tpkt(b"\x0e\xd0" + bytes(5) + pack("<BBHI", kind, 0, 8, number))


def test_the_secure_way() -> None:
    told = converse(STREAM, [(CLIENT, request()), (SERVER, confirm(2, 2)), (CLIENT, b"\x16\x03\x01")], 3389)
    assert actions(told) == ["rdp-connect", "rdp-confirm"]
    assert told[0].fields["user.name"] == told[1].fields["user.name"] == "anna"
    assert told[0].fields["gov.rdp.offered"] == ["SSL", "HYBRID"]
    assert told[1].native["security_protocol"] == "HYBRID"


def test_a_refusal() -> None:
    told = converse(STREAM, [(CLIENT, request()), (SERVER, confirm(3, 5))], 3389)
    assert told[1].fields["event.outcome"] == "failure"
    assert told[1].fields["gov.rdp.failure"] == "HYBRID_REQUIRED_BY_SERVER"


def test_plain_rdp_names_the_client() -> None:
    core = b"\x01\xc0" + pack("<HIHHHHII", 216, 0x80004, 1152, 864, 0xCA03, 43_523, 2_052, 2_600)
    core += "DESK-7".encode("utf-16-le").ljust(32, b"\0")
    connect = tpkt(b"\x02\xf0\x80" + bytes(30) + b"Duca" + b"\x81\x00" + core + bytes(160))
    told = converse(
        STREAM,
        [(CLIENT, request(protocols=None)), (SERVER, tpkt(b"\x06\xd0" + bytes(5))), (CLIENT, connect)],
        3389,
    )
    assert actions(told) == ["rdp-connect", "rdp-confirm", "rdp-settings"]
    assert told[2].fields["gov.rdp.client_name"] == "DESK-7"
    assert told[2].native["desktop_width"] == 1152
    assert told[2].fields["gov.rdp.keyboard_layout"] == 2_052


def test_claims_and_frames() -> None:
    assert claims_rdp(request(), talk(CLIENT, 3390)) is True
    assert claims_rdp(request(b""), talk(CLIENT, 3390)) is True
    assert claims_rdp(request()[:10], talk(CLIENT, 3390)) is None
    s7 = tpkt(b"\x11\xe0" + bytes(5) + bytes.fromhex("c1020100c2020102c0010a"))
    assert claims_rdp(s7, talk(CLIENT, 102)) is False
    assert measure_tpkt(b"\x03") == measure_tpkt(b"\x03\0\0") == 0
    assert measure_tpkt(b"\x04\0\0\x20") == measure_tpkt(b"\x03\0\0\x01") == -1
    assert x224_kind(request()) == 0xE0
    assert x224_kind(b"\x03\0\0") == -1
    assert x224_payload(tpkt(b"\x02\xf0\x80abc")) == b"abc"
