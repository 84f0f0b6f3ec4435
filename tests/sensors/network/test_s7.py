"""S7: connection, readings once, writes and stops each time; refused jobs; S7comm-plus recognised."""

from struct import pack

from converse import CLIENT, SERVER, actions, converse, talk

from sensors.network.s7 import STREAM, claims_s7


def tpkt(x224: bytes) -> bytes:
    return pack("!BBH", 3, 0, 4 + len(x224)) + x224


def job(parameters: bytes, kind: int = 1, error: bytes = b"") -> bytes:
    return tpkt(b"\x02\xf0\x80" + pack("!BBHHHH", 0x32, kind, 0, 7, len(parameters), 0) + error + parameters)


CONNECT = tpkt(b"\x11\xe0" + bytes(5) + bytes.fromhex("c1020100c2020102c0010a"))
STOP = job(b"\x29" + bytes(5) + b"\x09P_PROGRAM")


def test_what_is_told() -> None:
    read, write = job(b"\x04\x01" + bytes(12)), job(b"\x05\x01" + bytes(12))
    told = converse(
        STREAM,
        [
            (CLIENT, CONNECT),
            (CLIENT, read * 3 + write * 2 + STOP),
            (SERVER, job(b"\x29", 3, b"\x85\x04")),
        ],
        102,
    )
    assert actions(told) == ["s7-connect", "s7-read", "s7-write", "s7-write", "s7-plc-stop", "s7-plc-stop"]
    assert (told[0].fields["gov.s7.rack"], told[0].fields["gov.s7.slot"]) == (0, 2)
    assert [one.fields.get("gov.s7.changes") for one in told] == [None, False, True, True, True, False]
    assert told[4].fields["gov.s7.service"] == "P_PROGRAM"
    assert told[5].fields["event.outcome"] == "failure"
    assert told[5].reply


def test_it_goes_on_after_rubbish() -> None:
    told = converse(STREAM, [(CLIENT, STOP), (CLIENT, b"rubbish"), (CLIENT, STOP)], 102)
    assert actions(told) == ["s7-plc-stop"] * 2


def test_s7_plus_and_userdata() -> None:
    told = converse(STREAM, [(CLIENT, tpkt(b"\x02\xf0\x80\x72\x01\0\0"))], 102)
    assert told[0].fields["gov.s7.function"] == "s7-plus"
    told = converse(STREAM, [(CLIENT, job(b"\0\x01\x12\x04\x11\x44\x01\0", 7))], 102)
    assert told[0].fields["gov.s7.function"] == "userdata-cpu"


def test_claims() -> None:
    assert claims_s7(CONNECT, talk(CLIENT, 9_999)) is True
    assert claims_s7(STOP, talk(CLIENT, 9_999)) is True
    assert claims_s7(CONNECT[:9], talk(CLIENT, 102)) is None
    rdp = tpkt(b"\x0e\xe0" + bytes(5) + pack("<BBHI", 1, 0, 8, 3))
    assert claims_s7(rdp, talk(CLIENT, 3389)) is False
