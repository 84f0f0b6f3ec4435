"""The table of versions of what the center decides about rules, gates and retention."""

from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, String, Table, Text

from detection.store.tables import RowId, metadata

config_changes: Final = Table(
    "config_changes",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("kind", String(32), nullable=False),
    Column("about", String(256), nullable=False),
    Column("before", Text, nullable=False),  # JSON
    Column("after", Text, nullable=False),  # JSON
    Column("reason", Text, nullable=False),
    Column("author", String(128), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("due", BigInteger),  # of a provisional one: then it is undone
    Column("decider", String(128), nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    Column("decided", BigInteger),
    CheckConstraint("decider <> author", name="two_persons"),
    CheckConstraint(
        "state IN ('waiting', 'provisional', 'confirmed', 'refused', 'expired', 'recorded')", name="state"
    ),
    Index(None, "kind", "state"),
)
