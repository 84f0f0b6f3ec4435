"""The relational state of compliance: check results, what has a leaf, reports; see also registry_tables."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    String,
    Table,
    Text,
)

import compliance.registry_tables  # noqa: F401 -- check results refer to its systems
from detection.store.tables import RowId, metadata

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
