"""Tables of what people do to groups of the queue: each act, and each group it was done to."""

from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Integer, String, Table, Text

from detection.store.tables import RowId, metadata

alert_acts: Final = Table(
    "alert_acts",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("time", BigInteger, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("action", String(32), nullable=False),
    Column("arguments", Text, nullable=False),  # JSON: what the act was told
    Column("state", String(16), nullable=False),
    Column("total", Integer, nullable=False),
    Column("done", Integer, nullable=False, server_default="0"),
    Column("refused", Integer, nullable=False, server_default="0"),
    Column("finished", BigInteger),
    CheckConstraint("state IN ('running', 'done', 'undoing', 'undone')", name="state"),
    Index(None, "state"),
    Index(None, "actor", "id"),
)

alert_act_items: Final = Table(
    "alert_act_items",
    metadata,
    Column("act", BigInteger, ForeignKey("alert_acts.id"), primary_key=True),
    Column("group_id", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("code", String(64), nullable=False, server_default=""),  # why it was refused
    Column("change", Text, nullable=False, server_default=""),  # JSON: the decision before and after
    CheckConstraint("state IN ('waiting', 'done', 'refused', 'undone')", name="state"),
    Index(None, "act", "state"),
)
