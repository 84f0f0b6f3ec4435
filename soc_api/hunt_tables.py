"""The table of drafts of rules that wait for a decision.

Times are microseconds as everywhere in the state (``detection.store.tables.micros``).
"""

from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, String, Table, Text

from detection.store.tables import RowId, metadata

rule_drafts: Final = Table(
    "rule_drafts",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("rule", String(64), nullable=False, unique=True),  # the id in the rule's text
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),  # the rule as YAML
    Column("author", String(128), nullable=False),
    Column("unit", String(128), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("state", String(16), nullable=False, server_default="draft"),
    Column("decider", String(128), nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Column("decided", BigInteger),
    CheckConstraint("state IN ('draft', 'accepted', 'refused')", name="state"),
    CheckConstraint("decider = '' OR decider <> author", name="two_persons"),
    Index(None, "state", "time"),
)
