"""MySQL: greeting, who logs in how, both outcomes, TLS, and a host that is not allowed."""

from struct import pack

from converse import CLIENT, SERVER, actions, converse, talk

from sensors.network.mysql import STREAM, claims_mysql


def packet(number: int, body: bytes) -> bytes:
    return len(body).to_bytes(3, "little") + bytes([number]) + body


GREETING = packet(0, b"\x0a8.4.2\0" + bytes(60))
OK = packet(2, bytes(7))
ERROR = packet(2, b"\xff\x15\x04#28000Access denied for user 'root'")


def response(user: bytes = b"root", database: bytes = b"", plugin: bytes = b"mysql_native_password") -> bytes:
    flags = 0x200 | 0x8000 | 1 << 19 | (0x8 if database else 0)
    body = pack("<IIB23x", flags, 1 << 24, 45) + user + b"\0" + b"\x14" + bytes(20)
    return packet(1, body + (database + b"\0" if database else b"") + plugin + b"\0")


def test_logins() -> None:
    told = converse(STREAM, [(SERVER, GREETING), (CLIENT, response(database=b"tax")), (SERVER, OK)], 3306)
    assert actions(told) == ["mysql-greeting", "login-attempt", "login-result"]
    assert told[0].fields["gov.mysql.version"] == "8.4.2"
    assert told[1].fields["user.name"] == "root"
    assert told[1].fields["gov.database.name"] == "tax"
    assert told[1].fields["gov.login.method"] == "mysql_native_password"
    assert told[2].fields["event.outcome"] == "success"
    told = converse(STREAM, [(SERVER, GREETING), (CLIENT, response()), (SERVER, ERROR)], 3306)
    assert told[2].fields["event.outcome"] == "failure"
    assert told[2].fields["gov.login.said"] == "Access denied for user 'root'"


def test_a_password_in_clear() -> None:
    switch = packet(2, b"\xfemysql_clear_password\0")
    told = converse(
        STREAM,
        [
            (SERVER, GREETING),
            (CLIENT, response()),
            (SERVER, switch),
            (CLIENT, packet(3, b"geheim\0")),
            (SERVER, OK),
        ],
        3306,
    )
    assert actions(told) == ["mysql-greeting", "login-attempt", "login-attempt", "login-result"]
    assert told[2].fields["gov.credential.clear"] is True
    assert "geheim" not in repr(told)


def test_tls_and_a_host_not_allowed() -> None:
    request = packet(1, pack("<IIB23x", 0x200 | 0x800, 1 << 24, 45))
    told = converse(STREAM, [(SERVER, GREETING), (CLIENT, request), (CLIENT, b"\x16\x03\x01")], 3306)
    assert actions(told) == ["mysql-greeting", "mysql-tls"]
    told = converse(STREAM, [(SERVER, packet(0, b"\xff\x6a\x04Host 'x' is not allowed"))], 3306)
    assert actions(told) == ["login-result"]
    assert told[0].reply


def test_claims() -> None:
    assert claims_mysql(GREETING, talk(SERVER, 9_999)) is True
    assert claims_mysql(GREETING[:5], talk(SERVER, 9_999)) is None
    assert claims_mysql(b"GET / HTTP/1.1\r\n", talk(CLIENT, 80)) is False
