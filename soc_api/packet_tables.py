"""The table of packets asked for: which flow, of which sensor, by whom, and what came of it."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from detection.store.tables import metadata

packet_requests: Final = Table(
    "packet_requests",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("alert_group", String(64), nullable=False),
    Column("sensor", String(128), nullable=False),
    Column("community_id", String(64), nullable=False),
    Column("begins", BigInteger, nullable=False),
    Column("ends", BigInteger, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("asked", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),  # wanted, arrived, empty, failed
    Column("reason", Text, nullable=False, server_default=""),
    Column("bytes", Integer, nullable=False, server_default="0"),
    Column("sm3", String(64), nullable=False, server_default=""),  # of the pcap file
    Column("finished", BigInteger),
    Index(None, "alert_group"),
    Index(None, "state"),
)
