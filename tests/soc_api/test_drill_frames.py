"""Frames of the drill: what the network sensor reads in them, for nobody, from reserved addresses."""

from ipaddress import ip_address, ip_network

import pytest

from soc_api import drill_frames

DOCUMENTATION = [ip_network(one) for one in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]


def checksum(data: bytes) -> int:
    """RFC 1071 word by word; 0 where it holds."""
    data += b"\0" * (len(data) % 2)
    value = sum(int.from_bytes(data[place : place + 2], "big") for place in range(0, len(data), 2))
    while value >> 16:
        value = (value & 0xFFFF) + (value >> 16)
    return 0xFFFF - value


@pytest.mark.parametrize("mark", ["a", "b", "0a1b2c3dn15"])
def test_addresses_are_the_loopbacks_or_nobodys(mark: str) -> None:
    assert ip_address(drill_frames.here(mark)).is_loopback
    assert drill_frames.here(mark) != drill_frames.here(mark, 1)
    elsewhere = ip_address(drill_frames.elsewhere(mark))
    assert any(elsewhere in network for network in DOCUMENTATION)
    assert str(elsewhere) != "198.51.100.222"


def test_frames_are_for_a_card_that_is_not_there() -> None:
    frames = [
        drill_frames.asked("127.0.0.1", "127.0.0.2"),
        drill_frames.owned("127.0.0.3", 16),
        *drill_frames.conversation("127.1.2.3", "192.0.2.9", 80, [b"x"], b"y"),
        drill_frames.announced("m"),
        drill_frames.leased("m", 1),
    ]
    for frame in frames:
        assert frame[:6] not in (bytes(6), b"\xff" * 6)
        assert frame[0] & 3 == 2  # one card, of nobody's make


def test_a_conversation_is_whole_and_its_sums_hold() -> None:
    frames = list(drill_frames.conversation("127.1.2.3", "192.0.2.9", 80, [b"abc", b"de"], b"answer"))
    flags = [frame[47] for frame in frames]
    assert flags == [2, 18, 16, 24, 24, 24, 17, 17, 16]
    for frame in frames:
        ip, tcp = frame[14:34], frame[34:]
        assert checksum(ip) == 0
        assert checksum(ip[12:] + b"\0\x06" + len(tcp).to_bytes(2, "big") + tcp) == 0
        assert int.from_bytes(ip[2:4], "big") == len(ip) + len(tcp)


def test_what_routers_and_servers_say_is_whole_and_for_nobody() -> None:
    said = drill_frames.announced("0a1b2c3dr12")
    source, target, body = said[22:38], said[38:54], said[54:]
    assert ip_address(source) == ip_address(drill_frames.router_address("0a1b2c3dr12"))
    assert checksum(source + target + len(body).to_bytes(4, "big") + b"\0\0\0\x3a" + body) == 0
    assert int.from_bytes(said[18:20], "big") == len(body)
    assert body[6:8] == b"\0\0"  # no lifetime: nobody would take it for a way out
    lease = drill_frames.leased("0a1b2c3dr10", 2)
    assert checksum(lease[14:34]) == 0
    assert int.from_bytes(lease[16:18], "big") == len(lease) - 14
    assert lease[14 + 28 + 236 :].startswith(b"\x63\x82\x53\x63\x35\x01\x02")
    assert lease != drill_frames.leased("0a1b2c3dr10", 1)


def test_frames_need_a_right_or_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("socket.socket", refused)
    missing = drill_frames.missing()
    assert missing is not None
    assert "not permitted" in missing.en
