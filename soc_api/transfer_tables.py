"""The tables of transfers, added to the one ``metadata`` of the relational state."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, String, Table, Text, UniqueConstraint

from detection.store.tables import metadata

# Outgoing ones are named by their package's id, incoming ones by the SM3 of the package that was offered.
transfers: Final = Table(
    "transfers",
    metadata,
    Column("direction", String(3), primary_key=True),  # "out" or "in"
    Column("id", String(64), primary_key=True),
    Column("channel", String(256), nullable=False),
    Column("state", String(16), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("body", Text, nullable=False),  # crypto.transfer's struct as JSON
    Index(None, "direction", "channel", "state"),
    Index(None, "updated"),
)

transfer_channels: Final = Table(
    "transfer_channels",
    metadata,
    Column("direction", String(3), primary_key=True),
    Column("channel", String(256), primary_key=True),
    Column("height", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
)

# The import itself: one row for a place, one for a package, for ever.
transfer_imports: Final = Table(
    "transfer_imports",
    metadata,
    Column("sender", String(256), primary_key=True),
    Column("channel", String(256), primary_key=True),
    Column("epoch", BigInteger, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("package_sm3", String(64), nullable=False),
    Column("package", String(32), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("files", BigInteger, nullable=False),
    Column("published", Boolean, nullable=False),  # files seen, receipt out: what a restart need not repeat
    UniqueConstraint("package_sm3"),
    Index(None, "published"),
)

transfer_receipts: Final = Table(
    "transfer_receipts",
    metadata,
    Column("sm3", String(64), primary_key=True),
    Column("direction", String(3), nullable=False),  # of the transfer it is about
    Column("package_sm3", String(64), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index(None, "package_sm3"),
)
