"""The relational state of compliance: units, graded systems, assets, check results, reports."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from detection.store.tables import RowId, metadata

units: Final = Table(
    "units",
    metadata,
    Column("code", String(128), primary_key=True),
    Column("name", Text, nullable=False),
    Column("parent", String(128), ForeignKey("units.code")),
)

graded_systems: Final = Table(
    "graded_systems",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("unit", String(128), ForeignKey("units.code"), nullable=False),
    Column("name", Text, nullable=False),
    Column("level", Integer, nullable=False),
    Column("grade", String(16), nullable=False),  # SxAxGx
    Column("state_secret", Boolean, nullable=False),
    Column("registered", BigInteger, nullable=False),
    CheckConstraint("level BETWEEN 1 AND 4", name="level"),
    # 分级保护 systems are another authority's business: none may ever be stored here.
    CheckConstraint("NOT state_secret", name="no_state_secret"),
)

assets: Final = Table(
    "assets",
    metadata,
    Column("name", String(256), primary_key=True),
    Column("system", String(128), ForeignKey("graded_systems.id"), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("found", BigInteger, nullable=False),
)

check_results: Final = Table(
    "check_results",
    metadata,
    Column("system", String(128), ForeignKey("graded_systems.id"), primary_key=True),
    Column("check", String(16), primary_key=True),
    Column("verdict", String(16), nullable=False),
    Column("evaluated", BigInteger, nullable=False),
    Column("leaf", BigInteger, nullable=False),  # ledger index of the record that holds ``body``
    Column("body", Text, nullable=False),  # the Evaluation as JSON
)

check_history: Final = Table(
    "check_history",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("system", String(128), nullable=False),
    Column("check", String(16), nullable=False),
    Column("evaluated", BigInteger, nullable=False),
    Column("leaf", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "system", "check", "id"),
)

ledgered: Final = Table(
    "ledgered",
    metadata,
    Column("kind", String(32), primary_key=True),  # what was put into the ledger, e.g. "segment", "audit"
    Column("item", BigInteger, nullable=False),  # the last row id of that kind that has a leaf
)

reports: Final = Table(
    "reports",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("month", String(7), nullable=False),
    Column("unit", String(128), nullable=False),
    Column("edition", Integer, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("pdf_sm3", String(64), nullable=False),
    Column("xlsx_sm3", String(64), nullable=False),
    Column("leaf", BigInteger, nullable=False),
    Index(None, "month", "unit", "edition", unique=True),
)

# Only the process that holds the ledger makes reports; another process orders one here and waits.
report_orders: Final = Table(
    "report_orders",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("month", String(7), nullable=False),
    Column("actor", String(128), nullable=False),
    Column("ordered", BigInteger, nullable=False),
    Column("report", String(64), nullable=False, server_default=""),
    Column("error", Text, nullable=False, server_default=""),
    Column("finished", BigInteger),
)
