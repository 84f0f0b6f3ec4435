"""The table of saved views: what a page was narrowed to, under a name."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, String, Table, Text

from detection.store.tables import RowId, metadata

saved_views: Final = Table(
    "saved_views",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("page", String(16), nullable=False),  # alerts, hunt
    Column("name", String(64), nullable=False),
    Column("owner", String(128), nullable=False),  # who saved it
    Column("role", String(32), nullable=False, server_default=""),  # whom it is shared with; '' nobody
    Column("unit", String(128), nullable=False),  # of the owner: shared within that unit
    Column("settings", Text, nullable=False),  # JSON: the address of the page it stands for
    Column("time", BigInteger, nullable=False),
    Index(None, "owner"),
    Index(None, "role", "unit"),
)
