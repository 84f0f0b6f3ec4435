"""LDAP: binds of both kinds, searches with their filters and counts, changes, TLS, signed SASL buffers."""

import pytest
from converse import CLIENT, SERVER, actions, converse, talk

from sensors.network.ber import element
from sensors.network.ldap import STREAM, claims_ldap
from sensors.network.ldap_filter import filter_text


def tlv(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = bytes([len(body)]) if len(body) < 128 else b"\x82" + len(body).to_bytes(2, "big")
    return bytes([tag]) + size + body


def octets(text: str) -> bytes:
    return tlv(0x04, text.encode())


def message(identifier: int, operation: bytes) -> bytes:
    return tlv(0x30, tlv(0x02, bytes([identifier])), operation)


def result(tag: int, code: int, said: str = "") -> bytes:
    return tlv(tag, tlv(0x0A, bytes([code])), octets(""), octets(said))


BIND = message(1, tlv(0x60, tlv(0x02, b"\3"), octets("cn=admin,dc=x"), tlv(0x80, b"geheim")))
EQUAL = tlv(0xA3, octets("uid"), octets("a*b"))
SEARCH = message(
    2,
    tlv(
        0x63,
        octets("dc=x"),
        tlv(0x0A, b"\2"),
        tlv(0x0A, b"\0"),
        *(tlv(0x02, b"\0"),) * 2,
        tlv(0x01, b"\0"),
        tlv(0xA0, EQUAL, tlv(0x87, b"mail")),
        tlv(0x30, octets("cn"), octets("sn")),
    ),
)


def test_a_simple_bind_and_a_search() -> None:
    entry = message(2, tlv(0x64, octets("cn=a"), tlv(0x30)))
    told = converse(
        STREAM,
        [
            (CLIENT, BIND),
            (SERVER, message(1, result(0x61, 49, "no"))),
            (CLIENT, SEARCH),
            (SERVER, entry * 3 + message(2, result(0x65, 0))),
            (CLIENT, message(3, tlv(0x42))),
        ],
        389,
    )
    assert actions(told) == [
        "ldap-bind-simple", "ldap-bind-simple-result", "ldap-search", "ldap-search-result", "ldap-unbind",
    ]  # fmt: skip
    assert told[0].fields["user.name"] == "cn=admin,dc=x"
    assert told[0].fields["gov.credential.clear"] is True
    assert "geheim" not in repr(told)
    assert told[1].fields["gov.ldap.result"] == "invalid credentials"
    assert told[1].fields["event.outcome"] == "failure"
    assert told[2].native["scope"] == "tree"
    assert told[2].native["filter"] == "(&(uid=a\\2ab)(mail=*))"
    assert told[2].log == "ldap_search"
    assert told[3].native["result_count"] == 3


def test_changes() -> None:
    add = message(4, tlv(0x68, octets("cn=new,dc=x"), tlv(0x30)))
    delete = message(5, tlv(0x4A, b"cn=old,dc=x"))
    told = converse(STREAM, [(CLIENT, add + delete), (SERVER, message(5, result(0x6B, 50)))], 389)
    assert actions(told) == ["ldap-add", "ldap-delete", "ldap-delete-result"]
    assert told[2].native["object"] == "cn=old,dc=x"


@pytest.mark.parametrize(
    "token", [b"\x05\x04\x04\xff\0\x0c\0\x1c" + bytes(8) + bytes(12), b"\1\0\0\0" + bytes(12)]
)
def test_signed_buffers_are_opened(token: bytes) -> None:
    sasl = message(1, tlv(0x60, tlv(0x02, b"\3"), octets(""), tlv(0xA3, octets("GSS-SPNEGO"))))
    body = token + SEARCH + message(9, tlv(0x42))
    told = converse(STREAM, [(CLIENT, sasl), (CLIENT, len(body).to_bytes(4, "big") + body)], 389)
    assert actions(told) == ["ldap-bind-sasl", "ldap-search", "ldap-unbind"]
    sealed = b"\x05\x04\x06\xff" + bytes(40)
    assert actions(converse(STREAM, [(CLIENT, sasl), (CLIENT, b"\0\0\0\x2c" + sealed)], 389)) == [
        "ldap-bind-sasl"
    ]


def test_tls_ends_it() -> None:
    start = message(1, tlv(0x77, tlv(0x80, b"1.3.6.1.4.1.1466.20037")))
    told = converse(STREAM, [(CLIENT, start), (SERVER, message(1, result(0x78, 0))), (CLIENT, b"\x16")], 389)
    assert actions(told) == ["ldap-extended", "ldap-extended-result"]


def test_claims() -> None:
    assert claims_ldap(BIND, talk(CLIENT, 9_999)) is True
    assert claims_ldap(BIND[:3], talk(CLIENT, 389)) is None
    assert claims_ldap(b"0 hello, this is text", talk(CLIENT, 9_999)) is False
    assert claims_ldap(tlv(0x30, tlv(0x02, b"\1"), tlv(0x04, b"public")), talk(CLIENT, 161)) is False


def text_of(raw: bytes) -> str:
    one = element(raw, 0, len(raw))
    assert one is not None
    return filter_text(raw, one)


def test_filters() -> None:
    assert text_of(tlv(0xA2, EQUAL)) == "(!(uid=a\\2ab))"
    assert text_of(tlv(0xA5, octets("n"), octets("5"))) == "(n>=5)"
    pieces = tlv(0x30, tlv(0x80, b"a"), tlv(0x81, b"b"), tlv(0x82, b"c"))
    assert text_of(tlv(0xA4, octets("n"), pieces)) == "(n=a*b*c)"
    assert text_of(tlv(0xA4, octets("n"), tlv(0x30, tlv(0x81, b"b")))) == "(n=*b*)"
    assert text_of(tlv(0xA9, tlv(0x81, b"2.5.13.5"), tlv(0x82, b"cn"), tlv(0x83, b"x"))) == "(cn:2.5.13.5:=x)"


def test_deep_and_wide_filters_are_cut() -> None:
    deep = EQUAL
    for _ in range(40):
        deep = tlv(0xA2, deep)
    assert "(...)" in text_of(deep)
    assert len(text_of(tlv(0xA1, *[EQUAL] * 400))) <= 2_048
