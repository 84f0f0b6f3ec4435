"""What an operator may set of the network sensor; every bound of its memory stands here."""

from typing import Annotated, Final

import msgspec

AUTO: Final = "auto"  # in ``interfaces``: every interface that is up, the loopback included
_RING_BYTES_MAX: Final = 1 << 30
_SNAPLEN_BYTES_MAX: Final = 256 * 1024  # libpcap's own limit

Port = Annotated[int, msgspec.Meta(ge=0, le=65_535)]
Count = Annotated[int, msgspec.Meta(ge=1, le=10_000_000)]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]


class NetworkSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ``[network]`` table of sensor.toml."""

    interfaces: list[str] = msgspec.field(default_factory=lambda: [AUTO])
    # What a dialect reads of a side fits even where the card hands over many segments as one packet.
    snaplen_bytes: Annotated[int, msgspec.Meta(ge=128, le=_SNAPLEN_BYTES_MAX)] = 16_640
    # The default 2 MB of libpcap loses a fifth at 250 k packets/s.
    ring_bytes: Annotated[int, msgspec.Meta(ge=1 << 20, le=_RING_BYTES_MAX)] = 64 * 1024 * 1024
    own_ring: bool = False  # the ring of our own though pcapy-ng is installed
    ignore_ports: list[Port] = msgspec.field(default_factory=list)  # TCP/UDP ports not looked at at all

    flow_entries_max: Count = 200_000  # of all interfaces together
    flow_bytes_max: Annotated[int, msgspec.Meta(ge=1 << 20, le=_RING_BYTES_MAX)] = 160 * 1024 * 1024
    flow_idle_seconds: Seconds = 300.0  # TCP
    flow_idle_datagram_seconds: Seconds = 30.0  # UDP, ICMP and the rest
    flow_attempt_seconds: Seconds = 5.0  # a TCP SYN nobody answered
    flow_active_seconds: Seconds = 300.0  # a flow that lives longer is told anew this often

    events_per_second_max: Count = 2_000  # per interface; the rest is counted as shed
    drop_report_seconds: Seconds = 30.0

    dissect: bool = True  # the scapy worker, where scapy is installed
    dissect_per_second_max: Count = 20

    # The ring of raw packets for alerts to show; 0 keeps none. Files of mode 0600 in the sensor's folder.
    packet_ring_bytes: Annotated[int, msgspec.Meta(ge=0, le=1 << 40)] = 0
    packet_ring_flow_packets_max: Count = 200  # of each flow the first so many, so that the ring lasts
