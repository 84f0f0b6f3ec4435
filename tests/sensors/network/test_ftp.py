"""FTP: log-ins with both outcomes, transfers, data channels, TLS; recognised without its port."""

from converse import CLIENT, SERVER, actions, converse, lines, talk

from sensors.network.ftp import STREAM, claims_ftp

GREETING = (SERVER, lines("220 (vsFTPd 3.0.5)"))


def test_a_refused_and_an_accepted_login() -> None:
    told = converse(
        STREAM,
        [
            GREETING,
            (CLIENT, lines("USER admin")),
            (SERVER, lines("331 Please specify the password.")),
            (CLIENT, lines("PASS qwerty")),
            (SERVER, lines("530 Login incorrect.")),
            (CLIENT, lines("USER admin", "PASS s3cret")),
            (SERVER, lines("331 again", "230-Welcome", "230 Login successful.")),
        ],
        21,
    )
    assert actions(told) == ["login-attempt", "login-result"] * 2
    assert [one.fields.get("event.outcome") for one in told] == [None, "failure", None, "success"]
    assert told[1].native["reply_code"] == 530
    assert "qwerty" not in repr(told)
    assert "s3cret" not in repr(told)
    assert told[0].fields["gov.credential.mark"] != told[2].fields["gov.credential.mark"]
    assert told[3].reply


def test_pairs_follow_their_replies() -> None:
    told = converse(
        STREAM,
        [
            GREETING,
            (CLIENT, lines("RETR a")),
            (SERVER, lines("150 opening", "226 done")),
            (CLIENT, lines("STOR b")),
            (SERVER, lines("553 no")),
        ],
        21,
    )
    assert actions(told) == ["ftp-retr", "ftp-stor"]
    assert [one.fields["event.outcome"] for one in told] == ["success", "failure"]
    assert told[0].fields["file.path"] == "a"


def test_tls_ends_it() -> None:
    told = converse(
        STREAM,
        [GREETING, (CLIENT, lines("AUTH TLS")), (SERVER, lines("234 go")), (CLIENT, b"\x16\x03\x01")],
        21,
    )
    assert actions(told) == ["ftp-tls"]


def test_claims() -> None:
    assert claims_ftp(b"220 ProFTPD Server\r\n", talk(SERVER, 2_100)) is True
    assert claims_ftp(b"220 mail.example.com ESMTP\r\n", talk(SERVER, 25)) is False
    assert claims_ftp(b"220 hello", talk(SERVER, 9_999)) is None
    assert claims_ftp(b"USER bob\r\n", talk(CLIENT, 9_999)) is True
    assert claims_ftp(b"USER bob\r\n", talk(CLIENT, 110)) is False
    assert claims_ftp(b"AUTH user pw\r\n", talk(CLIENT, 6_379)) is False
