"""Modbus: readings once, writes each time, exceptions, and a conversation that goes on after rubbish."""

from struct import pack

from converse import CLIENT, SERVER, actions, converse, talk

from sensors.network.modbus import STREAM, claims_modbus


def frame(body: bytes, number: int = 1, unit: int = 3) -> bytes:
    return pack("!HHHB", number, 0, len(body) + 1, unit) + body


READ = frame(pack("!BHH", 3, 100, 10))
WRITE = frame(pack("!BHH", 6, 7, 1_234))


def test_what_is_told() -> None:
    told = converse(
        STREAM,
        [
            (CLIENT, READ * 3 + WRITE * 2),
            (SERVER, frame(b"\x03\x02\0\0") * 2 + frame(b"\x86\x02")),
        ],
        502,
    )
    assert actions(told) == ["modbus-request"] * 3 + ["modbus-reply"] * 2
    assert [one.native["func"] for one in told[:3]] == [
        "READ_HOLDING_REGISTERS", "WRITE_SINGLE_REGISTER", "WRITE_SINGLE_REGISTER",
    ]  # fmt: skip
    assert told[0].fields["gov.modbus.quantity"] == 10
    assert (told[1].fields["gov.modbus.address"], told[1].fields["gov.modbus.value"]) == (7, 1_234)
    assert told[1].fields["gov.modbus.writes"] is True
    assert told[4].fields["gov.modbus.exception"] == "ILLEGAL_DATA_ADDRESS"
    assert told[4].reply


def test_it_goes_on_after_rubbish() -> None:
    told = converse(STREAM, [(CLIENT, WRITE), (CLIENT, b"rubbish, not Modbus"), (CLIENT, WRITE)], 502)
    assert len(told) == 2


def test_claims() -> None:
    assert claims_modbus(frame(b"\x7e\0"), talk(CLIENT, 502)) is True
    assert claims_modbus(READ, talk(CLIENT, 1_502)) is True
    assert claims_modbus(READ + b"x", talk(CLIENT, 1_502)) is False
    assert claims_modbus(READ[:7], talk(CLIENT, 502)) is None
    assert claims_modbus(b"GET / HTTP", talk(CLIENT, 502)) is False
