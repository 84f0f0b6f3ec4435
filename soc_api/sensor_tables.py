"""The tables of what a center gives its sensors: renewed certificates not yet used, and configurations.

Times are microseconds as everywhere in the state (``detection.store.tables.micros``).
"""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table, Text

from detection.store.tables import RowId, metadata

# Until the sensor has used it, its certificate before is good as well: it may never have had the answer.
sensor_renewals: Final = Table(
    "sensor_renewals",
    metadata,
    Column("sensor", String(64), primary_key=True),
    Column("certificate", Text, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("key_digest", String(64), nullable=False),
    Column("issued", BigInteger, nullable=False),
)

# Only ever added to: a version is a row's number, and the newest row of a scope is what holds there.
sensor_configurations: Final = Table(
    "sensor_configurations",
    metadata,
    Column("version", RowId, primary_key=True, autoincrement=True),
    Column("made", BigInteger, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("reason", Text, nullable=False),
    Column("unit", String(128), nullable=False),  # '' every unit
    Column("kind", String(16), nullable=False),  # '' every kind
    Column("group_name", String(64), nullable=False),  # '' every group
    Column("content", LargeBinary),  # MessagePack of a Layer; NULL: only the version rises
    Index(None, "unit", "kind", "group_name"),
    sqlite_autoincrement=True,
)
