"""The tables of incidents and notices: one row each with its body, what happened to it, and whom it is for.

Times are microseconds as everywhere in the state. Every event of either is also an act, which gets a leaf.
"""

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from detection.store.tables import RowId, metadata

incidents: Final = Table(
    "incidents",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("number", String(32), nullable=False),
    Column("unit", String(128), nullable=False),
    Column("system", String(128), nullable=False),  # '' where no graded system is concerned
    Column("state", String(16), nullable=False),
    Column("category", String(32), nullable=False),
    Column("grade", Integer, nullable=False),  # 1 特别重大 … 4 一般
    Column("owner", String(128), nullable=False),
    Column("discovered", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("due", BigInteger),  # of the statutory report that is owed next
    Column("closed", BigInteger),
    Column("body", Text, nullable=False),  # the incident as JSON
    Index(None, "number", unique=True),
    Index(None, "unit", "state"),
    Index(None, "updated"),
    sqlite_autoincrement=True,
)

# An alert group belongs to one incident at most.
incident_alerts: Final = Table(
    "incident_alerts",
    metadata,
    Column("group_id", String(96), primary_key=True),
    Column("incident", BigInteger, ForeignKey("incidents.id"), nullable=False),
    Column("added", BigInteger, nullable=False),
    Column("actor", String(128), nullable=False),
    Index(None, "incident"),
)

incident_events: Final = Table(
    "incident_events",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("incident", BigInteger, ForeignKey("incidents.id"), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),  # when what is told happened, which may be earlier
    Column("actor", String(128), nullable=False),
    Column("action", String(32), nullable=False),
    Column("note", Text, nullable=False),
    Column("act", BigInteger, ForeignKey("acts.id"), nullable=False),
    Index(None, "incident", "id"),
    sqlite_autoincrement=True,
)

notices: Final = Table(
    "notices",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("issuer", String(128), nullable=False),  # unit
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("year", Integer),  # given with the serial when it is issued, so that numbers have no holes
    Column("serial", Integer),
    Column("updated", BigInteger, nullable=False),
    Column("issued", BigInteger),
    Column("body", Text, nullable=False),  # the notice as JSON
    UniqueConstraint("issuer", "year", "serial"),
    Index(None, "issuer", "state"),
    Index(None, "updated"),
    sqlite_autoincrement=True,
)

notice_receivers: Final = Table(
    "notice_receivers",
    metadata,
    Column("notice", BigInteger, ForeignKey("notices.id"), primary_key=True),
    Column("unit", String(128), primary_key=True),
    Column("state", String(16), nullable=False),  # addressed while it is not issued
    Column("due", BigInteger),  # of the answer; NULL where none is asked for or it is not issued
    Column("closed", BigInteger),
    Index(None, "unit", "state"),
)

notice_events: Final = Table(
    "notice_events",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("notice", BigInteger, ForeignKey("notices.id"), nullable=False),
    Column("unit", String(128), nullable=False),  # the receiver it concerns, '' the notice itself
    Column("time", BigInteger, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("action", String(32), nullable=False),
    Column("note", Text, nullable=False),
    Column("act", BigInteger, ForeignKey("acts.id"), nullable=False),
    Index(None, "notice", "id"),
    sqlite_autoincrement=True,
)
