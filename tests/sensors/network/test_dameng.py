"""Dameng: start-up and log-in as its drivers send them, sealed and in clear, and the server's answers."""

from functools import reduce
from operator import xor
from struct import pack

from converse import CLIENT, SERVER, actions, converse, talk

from sensors.network.dameng import STREAM, claims_dameng


def message(command: int, body: bytes, code: int = 0) -> bytes:
    head = bytearray(pack("<IHIi", 0, command, len(body), code) + bytes(50))
    head[19] = reduce(xor, head[:19])
    return bytes(head) + body


def string(raw: bytes) -> bytes:
    return pack("<I", len(raw)) + raw


START = message(200, string(b"8.1.3.62") + b"\0" + string(bytes(range(64))))
STARTED = message(228, bytes(40))
SEALED = message(1, string(b"\x9f\x01\xfe\x80\x11\x93") + string(bytes(8)) + string(b"") + string(b"linux"))
CLEAR = message(1, string(b"SYSDBA") + string(b"geheim") + string(b"") + string(b"linux") + string(b"desk-7"))
WELCOME = message(163, string(b"DMSERVER") + string(b"SYSDBA") + string(b"::ffff:10.0.0.9") + string(b"2026"))
REFUSED = message(163, string("用户名或密码错误".encode("gb18030")), code=-2501)


def test_a_sealed_login_is_named_by_the_server() -> None:
    told = converse(STREAM, [(CLIENT, START), (SERVER, STARTED), (CLIENT, SEALED), (SERVER, WELCOME)], 5236)
    assert actions(told) == ["login-attempt", "login-result"]
    assert told[0].fields["gov.login.method"] == "sealed"
    assert told[0].fields["gov.credential.clear"] is False
    assert told[0].fields["gov.dameng.client"] == "8.1.3.62 linux"
    assert told[1].fields["user.name"] == "SYSDBA"
    assert told[1].fields["event.outcome"] == "success"


def test_a_login_in_clear_and_refused() -> None:
    told = converse(STREAM, [(CLIENT, START), (CLIENT, CLEAR), (SERVER, REFUSED)], 5236)
    assert told[0].fields["user.name"] == "SYSDBA"
    assert told[0].fields["gov.credential.clear"] is True
    assert "geheim" not in repr(told)
    assert told[1].fields["event.outcome"] == "failure"
    assert told[1].fields["gov.dameng.code"] == -2501
    assert told[1].fields["gov.login.said"] == "用户名或密码错误"


def test_claims() -> None:
    assert claims_dameng(START, talk(CLIENT, 9_999)) is True
    assert claims_dameng(START[:12], talk(CLIENT, 9_999)) is None
    assert claims_dameng(START[:19] + bytes([START[19] ^ 1]) + START[20:], talk(CLIENT, 5236)) is False
    assert claims_dameng(b"\0\0\0\x55\xffSMBr" + bytes(20), talk(CLIENT, 445)) is False
