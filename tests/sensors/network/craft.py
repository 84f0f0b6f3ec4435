"""Packets built by hand for the tests and the rule samples: headers as the RFCs draw them, nothing else."""

from collections.abc import Iterable
from ipaddress import ip_address
from struct import pack

from sensors.event import Observation

HERE = "10.20.0.15"
THERE = "10.20.0.80"
PUBLIC = "203.0.113.77"
MAC = "02:00:00:00:00:15"
MAC_THERE = "02:00:00:00:00:80"
SYN, ACK, FIN, RST, PUSH = 2, 16, 1, 4, 8


def mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def ethernet(payload: bytes, kind: int, source: str = MAC, destination: str = MAC_THERE) -> bytes:
    return mac(destination) + mac(source) + pack("!H", kind) + payload


def ip(payload: bytes, protocol: int, source: str = HERE, destination: str = THERE, hops: int = 64) -> bytes:
    here, there = ip_address(source).packed, ip_address(destination).packed
    if len(here) == 16:
        head = pack("!IHBB", 6 << 28, len(payload), protocol, hops) + here + there
        return ethernet(head + payload, 0x86DD)
    head = pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 7, 0, hops, protocol, 0) + here + there
    return ethernet(head + payload, 0x0800)


def udp(payload: bytes, source_port: int, port: int, source: str = HERE, destination: str = THERE) -> bytes:
    return ip(pack("!HHHH", source_port, port, 8 + len(payload), 0) + payload, 17, source, destination)


def tcp(
    payload: bytes,
    source_port: int,
    port: int,
    flags: int = PUSH | ACK,
    sequence: int = 1_000,
    source: str = HERE,
    destination: str = THERE,
) -> bytes:
    head = pack("!HHIIBBHHH", source_port, port, sequence, 1, 5 << 4, flags, 8192, 0, 0)
    return ip(head + payload, 6, source, destination)


def connection(
    payload: bytes, port: int, *, answer: bytes = b"", destination: str = THERE, source_port: int = 40_000
) -> list[bytes]:
    """A whole TCP conversation: handshake, one segment each way, orderly end."""

    def out(data: bytes, flags: int, sequence: int) -> bytes:
        return tcp(data, source_port, port, flags, sequence, HERE, destination)

    def back(data: bytes, flags: int, sequence: int) -> bytes:
        return tcp(data, port, source_port, flags, sequence, destination, HERE)

    mine, theirs = 1_001 + len(payload), 5_001 + len(answer)
    return [
        out(b"", SYN, 1_000),
        back(b"", SYN | ACK, 5_000),
        out(b"", ACK, 1_001),
        *([out(payload, PUSH | ACK, 1_001)] if payload else []),
        *([back(answer, PUSH | ACK, 5_001)] if answer else []),
        out(b"", FIN | ACK, mine),
        back(b"", FIN | ACK, theirs),
        out(b"", ACK, mine + 1),
    ]


def name(text: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".") if label) + b"\0"


def dns(question: str, kind: int = 1, identifier: int = 0x1234) -> bytes:
    return pack("!6H", identifier, 0x0100, 1, 0, 0, 0) + name(question) + pack("!HH", kind, 1)


def dns_answer(
    question: str, data: list[bytes], kind: int = 1, code: int = 0, identifier: int = 0x1234
) -> bytes:
    records = b"".join(pack("!HHHIH", 0xC00C, kind, 1, 60, len(one)) + one for one in data)
    head = pack("!6H", identifier, 0x8180 | code, 1, len(data), 0, 0)
    return head + name(question) + pack("!HH", kind, 1) + records


def extension(kind: int, data: bytes) -> bytes:
    return pack("!HH", kind, len(data)) + data


def record(body: bytes, kind: int, version: int = 0x0301) -> bytes:
    message = bytes([kind]) + len(body).to_bytes(3, "big") + body
    return b"\x16" + pack("!HH", version, len(message)) + message


def client_hello(
    server_name: str = "",
    *,
    version: int = 0x0303,
    suites: tuple[int, ...] = (0x1301, 0xC02F),
    offered: tuple[int, ...] = (0x0304, 0x0303),
    record_version: int = 0x0301,
    padding: int = 0,
) -> bytes:
    extensions = b""
    if server_name:
        host = server_name.encode()
        extensions += extension(0, pack("!HBH", len(host) + 3, 0, len(host)) + host)
    extensions += extension(10, pack("!HHH", 4, 29, 23)) + extension(11, b"\x01\x00")
    if offered:
        numbers = b"".join(pack("!H", number) for number in offered)
        extensions += extension(43, bytes([len(numbers)]) + numbers)
    if padding:
        extensions += extension(21, bytes(padding))
    listed = b"".join(pack("!H", suite) for suite in suites)
    body = pack("!H", version) + bytes(32) + b"\0" + pack("!H", len(listed)) + listed + b"\x01\0"
    return record(body + pack("!H", len(extensions)) + extensions, 1, record_version)


