"""POP3 and IMAP: every way to log in, both outcomes, TLS."""

from base64 import b64encode

import pytest
from converse import CLIENT, SERVER, actions, converse, lines, talk

from sensors.network.mailbox import IMAP, POP3, claims_imap, claims_pop3

POP3_GREETING = (SERVER, lines("+OK ready <1.2@x>"))
IMAP_GREETING = (SERVER, lines("* OK ready"))
PLAIN = b64encode(b"\0anna\0geheim").decode()


def test_pop3_user_and_password() -> None:
    told = converse(
        POP3,
        [
            POP3_GREETING,
            (CLIENT, lines("USER anna")),
            (SERVER, lines("+OK")),
            (CLIENT, lines("PASS geheim")),
            (SERVER, lines("-ERR no")),
            (CLIENT, lines("PASS geheim 2")),
            (SERVER, lines("+OK 3 messages")),
            (SERVER, lines("+OK more")),
        ],
        110,
    )
    assert actions(told) == ["login-attempt", "login-result"] * 2
    assert [told[at].fields["event.outcome"] for at in (1, 3)] == ["failure", "success"]
    assert "geheim" not in repr(told)


def test_pop3_digest_and_sasl() -> None:
    told = converse(POP3, [POP3_GREETING, (CLIENT, lines("APOP anna c4c9")), (SERVER, lines("+OK"))], 110)
    assert told[0].fields["gov.login.method"] == "APOP"
    assert told[0].fields["gov.credential.clear"] is False
    told = converse(
        POP3,
        [
            POP3_GREETING,
            (CLIENT, lines("AUTH PLAIN")),
            (SERVER, lines("+ ")),
            (CLIENT, lines(PLAIN)),
            (SERVER, lines("+OK")),
        ],
        110,
    )
    assert actions(told) == ["login-attempt", "login-result"]


def test_pop3_tls_ends_it() -> None:
    said = [
        POP3_GREETING,
        (CLIENT, lines("STLS")),
        (SERVER, lines("+OK")),
        (CLIENT, lines("USER x", "PASS y")),
    ]
    assert converse(POP3, said, 110) == []


@pytest.mark.parametrize(
    "steps",
    [
        ["a1 LOGIN anna geheim"],
        ['a1 login "anna" "geheim"'],
        ["a1 LOGIN {4}", "anna {6}", "geheim"],
        [f"a1 AUTHENTICATE PLAIN {PLAIN}"],
        ["a1 AUTHENTICATE PLAIN", PLAIN],
    ],
)
def test_imap_logins(steps: list[str]) -> None:
    said = [IMAP_GREETING, *((CLIENT, lines(step)) for step in steps), (SERVER, lines("a1 OK done"))]
    told = converse(IMAP, said, 143)
    assert actions(told) == ["login-attempt", "login-result"]
    assert told[0].fields["user.name"] == "anna"
    assert told[0].fields["gov.credential.clear"] is True
    assert told[1].fields["event.outcome"] == "success"
    assert "geheim" not in repr(told)


def test_imap_refusal_and_tls() -> None:
    told = converse(IMAP, [IMAP_GREETING, (CLIENT, lines("a LOGIN x y")), (SERVER, lines("a NO bad"))], 143)
    assert told[1].fields["event.outcome"] == "failure"
    said = [
        IMAP_GREETING,
        (CLIENT, lines("a STARTTLS")),
        (SERVER, lines("a OK")),
        (CLIENT, lines("b LOGIN x y")),
    ]
    assert converse(IMAP, said, 143) == []


def test_claims() -> None:
    assert claims_pop3(b"+OK hi\r\n", talk(SERVER, 9_999)) is True
    assert claims_pop3(b"+PONG\r\n", talk(SERVER, 6_379)) is False
    assert claims_pop3(b"USER anna\r\n", talk(CLIENT, 110)) is True
    assert claims_imap(b"* OK hi\r\n", talk(SERVER, 9_999)) is True
    assert claims_imap(b"*2\r\n$4\r\n", talk(CLIENT, 6_379)) is False
