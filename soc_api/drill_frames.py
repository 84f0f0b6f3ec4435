"""Frames the drill puts on the loopback: seen by whoever captures there, taken up by nobody.

They are addressed to a card that does not exist, so the kernel drops each as somebody else's. Nothing leaves
the machine. Needs the right to open a packet socket, as the network sensor does.
"""

import socket
import time
from collections.abc import Iterable, Iterator
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address
from struct import pack
from typing import Final

from crypto.words import Words

_INTERFACE: Final = "lo"
_NOBODY: Final = bytes.fromhex("02000000d001")  # locally administered; not the loopback's own
_FROM: Final = bytes.fromhex("02000000d002")
_SYN, _ACK, _FIN, _PUSH = 2, 16, 1, 8
_ELSEWHERE: Final = ("192.0.2.", "198.51.100.", "203.0.113.")  # RFC 5737: for documentation, nobody's
_PAUSE_FRAMES: Final = 32  # after so many large ones the capture gets a moment
_PAUSE_SECONDS: Final = 0.02


def missing() -> Words | None:
    """Why no frames can be sent here, None where they can."""
    try:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as probe:
            probe.bind((_INTERFACE, 0))
    except (OSError, AttributeError) as error:
        return Words(f"不能在环回口发送数据帧({error})", f"no frames can be sent on the loopback ({error})")
    return None


def send(frames: Iterable[bytes], *, every_seconds: float = 0.0) -> None:
    """Put the frames on the loopback, one after the other."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind((_INTERFACE, 0))
        for number, frame in enumerate(frames):
            wire.send(frame)
            if every_seconds:
                time.sleep(every_seconds)
            elif len(frame) > 4_096 and number % _PAUSE_FRAMES == 0:
                time.sleep(_PAUSE_SECONDS)


def here(mark: str, number: int = 0) -> str:
    """An address of the loopback's own network, made from the mark."""
    digest = sha256(f"{mark}{number}".encode()).digest()
    return f"127.{1 + digest[0] % 254}.{digest[1]}.{1 + digest[2] % 254}"


def elsewhere(mark: str) -> str:
    """An address kept for documentation, made from the mark; never one of the shipped canary's last byte."""
    digest = sha256(mark.encode()).digest()
    return f"{_ELSEWHERE[digest[0] % 3]}{1 + digest[1] % 200}"


def asked(sender: str, target: str, *, card: bytes = _FROM, opcode: int = 1) -> bytes:
    """An ARP question of ``sender`` for ``target``, or with opcode 2 an answer (RFC 826)."""
    body = pack("!HHBBH", 1, 0x0800, 6, 4, opcode)
    body += card + IPv4Address(sender).packed + bytes(6) + IPv4Address(target).packed
    return _NOBODY + card + b"\x08\x06" + body


def owned(address: str, owner: int) -> bytes:
    """An ARP answer that gives the address to the card of that number."""
    return asked(address, "127.0.0.1", card=_FROM[:5] + bytes([owner]), opcode=2)


def router_address(mark: str) -> str:
    """A link-local address of a router that is not there, made from the mark."""
    digest = sha256(mark.encode()).digest()
    return str(IPv6Address(b"\xfe\x80" + bytes(6) + b"\x02\0\0\xff\xfe" + digest[:3]))


def announced(mark: str) -> bytes:
    """A router's announcement (RFC 4861 4.2) of a prefix kept for documentation, with no lifetime."""
    card = b"\x02\0\0" + sha256(mark.encode()).digest()[:3]
    prefix = pack("!BBBBIII", 3, 4, 64, 0, 0, 0, 0) + IPv6Address("2001:db8:d::").packed
    body = pack("!BBHBBHII", 134, 0, 0, 64, 0, 0, 0, 0) + bytes((1, 1)) + card + prefix
    source, target = IPv6Address(router_address(mark)).packed, IPv6Address("ff02::1").packed
    check = _checksum(source + target + pack("!II", len(body), 58) + body)
    body = body[:2] + pack("!H", check) + body[4:]
    return _NOBODY + card + b"\x86\xdd" + pack("!IHBB", 6 << 28, len(body), 58, 255) + source + target + body


