"""Kerberos: requests, tickets and errors over both transports; an error takes its names from its request."""

from converse import CLIENT, SERVER, actions, converse, read, talk

from sensors.network.kerberos import DATAGRAM, STREAM, ap_request, claims_kerberos, parse_kerberos
from sensors.network.kerberos_names import cipher_name, error_name


def tlv(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = bytes([len(body)]) if len(body) < 128 else b"\x82" + len(body).to_bytes(2, "big")
    return bytes([tag]) + size + body


def number(value: int) -> bytes:
    return tlv(0x02, bytes([value]))


def name(*words: str) -> bytes:
    return tlv(0x30, tlv(0xA0, number(1)), tlv(0xA1, tlv(0x30, *(tlv(0x1B, one.encode()) for one in words))))


REALM = tlv(0x1B, b"TAX.EXAMPLE")


def request(kind: int = 10) -> bytes:
    body = tlv(
        0x30,
        tlv(0xA0, tlv(0x03, b"\0\x40\x80\0\0")),
        tlv(0xA1, name("anna")),
        tlv(0xA2, REALM),
        tlv(0xA3, name("krbtgt", "TAX.EXAMPLE")),
        tlv(0xA5, tlv(0x18, b"20370913024805Z")),
        tlv(0xA8, tlv(0x30, number(18), number(23))),
    )
    preauth = tlv(0xA3, tlv(0x30, tlv(0x30, tlv(0xA1, number(2)), tlv(0xA2, tlv(0x04, b"x")))))
    parts = tlv(0x30, tlv(0xA1, number(5)), tlv(0xA2, number(kind)), preauth, tlv(0xA4, body))
    return tlv(0x60 | kind, parts)


def ticket(cipher: int) -> bytes:
    sealed = tlv(0x30, tlv(0xA0, number(cipher)), tlv(0xA2, tlv(0x04, b"sealed" * 20)))
    return tlv(
        0x61,
        tlv(
            0x30, tlv(0xA0, number(5)), tlv(0xA1, REALM), tlv(0xA2, name("cifs", "files")), tlv(0xA3, sealed)
        ),
    )


def answer(kind: int = 13, cipher: int = 23) -> bytes:
    parts = [tlv(0xA0, number(5)), tlv(0xA1, number(kind)), tlv(0xA3, REALM), tlv(0xA4, name("anna"))]
    return tlv(0x60 | kind, tlv(0x30, *parts, tlv(0xA5, ticket(cipher))))


def refusal(code: int = 24) -> bytes:
    return tlv(
        0x7E,
        tlv(0x30, tlv(0xA0, number(5)), tlv(0xA1, number(30)), tlv(0xA6, number(code)), tlv(0xA9, REALM)),
    )


def test_a_request() -> None:
    (told,) = read(DATAGRAM, request(), talk(CLIENT, 88))
    assert told.native["client"] == "anna/TAX.EXAMPLE"
    assert told.native["service"] == "krbtgt/TAX.EXAMPLE"
    assert told.native["request_type"] == "AS"
    assert told.native["forwardable"] is True
    assert told.native["renewable"] is True
    assert told.native["till"] == 2_136_422_885.0
    assert told.fields["gov.kerberos.preauthenticated"] is True
    assert told.fields["gov.kerberos.offered_ciphers"] == ["aes256-cts-hmac-sha1-96", "rc4-hmac"]


def test_an_error_is_of_its_request() -> None:
    where = talk(CLIENT, 88)
    read(DATAGRAM, request(), where)
    (told,) = read(DATAGRAM, refusal(), where)
    assert told.reply
    assert told.native["request_type"] == "AS"
    assert told.native["client"] == "anna/TAX.EXAMPLE"
    assert told.native["error_msg"] == "KDC_ERR_PREAUTH_FAILED"
    assert told.fields["event.outcome"] == "failure"
    (step,) = read(DATAGRAM, refusal(25), where)
    assert step.fields["event.outcome"] == "unknown", "every log-in is first told to prove itself"


def test_a_ticket_over_tcp() -> None:
    def framed(raw: bytes) -> bytes:
        return len(raw).to_bytes(4, "big") + raw

    told = converse(STREAM, [(CLIENT, framed(request(12))), (SERVER, framed(answer()))], 88)
    assert actions(told) == ["kerberos-tgs-request", "kerberos-tgs-reply"]
    assert told[1].native["cipher"] == "rc4-hmac"
    assert told[1].fields["gov.kerberos.weak_cipher"] is True
    assert claims_kerberos(framed(request()), talk(CLIENT, 9_999)) is True
    assert claims_kerberos(framed(request())[:6], talk(CLIENT, 88)) is None
    assert claims_kerberos(framed(b"\x6a" + bytes(20)), talk(CLIENT, 88)) is False


def test_inside_gss_api() -> None:
    inner = tlv(0x6E, tlv(0x30, tlv(0xA0, number(5)), tlv(0xA1, number(14)), tlv(0xA3, ticket(18))))
    token = b"\x60\x10" + bytes.fromhex("06092a864886f712010202") + b"\x01\0" + inner
    told = ap_request(b"carrier" + token, "smb")
    assert told is not None
    assert told.native["service"] == "cifs/files"
    assert told.native["client"] == "/TAX.EXAMPLE"
    assert ap_request(b"nothing", "smb") is None


def test_names_of_numbers() -> None:
    assert error_name(6) == "KDC_ERR_C_PRINCIPAL_UNKNOWN"
    assert error_name(999) == "999"
    assert cipher_name(-133) == "-133"


def test_cut_and_lied() -> None:
    for raw in (request(), answer(), refusal()):
        for cut in range(len(raw)):
            parse_kerberos(raw[:cut])
        for at in range(len(raw)):
            parse_kerberos(raw[:at] + b"\xff" + raw[at + 1 :])
    assert parse_kerberos(b"\x30\x03\x02\x01\x05") is None
