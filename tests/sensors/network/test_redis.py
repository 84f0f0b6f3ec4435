"""Redis: both forms of AUTH, HELLO, risky commands each time, others once, replies counted off."""

from converse import CLIENT, SERVER, actions, converse, talk

from sensors.network.redis import STREAM, claims_redis


def command(*words: str) -> bytes:
    return f"*{len(words)}\r\n".encode() + b"".join(
        f"${len(word.encode())}\r\n{word}\r\n".encode() for word in words
    )


def test_logins() -> None:
    told = converse(
        STREAM,
        [
            (CLIENT, command("AUTH", "geheim")),
            (SERVER, b"-WRONGPASS invalid\r\n"),
            (CLIENT, command("AUTH", "anna", "geheim") + command("PING")),
            (SERVER, b"+OK\r\n+PONG\r\n"),
        ],
        6379,
    )
    assert actions(told) == [
        "login-attempt",
        "login-result",
        "login-attempt",
        "redis-command",
        "login-result",
    ]
    assert [told[at].fields["user.name"] for at in (0, 2)] == ["default", "anna"]
    assert [told[at].fields["event.outcome"] for at in (1, 4)] == ["failure", "success"]
    assert told[0].fields["gov.credential.mark"] == told[2].fields["gov.credential.mark"]
    assert "geheim" not in repr(told)
    hello = converse(STREAM, [(CLIENT, command("HELLO", "3", "AUTH", "bert", "geheim"))], 6379)
    assert hello[0].fields["user.name"] == "bert"


def test_what_is_told_of_commands() -> None:
    many = command("GET", "a") * 5 + command("CONFIG", "SET", "dir", "/var/spool/cron") * 2
    told = converse(STREAM, [(CLIENT, many)], 6379)
    assert [one.native["cmd.name"] for one in told] == ["GET", "CONFIG", "CONFIG"]
    assert told[1].fields["gov.redis.risky"] is True
    assert told[1].fields["gov.redis.arguments"] == "SET dir /var/spool/cron"
    stored = converse(STREAM, [(CLIENT, command("SET", "user:7", "Anna Muster"))], 6379)
    assert stored[0].fields["gov.redis.arguments"] == "user:7"
    master = converse(STREAM, [(CLIENT, command("CONFIG", "SET", "masterauth", "geheim"))], 6379)
    assert "geheim" not in repr(master)
    secret = converse(STREAM, [(CLIENT, command("CONFIG", "SET", "requirepass", "geheim"))], 6379)
    assert secret[0].fields["gov.redis.arguments"] == ""


def test_inline_commands_and_pieces() -> None:
    told = converse(STREAM, [(CLIENT, b"AUTH anna geheim\r\nFLUSHALL\r\n")], 6379)
    assert actions(told) == ["login-attempt", "redis-command"]
    stream = command("AUTH", "geheim") + command("SET", "k", "x" * 100)
    dialect = STREAM.make(talk(CLIENT, 6379))
    found = [one for at in range(len(stream)) for one in dialect.feed(CLIENT, stream[at : at + 1])]
    assert actions(found) == ["login-attempt", "redis-command"]


def test_long_values_are_not_held_for_ever() -> None:
    dialect = STREAM.make(talk(CLIENT, 6379))
    dialect.feed(CLIENT, b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$999999999999\r\n" + bytes(20_000))
    assert dialect.done


def test_claims() -> None:
    assert claims_redis(command("PING"), talk(CLIENT, 9_999)) is True
    assert claims_redis(b"*1\r", talk(CLIENT, 9_999)) is None
    assert claims_redis(b"* OK IMAP ready\r\n", talk(SERVER, 143)) is False
    assert claims_redis(b"QUIT\r\n", talk(CLIENT, 25)) is False
