"""Bodies of raw packets: what was asked for, and packets taken apart for a person."""

from datetime import datetime
from typing import Literal

from soc_api.bodies import Body


class PacketRequestRow(Body):
    """One flow asked for: wanted until the sensor answers, then arrived, empty (not kept) or failed."""

    id: str
    sensor: str
    community_id: str
    begins: datetime
    ends: datetime
    actor: str
    asked: datetime
    state: Literal["wanted", "arrived", "empty", "failed"]
    reason: str
    bytes: int
    sm3: str
    finished: datetime | None


class PacketRequests(Body):
    """What was asked for beside an alert, the newest first."""

    rows: list[PacketRequestRow]


class PacketField(Body):
    """A field of a layer."""

    name: str
    value: str


class PacketLayer(Body):
    """A layer of a packet, outermost first."""

    name: str
    fields: list[PacketField]


class PacketRow(Body):
    """One packet; ``hex`` is its bytes, cut where there are many."""

    number: int
    time: datetime
    length: int
    summary: str
    layers: list[PacketLayer]
    hex: str


class PacketPage(Body):
    """Packets from ``first`` on; ``total`` of the whole file. ``veiled``: what they carry is left out."""

    request: PacketRequestRow
    total: int
    first: int
    rows: list[PacketRow]
    note: str
    veiled: bool
