"""SSH openings: banners, agreement, HASSH, host keys, one-sided captures, and hostile bytes."""

from hashlib import md5
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.network.dialect import Message, Talk
from sensors.network.ssh import PREAMBLE_BYTES_MAX, Side, chosen, parse_kex_init
from sensors.network.ssh_stream import SSH, SshStream, claims_ssh

CLIENT = (b"SSH-2.0-OpenSSH_9.6\r\n", [b"curve25519-sha256,sm2-sm3", b"ssh-ed25519", b"sm4-ctr,aes128-ctr"])
SERVER = (b"SSH-2.0-Server_1\r\n", [b"sm2-sm3,curve25519-sha256", b"ssh-ed25519,sm2", b"aes128-ctr"])


def packet(payload: bytes) -> bytes:
    return pack("!IB", 1 + len(payload) + 4, 4) + payload + bytes(4)


def string(raw: bytes) -> bytes:
    return pack("!I", len(raw)) + raw


def init(lists: list[bytes]) -> bytes:
    kex, keys, cipher = lists
    names = [kex, keys, cipher, b"aes128-ctr", b"hmac-sm3", b"hmac-sm3", b"none", b"none", b"", b""]
    return packet(b"\x14" + bytes(16) + b"".join(string(one) for one in names) + bytes(5))


def reply() -> bytes:
    return packet(b"\x1f" + string(string(b"ssh-ed25519") + string(bytes(32))) + string(b"e") + string(b"s"))


def talk(*parts: tuple[int, bytes]) -> list[Message]:
    stream = SshStream(Talk())
    return [message for side, data in parts for message in stream.feed(side, data)]


WHOLE = (
    (1, SERVER[0]),
    (0, CLIENT[0] + init(CLIENT[1])),
    (1, init(SERVER[1])),
    (0, packet(b"\x1e" + bytes(32))),
    (1, reply() + packet(b"\x15")),
    (0, packet(b"\x15")),
)


def test_an_opening() -> None:
    seen = talk(*WHOLE)
    assert [one.fields["event.action"] for one in seen] == [
        "server-banner", "client-banner", "key-exchange", "host-key",
    ]  # fmt: skip
    agreed = seen[2]
    assert agreed.native["kex_alg"] == "curve25519-sha256"
    assert agreed.native["cipher_alg"] == "aes128-ctr"
    assert agreed.native["version"] == 2
    expected = b"curve25519-sha256,sm2-sm3;sm4-ctr,aes128-ctr;hmac-sm3;none"
    assert agreed.fields["gov.ssh.hassh"] == md5(expected).hexdigest()
    assert agreed.fields["gov.ssh.hassh_server"] != agreed.fields["gov.ssh.hassh"]
    assert str(seen[3].fields["gov.ssh.host_key.sha256"]).startswith("SHA256:")
    assert seen[3].fields["gov.ssh.host_key.type"] == "ssh-ed25519"
    assert [one.reply for one in seen] == [True, False, True, True]


def test_segments_do_not_matter() -> None:
    bits = [(side, bytes([byte])) for side, data in WHOLE for byte in data]
    assert [one.native for one in talk(*bits)] == [one.native for one in talk(*WHOLE)]


def test_one_direction_alone_is_told_too() -> None:
    seen = talk((0, CLIENT[0] + init(CLIENT[1])), (0, packet(b"\x1e" + bytes(32))))
    assert [one.fields["event.action"] for one in seen] == ["client-banner", "key-exchange"]
    assert "gov.ssh.hassh_server" not in seen[1].fields


def test_lines_before_the_identification_are_passed() -> None:
    seen = talk((1, b"welcome\r\nto this\r\n" + SERVER[0]))
    assert seen[0].native["server"] == "SSH-2.0-Server_1"
    side = Side()
    side.feed(bytes(PREAMBLE_BYTES_MAX + 1))
    assert side.done


def test_it_is_done_after_the_new_keys() -> None:
    stream = SshStream(Talk())
    for side, data in WHOLE:
        stream.feed(side, data)
    assert stream.done
    assert stream.feed(0, b"\xff" * 100) == []


def test_protocol_1_is_named_and_let_go() -> None:
    seen = talk((0, b"SSH-1.5-old\n"), (1, b"SSH-1.99-new\n"))
    assert seen[-1].native["version"] == 1


@pytest.mark.parametrize(
    ("data", "claimed"), [(b"SSH-2.0-x", True), (b"SS", None), (b"SSH-9", False), (b"SMB", False)]
)
def test_the_claim(data: bytes, claimed: bool | None) -> None:
    assert claims_ssh(data, Talk()) is claimed
    assert SSH.first_bytes == {ord("S")}


def test_choosing() -> None:
    assert chosen(("a", "b"), ("b", "a")) == "a"
    assert chosen(("a",), ("b",)) == ""


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 400), st.integers(0, 255), st.binary(max_size=60))
def test_any_bytes_are_answered(place: int, value: int, tail: bytes) -> None:
    stream = SshStream(Talk())
    for side, data in WHOLE:
        raw = bytearray(data)
        raw[place % len(raw)] = value
        stream.feed(side, bytes(raw) + tail)
    parse_kex_init(tail)
