"""What an operator may set of the network sensor; every bound of its memory stands here."""

from typing import Final

import msgspec

AUTO: Final = "auto"  # in ``interfaces``: every interface that is up, the loopback included


class NetworkSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ``[network]`` table of sensor.toml."""

    interfaces: list[str] = msgspec.field(default_factory=lambda: [AUTO])
    snaplen_bytes: int = 2_048  # hellos and request lines fit; whole payloads are not kept
    ring_bytes: int = 64 * 1024 * 1024  # the default 2 MB of libpcap loses a fifth at 250 k packets/s
    ignore_ports: list[int] = msgspec.field(default_factory=list)  # TCP/UDP ports not looked at at all

    flow_entries_max: int = 200_000  # about 600 bytes each
    flow_idle_seconds: float = 300.0  # TCP
    flow_idle_datagram_seconds: float = 30.0  # UDP, ICMP and the rest
    flow_attempt_seconds: float = 5.0  # a TCP SYN nobody answered
    flow_active_seconds: float = 1_800.0  # a flow that never pauses is reported this often

    events_per_second_max: int = 2_000  # per interface; the rest is counted as shed
    drop_report_seconds: float = 30.0

    dissect: bool = True  # the scapy worker, where scapy is installed
    dissect_per_second_max: int = 20
