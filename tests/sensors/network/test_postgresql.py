"""PostgreSQL: start-up, methods, a password in clear, both outcomes, TLS accepted and refused."""

from struct import pack

import pytest
from converse import CLIENT, SERVER, actions, converse, talk

from sensors.network.postgresql import STREAM, claims_postgresql

PARTS = b"user\0anna\0database\0tax\0application_name\0psql\0\0"
START = pack("!II", 8 + len(PARTS), 3 << 16) + PARTS
TLS = pack("!II", 8, 80_877_103)


def message(kind: bytes, body: bytes) -> bytes:
    return kind + pack("!I", 4 + len(body)) + body


def asks(number: int) -> bytes:
    return message(b"R", pack("!I", number))


ERROR = message(b"E", b"SFATAL\0C28P01\0Mpassword authentication failed\0\0")


@pytest.mark.parametrize(("last", "outcome"), [(asks(0), "success"), (ERROR, "failure")])
def test_a_password_in_clear(last: bytes, outcome: str) -> None:
    told = converse(
        STREAM,
        [(CLIENT, START), (SERVER, asks(3)), (CLIENT, message(b"p", b"geheim\0")), (SERVER, last)],
        5432,
    )
    assert actions(told) == ["login-start", "login-attempt", "login-result"]
    assert told[0].fields["gov.database.name"] == "tax"
    assert told[0].fields["gov.database.application"] == "psql"
    assert told[1].fields["gov.credential.clear"] is True
    assert told[2].fields["event.outcome"] == outcome
    assert "geheim" not in repr(told)


@pytest.mark.parametrize(("number", "method"), [(5, "md5"), (10, "sasl"), (13, "sm3")])
def test_methods_that_hide_it(number: int, method: str) -> None:
    told = converse(STREAM, [(CLIENT, START), (SERVER, asks(number)), (SERVER, asks(0))], 5432)
    assert told[1].fields["gov.login.method"] == method
    assert told[1].reply
    assert told[2].fields["event.outcome"] == "success"


def test_tls() -> None:
    assert converse(STREAM, [(CLIENT, TLS), (SERVER, b"S"), (CLIENT, b"\x16\x03")], 5432) == []
    told = converse(STREAM, [(CLIENT, TLS), (SERVER, b"N"), (CLIENT, START), (SERVER, asks(0))], 5432)
    assert actions(told) == ["login-start", "login-result"]


def test_claims() -> None:
    assert claims_postgresql(START, talk(CLIENT, 9_999)) is True
    assert claims_postgresql(TLS, talk(CLIENT, 9_999)) is True
    assert claims_postgresql(TLS[:6], talk(CLIENT, 9_999)) is None
    assert claims_postgresql(b"\0\0\0\x55\xffSMBr", talk(CLIENT, 445)) is False
