"""Traffic for the self-test, made by scapy: frames that a sound sensor must understand, one of each kind.

Licence: this file uses scapy, which is GPL-2.0-only, and is imported by nothing but the worker (see
dissect_worker.py). Nothing is sent: the frames go through the sensor's own path in memory. Addresses are of
the ranges kept for documentation (RFC 5737, 3849).
"""

from typing import Final

from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.dns import DNS, DNSQR
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6ND_RA, ICMPv6NDOptSrcLLAddr, IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.layers.snmp import SNMP, SNMPget, SNMPvarbind
from scapy.packet import Packet

from sensors.network.dissect_tlcp import Tlcp, TlcpClientHello, TlcpSuite

MARK: Final = "selftest.liuhe.invalid"
_MAC: Final = "02:00:00:00:00:01"
_HERE, _THERE = "192.0.2.1", "198.51.100.2"
_NOWHERE: Final = "0.0.0.0"  # noqa: S104 - who has no address yet; nothing is bound
_HERE6, _THERE6 = "2001:db8::1", "2001:db8::2"


def frames() -> list[tuple[str, bytes]]:
    """(dataset the sensor must report, frame)."""
    ethernet = Ether(src=_MAC, dst="02:00:00:00:00:02")
    hello = Tlcp(messages=[TlcpClientHello(suites=[TlcpSuite(number=0xE013), TlcpSuite(number=0xE053)])])
    asked = SNMP(community="selftest", PDU=SNMPget(varbindlist=[SNMPvarbind(oid="1.3.6.1.2.1.1.1.0")]))
    made: list[tuple[str, Packet]] = [
        ("net.arp", Ether(src=_MAC, dst="ff:ff:ff:ff:ff:ff") / ARP(psrc=_HERE, pdst=_THERE, hwsrc=_MAC)),
        (
            "net.dns",
            ethernet
            / IPv6(src=_HERE6, dst=_THERE6)
            / UDP(sport=40_001, dport=53)
            / DNS(qd=DNSQR(qname=MARK)),
        ),
        (
            "net.tls",
            ethernet
            / Dot1Q(vlan=7)
            / IP(src=_HERE, dst=_THERE)
            / TCP(sport=40_002, dport=443, flags="PA")
            / hello,
        ),
        (
            "net.icmp",
            Ether(src=_MAC, dst="33:33:00:00:00:01")
            / IPv6(src="fe80::1", dst="ff02::1", hlim=255)
            / ICMPv6ND_RA()
            / ICMPv6NDOptSrcLLAddr(lladdr=_MAC),
        ),
        (
            "net.dhcp",
            Ether(src=_MAC, dst="ff:ff:ff:ff:ff:ff")
            / IP(src=_NOWHERE, dst="255.255.255.255")
            / UDP(sport=68, dport=67)
            / BOOTP(chaddr=bytes.fromhex("020000000001"))
            / DHCP(options=[("message-type", "discover"), ("hostname", "selftest"), "end"]),
        ),
        ("net.snmp", ethernet / IP(src=_HERE, dst=_THERE) / UDP(sport=40_003, dport=161) / asked),
    ]
    return [(kind, bytes(packet)) for kind, packet in made]
