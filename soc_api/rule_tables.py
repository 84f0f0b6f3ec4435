"""The tables of rules: which versions were loaded, what was decided about each, what the pipeline measured.

Times are microseconds as everywhere in the state (``detection.store.tables.micros``).
"""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, String, Table, Text

from detection.store.tables import RowId, metadata

# Only ever added to, when a rule's text differs from what was loaded before; '' means it is no longer there.
rule_versions: Final = Table(
    "rule_versions",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("rule", String(256), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("time", BigInteger, nullable=False),
    Index(None, "rule"),
)

# Only ever added to: the newest row of a rule holds, and the newest row of all is the revision.
rule_decisions: Final = Table(
    "rule_decisions",
    metadata,
    Column("revision", RowId, primary_key=True, autoincrement=True),
    Column("rule", String(256), nullable=False),
    Column("enabled", Boolean(create_constraint=False), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("reason", Text, nullable=False),
    Index(None, "rule"),
    sqlite_autoincrement=True,
)

# One row: what the pipeline says of the rules it runs, as JSON.
rule_reports: Final = Table(
    "rule_reports",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("time", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
