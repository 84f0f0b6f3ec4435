"""SMTP: envelopes, subjects, three kinds of log-in, TLS, and conversations of which one side is seen."""

from base64 import b64encode

import pytest
from converse import CLIENT, SERVER, actions, converse, lines, talk

from sensors.network.smtp import STREAM, claims_smtp

GREETING = (SERVER, lines("220 mx.example.com ESMTP"))
MAIL = lines("MAIL FROM:<a@example.com> SIZE=9", "RCPT TO:<b@example.com>", "RCPT TO:<c@example.com>", "DATA")
BODY = lines("From: a", "Subject: quarterly numbers", "", "secret body", ".")


def b64(raw: bytes) -> str:
    return b64encode(raw).decode()


def test_a_mail() -> None:
    told = converse(
        STREAM,
        [
            GREETING,
            (CLIENT, lines("EHLO desk.example.com")),
            (SERVER, lines("250-mx", "250 HELP")),
            (CLIENT, MAIL),
            (SERVER, lines("250 ok", "250 ok", "250 ok", "354 go")),
            (CLIENT, BODY),
            (SERVER, lines("250 queued as 1")),
        ],
        25,
    )
    assert actions(told) == ["smtp-mail"]
    mail = told[0]
    assert mail.fields["email.from.address"] == "a@example.com"
    assert mail.fields["email.to.address"] == ["b@example.com", "c@example.com"]
    assert mail.fields["email.subject"] == "quarterly numbers"
    assert mail.native["helo"] == "desk.example.com"
    assert mail.native["last_reply"] == "250 queued as 1"
    assert "secret body" not in repr(told)


def test_one_side_alone() -> None:
    told = converse(STREAM, [(CLIENT, lines("EHLO x") + MAIL + BODY + MAIL + BODY + lines("QUIT"))], 25)
    assert actions(told) == ["smtp-mail"] * 2
    assert told[0].fields["event.outcome"] == "unknown"


@pytest.mark.parametrize(
    ("steps", "clear"),
    [
        ([f"AUTH PLAIN {b64(b'0anna0geheim'.replace(b'0', bytes(1)))}"], True),
        (["AUTH PLAIN", b64(b"\0anna\0geheim")], True),
        (["AUTH LOGIN", b64(b"anna"), b64(b"geheim")], True),
        (["AUTH CRAM-MD5", b64(b"anna 0123456789abcdef")], False),
    ],
)
def test_logins(steps: list[str], clear: bool) -> None:
    said = [GREETING]
    for step in steps:
        said += [(CLIENT, lines(step)), (SERVER, lines("334 "))]
    said[-1] = (SERVER, lines("235 ok"))
    told = converse(STREAM, said, 587)
    assert actions(told) == ["login-attempt", "login-result"]
    assert told[0].fields["user.name"] == told[1].fields["user.name"] == "anna"
    assert told[0].fields["gov.credential.clear"] is clear
    assert told[1].fields["event.outcome"] == "success"
    assert "geheim" not in repr(told)


def test_tls_ends_it() -> None:
    told = converse(
        STREAM, [GREETING, (CLIENT, lines("STARTTLS")), (SERVER, lines("220 go")), (CLIENT, b"\x16")], 25
    )
    assert actions(told) == ["smtp-tls"]


def test_claims() -> None:
    assert claims_smtp(b"220 mx ESMTP Postfix\r\n", talk(SERVER, 2_526)) is True
    assert claims_smtp(b"220 FTP ready\r\n", talk(SERVER, 21)) is False
    assert claims_smtp(b"EHLO host\r\n", talk(CLIENT, 2_526)) is True
    assert claims_smtp(b"EHL", talk(CLIENT, 25)) is None
    assert claims_smtp(b"HELLO 3 AUTH", talk(CLIENT, 6_379)) is False
