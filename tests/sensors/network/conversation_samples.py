"""Hits and misses of the rules on conversations, for make_rule_samples.py: log-ins, SNMP, S7, Redis …"""

from collections.abc import Callable
from struct import pack

import craft

from sensors.event import Observation

Only = Callable[..., list[Observation]]
Samples = dict[str, tuple[list[Observation], list[Observation]]]


def tlv(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = bytes([len(body)]) if len(body) < 128 else b"\x82" + len(body).to_bytes(2, "big")
    return bytes([tag]) + size + body


def ticket(service: str, cipher: int) -> bytes:
    """A TGS-REP for anna, with all that is sealed left out."""
    names = tlv(0x30, *(tlv(0x1B, word.encode()) for word in service.split("/")))
    sealed = tlv(0x30, tlv(0xA0, tlv(2, bytes([cipher]))), tlv(0xA2, tlv(4, bytes(32))))
    realm = tlv(0x1B, b"TAX.EXAMPLE")
    inner = tlv(0x61, tlv(0x30, tlv(0xA1, realm), tlv(0xA2, tlv(0x30, tlv(0xA1, names))), tlv(0xA3, sealed)))
    client = tlv(0x30, tlv(0xA1, tlv(0x30, tlv(0x1B, b"anna"))))
    parts = (tlv(0xA0, tlv(2, b"\5")), tlv(0xA1, tlv(2, b"\x0d")), tlv(0xA3, realm), tlv(0xA4, client))
    return tlv(0x6D, tlv(0x30, *parts, tlv(0xA5, inner)))


def snmp(community: str) -> bytes:
    variable = tlv(0x30, tlv(6, bytes.fromhex("2b060102010101")), tlv(5))
    asked = tlv(0xA0, tlv(2, b"\1"), tlv(2, b"\0"), tlv(2, b"\0"), tlv(0x30, variable))
    return tlv(0x30, tlv(2, b"\1"), tlv(4, community.encode()), asked)


def s7(parameters: bytes) -> bytes:
    body = b"\x02\xf0\x80" + pack("!BBHHHH", 0x32, 1, 0, 7, len(parameters), 0) + parameters
    return pack("!BBH", 3, 0, 4 + len(body)) + body


def redis(*words: str) -> bytes:
    return f"*{len(words)}\r\n".encode() + b"".join(f"${len(one)}\r\n{one}\r\n".encode() for one in words)


def smb(command: int, body: bytes, *, reply: bool = False, status: int = 0) -> bytes:
    head = b"\xfeSMB" + pack("<HHIHHIIQIIQ", 64, 0, status, command, 1, int(reply), 0, 1, 0, 5, 9)
    return pack("!I", len(head) + 16 + len(body)) + head + bytes(16) + body


def share(path: str) -> bytes:
    name = path.encode("utf-16-le")
    return smb(3, pack("<HHHH", 9, 0, 72, len(name)) + name)


def given(status: int = 0) -> bytes:
    return smb(3, pack("<HBBIII", 16, 1, 0, 0, 0, 0), reply=True, status=status)


def samples(only: Only) -> Samples:
    def login(payload: bytes, port: int, destination: str = craft.THERE) -> list[Observation]:
        return only("net.login", *craft.connection(payload, port, destination=destination))

    def ask(community: str) -> list[Observation]:
        return only("net.snmp", craft.udp(snmp(community), 40_000, 161))

    def control(parameters: bytes) -> list[Observation]:
        return only("net.s7", *craft.connection(s7(parameters), 102))

    def command(*words: str) -> list[Observation]:
        return only("net.redis", *craft.connection(redis(*words), 6379))

    def granted(service: str, cipher: int) -> list[Observation]:
        return only("net.kerberos", craft.udp(ticket(service, cipher), 88, 40_000, craft.THERE, craft.HERE))

    def mapped(path: str, status: int = 0) -> list[Observation]:
        return only("net.smb", *craft.connection(share(path), 445, answer=given(status)))

    ftp = b"USER anna\r\nPASS geheim\r\n"
    return {
        "login_cleartext_password": (
            login(ftp, 21) + login(redis("AUTH", "geheim"), 6379),
            login(ftp, 21, "127.0.0.1") + login(b"USER anonymous\r\nPASS a@b\r\n", 21),
        ),
        "snmp_well_known_community": (ask("public") + ask("private"), ask("Jg7-tap-31")),
        "s7_controller_change": (
            control(b"\x29" + bytes(5) + b"\x09P_PROGRAM") + control(b"\x1a\0\1\0\0\0\0\0\0"),
            control(b"\x04\x01" + bytes(12)),
        ),
        "redis_takeover_command": (
            command("CONFIG", "SET", "dir", "/var/spool/cron") + command("REPLICAOF", craft.PUBLIC, "6379"),
            command("CONFIG", "GET", "dir") + command("REPLICAOF", "NO", "ONE") + command("SET", "a", "b"),
        ),
        "kerberos_weak_service_ticket": (
            granted("MSSQLSvc/db.tax.example", 23),
            granted("MSSQLSvc/db.tax.example", 18)
            + granted("krbtgt/TAX.EXAMPLE", 23)
            + granted("desk-7$", 23),
        ),
        "smb_admin_share": (
            mapped(r"\\10.20.0.80\C$") + mapped(r"\\files\ADMIN$"),
            mapped(r"\\files\IPC$") + mapped(r"\\files\tax") + mapped(r"\\files\C$", 0xC0000022),
        ),
    }


def offer(server: str, client: int, kind: int = 2) -> bytes:
    """What a DHCP server sends to everybody: an offer (2) or an address (5) for one client."""
    there = bytes(int(one) for one in server.split("."))
    head = pack("!BBBBIHH", 2, 1, 6, 0, 0xCAFE, 0, 0x8000) + bytes(4) + bytes([10, 20, 0, 100 + client])
    mac = bytes([2, 0, 0, 0, 0, client])
    options = bytes([53, 1, kind, 54, 4]) + there + bytes([3, 4]) + there + b"\xff"
    body = head.ljust(28, b"\0") + mac.ljust(208, b"\0") + b"\x63\x82\x53\x63" + options
    return craft.udp(body, 67, 68, server, "255.255.255.255")


def correlations(only: Only) -> Samples:
    """Hits and misses of correlations."""
    proper, rogue = "10.20.0.1", "10.20.0.66"
    return {
        "dhcp_two_servers": (
            only("net.dhcp", offer(proper, 7), offer(rogue, 7)),
            only("net.dhcp", offer(proper, 7), offer(proper, 7, 5), offer(rogue, 8)),
        )
    }
