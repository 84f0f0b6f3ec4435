"""A capture file as a page of packets that a person can read."""

import io
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final

from crypto.words import BadInput
from sensors.network.capture_file import Captured, read_packets
from sensors.network.decode import Decoded, decode
from soc_api.packet_bodies import PacketField, PacketLayer, PacketPage, PacketRequestRow, PacketRow

HEX_BYTES_MAX: Final = 2_048  # of one packet shown; the download has all
# Layers that carry no text of people: shown to everybody.
_HEADERS: Final = (
    "ether",
    "cooked",
    "dot1q",
    "802.1q",
    "arp",
    "ip",
    "icmp",
    "tcp",
    "udp",
    "sctp",
    "dns",
    "tls",
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def page_of(
    request: PacketRequestRow, whole: bytes, *, first: int, limit: int, veiled: bool = False
) -> PacketPage:
    """Packets ``first`` to ``first + limit``, numbered from 1 in the file.

    ``veiled``: their headers alone, since what people sent may name them.
    """
    shown: list[Captured] = []
    total = 0
    note = ""
    try:
        packets = iter(read_packets(io.BytesIO(whole), Path(request.id)))
        total = sum(1 for _ in islice(packets, first))
        shown = list(islice(packets, limit))
        total += len(shown) + sum(1 for _ in packets)
    except BadInput as error:
        note = error.what.en
    decoded = decode([(one.data, one.link_type) for one in shown])
    rows = [
        _row(number, packet, parts)
        for number, (packet, parts) in enumerate(zip(shown, decoded, strict=True), first + 1)
    ]
    if veiled:
        rows = [_headers(row) for row in rows]
    return PacketPage(request=request, total=total, first=first, rows=rows, note=note, veiled=veiled)


def _headers(row: PacketRow) -> PacketRow:
    kept = [layer for layer in row.layers if layer.name.lower().startswith(_HEADERS)]
    same = len(kept) == len(row.layers)
    shown = row.summary if same else " / ".join(layer.name for layer in kept) + " / …"
    return row.model_copy(update={"layers": kept, "hex": "", "summary": shown})


def _row(number: int, packet: Captured, decoded: Decoded) -> PacketRow:
    return PacketRow(
        number=number,
        time=_EPOCH + timedelta(seconds=packet.time),
        length=len(packet.data),
        summary=decoded.summary,
        layers=[
            PacketLayer(name=name, fields=[PacketField(name=key, value=value) for key, value in fields])
            for name, fields in decoded.layers
        ],
        hex=packet.data[:HEX_BYTES_MAX].hex(),
    )