def server_hello(suite: int = 0x1301, *, version: int = 0x0303, chosen: int = 0) -> bytes:
    extensions = extension(43, pack("!H", chosen)) if chosen else b""
    body = pack("!H", version) + bytes(32) + b"\0" + pack("!HB", suite, 0)
    return record(body + pack("!H", len(extensions)) + extensions, 2, version)


def der(tag: int, *parts: bytes) -> bytes:
    """One element of DER."""
    data = b"".join(parts)
    size = len(data)
    if size < 0x80:
        return bytes((tag, size)) + data
    digits = size.to_bytes(2, "big").lstrip(b"\0")
    return bytes((tag, 0x80 | len(digits))) + digits + data


def certificate(
    name: str = "portal.example.gov.cn",
    *,
    bits: int = 2_048,
    ends: str = "360101000000Z",
    signature: str = "2a864886f70d01010b",  # SHA-256 with RSA
) -> bytes:
    """An RSA certificate in form alone: its numbers are made up and nobody signed it."""
    algorithm = der(0x30, der(6, bytes.fromhex(signature)), der(5))
    who = der(0x30, der(0x31, der(0x30, der(6, b"\x55\x04\x03"), der(0x0C, name.encode()))))
    key = der(0x30, der(2, b"\0" + b"\xc1" * (bits // 8)), der(2, b"\x01\x00\x01"))
    kind = der(0x30, der(6, bytes.fromhex("2a864886f70d010101")), der(5))
    validity = der(0x30, der(0x17, b"250101000000Z"), der(0x17, ends.encode()))
    public = der(0x30, kind, der(3, b"\0" + key))
    tbs = der(0x30, der(0xA0, der(2, b"\x02")), der(2, b"\x07"), algorithm, who, validity, who, public)
    return der(0x30, tbs, algorithm, der(3, b"\0" + bytes(32)))


def certificates(*ders: bytes) -> bytes:
    """The record of a server's certificate message."""
    listed = b"".join(len(one).to_bytes(3, "big") + one for one in ders)
    return record(len(listed).to_bytes(3, "big") + listed, 11)


def ssh_packet(payload: bytes) -> bytes:
    return pack("!IB", 1 + len(payload) + 4, 4) + payload + bytes(4)


def ssh_lists(
    kex: str = "curve25519-sha256", cipher: str = "aes128-ctr", mac: str = "hmac-sha2-256"
) -> bytes:
    """The packet of an algorithm list."""
    names = [kex, "ssh-ed25519", cipher, cipher, mac, mac, "none", "none", "", ""]
    listed = b"".join(pack("!I", len(one)) + one.encode() for one in names)
    return ssh_packet(b"\x14" + bytes(16) + listed + bytes(5))


def http(target: str, *, method: str = "GET", agent: str = "Mozilla/5.0", **headers: str) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: portal.example.gov.cn", f"User-Agent: {agent}"]
    lines += [f"{key}: {value}" for key, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def arp(
    opcode: int, sender: str, target: str, *, sender_mac: str = MAC, frame_mac: str = "", target_mac: str = ""
) -> bytes:
    body = pack("!HHBBH", 1, 0x0800, 6, 4, opcode) + mac(sender_mac) + ip_address(sender).packed
    body += mac(target_mac or "00:00:00:00:00:00") + ip_address(target).packed
    return ethernet(body, 0x0806, source=frame_mac or sender_mac)


def icmp(kind: int, code: int = 0, source: str = HERE, destination: str = THERE) -> bytes:
    return ip(pack("!BBHHH", kind, code, 0, 1, 1) + b"ping" * 8, 1, source, destination)


def discovery(kind: int, body: bytes, source: str = "fe80::15", destination: str = "ff02::1") -> bytes:
    return ip(pack("!BBH", kind, 0, 0) + body, 58, source, destination, hops=255)


def router_advertisement(lifetime: int = 1_800, prefix: str = "2001:db8:66::") -> bytes:
    body = pack("!BBHII", 64, 0, lifetime, 0, 0) + b"\x01\x01" + mac(MAC)
    body += pack("!BBBBIII", 3, 4, 64, 0xC0, 86_400, 14_400, 0) + ip_address(prefix).packed
    return discovery(134, body)


def of(dataset: str, seen: Iterable[Observation]) -> list[Observation]:
    return [one for one in seen if one.fields["event.dataset"] == dataset]
