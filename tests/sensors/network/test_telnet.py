"""Telnet: what was typed at which prompt, echo, corrections, options, and whether it let the user in."""

from converse import CLIENT, SERVER, actions, converse, talk

from sensors.network.telnet import STREAM, claims_telnet

OPTIONS = b"\xff\xfd\x18\xff\xfd\x20\xff\xfa\x18\x00xterm\xff\xf0"


def typed(line: bytes, *, echo: bool) -> list[tuple[int, bytes]]:
    said: list[tuple[int, bytes]] = []
    for byte in line + b"\r":
        said.append((CLIENT, bytes([byte])))
        if echo:
            said.append((SERVER, bytes([byte])))
    return said


def test_a_login_key_by_key() -> None:
    told = converse(
        STREAM,
        [
            (SERVER, OPTIONS + b"Ubuntu\r\nhost login: "),
            *typed(b"rooz\x7ft", echo=True),
            (SERVER, b"\r\nPassword: "),
            *typed(b"geheim", echo=False),
            (SERVER, b"\r\n\r\nLogin incorrect\r\nhost login: "),
            *typed(b"root", echo=True),
            (SERVER, b"\r\nPassword: "),
            *typed(b"richtig", echo=False),
            (SERVER, b"\r\nLast login: Mon\r\nroot@host:~# "),
            *typed(b"cat /etc/shadow", echo=True),
        ],
        23,
    )
    assert actions(told) == ["login-attempt", "login-result"] * 2
    assert {one.fields["user.name"] for one in told} == {"root"}
    assert [told[at].fields["event.outcome"] for at in (1, 3)] == ["failure", "success"]
    assert "geheim" not in repr(told)
    assert "shadow" not in repr(told)


def test_a_whole_line_at_once_and_chinese_prompts() -> None:
    told = converse(
        STREAM,
        [
            (SERVER, OPTIONS + "\r\n用户名:".encode()),
            (CLIENT, b"admin\r\n"),
            (SERVER, "\r\n密码:".encode()),
            (CLIENT, b"pw\r\n"),
            (SERVER, b"\r\n<Switch>"),
        ],
        23,
    )
    assert actions(told) == ["login-attempt", "login-result"]
    assert told[0].fields["user.name"] == "admin"
    assert told[1].fields["event.outcome"] == "success"


def test_carriage_return_with_zero_or_line_feed() -> None:
    for ending in (b"\r\0", b"\r\n", b"\r", b"\n"):
        told = converse(
            STREAM,
            [
                (SERVER, OPTIONS + b"login: "),
                (CLIENT, b"anna" + ending),
                (SERVER, b"\r\nPassword: "),
                (CLIENT, b"pw" + ending),
                (SERVER, b"\r\nLogin incorrect\r\nlogin: "),
                (CLIENT, b"bert" + ending),
                (SERVER, b"\r\nPassword: "),
                (CLIENT, b"pw" + ending),
                (SERVER, b"\r\n$ "),
            ],
            23,
        )
        assert [one.fields["user.name"] for one in told] == ["anna", "anna", "bert", "bert"]


def test_options_cut_anywhere_are_taken_out() -> None:
    stream = OPTIONS + b"login: "
    for cut in range(3, len(stream)):
        dialect = STREAM.make(talk(SERVER, 23))
        said = [(SERVER, stream[:cut]), (SERVER, stream[cut:]), (CLIENT, b"a\r"), (SERVER, b"Password: ")]
        for side, data in [*said, (CLIENT, b"b\r"), (SERVER, b"$ ")]:
            told = dialect.feed(side, data)
        assert told[0].fields["user.name"] == "a"


def test_claims() -> None:
    assert claims_telnet(b"\xff\xfb\x01", talk(SERVER, 23)) is True
    assert claims_telnet(b"\xff\xfb", talk(SERVER, 23)) is None
    assert claims_telnet(b"\xffSMB", talk(SERVER, 445)) is False