def leased(mark: str, gateway: int) -> bytes:
    """A DHCP server's offer (RFC 2131) of an address nobody asked for."""
    source = IPv4Address(here(mark)).packed
    options = bytes((53, 1, 2, 54, 4)) + source + bytes((3, 4, 127, 200, 2, gateway, 255))
    body = (
        pack("!BBBBIHH", 2, 1, 6, 0, 0x0D411, 0, 0) + bytes(4) + bytes((127, 200, 2, 9)) + source + bytes(4)
    )
    body += _NOBODY + bytes(10 + 64 + 128) + b"\x63\x82\x53\x63" + options
    datagram = pack("!HHHH", 67, 68, 8 + len(body), 0) + body  # a sum of 0: none was made
    ip = pack("!BBHHHBBH", 0x45, 0, 20 + len(datagram), 7, 0, 64, 17, 0) + source + bytes((255,) * 4)
    ip = ip[:10] + pack("!H", _checksum(ip)) + ip[12:]
    return _NOBODY + _FROM + b"\x08\x00" + ip + datagram


def knock(source: str, target: str, port: int, source_port: int = 40_000) -> bytes:
    """The first packet of a connection that nobody answers."""
    return _tcp(source, target, source_port, port, _SYN, 1_000, 0)


def conversation(
    source: str, target: str, port: int, said: Iterable[bytes], answer: bytes
) -> Iterator[bytes]:
    """A whole connection: hands shaken, what is said acknowledged, one answer, both sides closed."""
    mine, theirs, own = 1_000, 5_000, 30_000 + sha256(f"{time.time_ns()}".encode()).digest()[0]
    yield _tcp(source, target, own, port, _SYN, mine, 0)
    yield _tcp(target, source, port, own, _SYN | _ACK, theirs, mine + 1)
    mine, theirs = mine + 1, theirs + 1
    yield _tcp(source, target, own, port, _ACK, mine, theirs)
    for part in said:
        yield _tcp(source, target, own, port, _ACK | _PUSH, mine, theirs, part)
        mine = (mine + len(part)) & 0xFFFFFFFF
    yield _tcp(target, source, port, own, _ACK | _PUSH, theirs, mine, answer)
    theirs += len(answer)
    yield _tcp(source, target, own, port, _ACK | _FIN, mine, theirs)
    yield _tcp(target, source, port, own, _ACK | _FIN, theirs, (mine + 1) & 0xFFFFFFFF)
    yield _tcp(source, target, own, port, _ACK, (mine + 1) & 0xFFFFFFFF, theirs + 1)


def _tcp(
    source: str, target: str, own: int, port: int, flags: int, sequence: int, ack: int, data: bytes = b""
) -> bytes:
    head = pack("!HHIIBBHHH", own, port, sequence, ack, 5 << 4, flags, 65_535, 0, 0)
    first, second = IPv4Address(source).packed, IPv4Address(target).packed
    pseudo = first + second + pack("!BBH", 0, 6, len(head) + len(data))
    head = head[:16] + pack("!H", _checksum(pseudo + head + data)) + head[18:]
    size = 20 + len(head) + len(data)
    ip = pack("!BBHHHBBH", 0x45, 0, size, 7, 0x4000, 64, 6, 0) + first + second
    ip = ip[:10] + pack("!H", _checksum(ip)) + ip[12:]
    return _NOBODY + _FROM + b"\x08\x00" + ip + head + data


def _checksum(data: bytes) -> int:
    """RFC 1071, folded at once: 2**16 is 1 modulo 65,535."""
    value = int.from_bytes(data + b"\0" * (len(data) % 2), "big") % 0xFFFF
    return 0xFFFF - value
