"""The tables of exceptions and playbooks: what is let pass, what that held back, which steps are done.

Times are microseconds as everywhere in the state (``detection.store.tables.micros``).
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from detection.store.tables import RowId, metadata

exceptions: Final = Table(
    "exceptions",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("kind", String(16), nullable=False),
    Column("title", Text, nullable=False),
    Column("rules", Text, nullable=False),  # JSON list; empty: any rule
    Column("unit", String(128), nullable=False),
    Column("units", Text, nullable=False),  # JSON list: the unit, and those below it where they are meant
    Column("condition", Text, nullable=False),  # in the query language; '' holds always
    Column("reason", Text, nullable=False),
    Column("owner", String(128), nullable=False),
    Column("asked", BigInteger, nullable=False),
    Column("asked_by", String(128), nullable=False),
    Column("begins", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("grave", Text, nullable=False),  # JSON list of {zh, en}: why a second person is needed; else empty
    Column("decided", BigInteger),
    Column("decided_by", String(128), nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),  # of the decision or the end
    Column("origin", String(64), nullable=False, server_default=""),  # the alert group it was made from
    Column("expected", Text, nullable=False, server_default="{}"),  # what the preview said, as JSON
    CheckConstraint("kind IN ('exception', 'maintenance')", name="kind"),
    CheckConstraint("state IN ('waiting', 'active', 'refused', 'ended')", name="state"),
    CheckConstraint("expires > begins", name="span"),
    Index(None, "state", "expires"),
    sqlite_autoincrement=True,
)

# Only ever added to; each line becomes a leaf of the ledger.
exception_log: Final = Table(
    "exception_log",
    metadata,
    Column("number", RowId, primary_key=True, autoincrement=True),
    Column("exception", BigInteger, ForeignKey("exceptions.id"), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("action", String(16), nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("body", Text, nullable=False),  # the exception after it, as JSON
    Index(None, "exception"),
    sqlite_autoincrement=True,
)

exception_hits: Final = Table(
    "exception_hits",
    metadata,
    Column("exception", BigInteger, ForeignKey("exceptions.id"), primary_key=True),
    Column("hour", BigInteger, primary_key=True),  # when it begins
    Column("count", BigInteger, nullable=False),
    Index(None, "hour"),
)

# The last alerts each exception held back, whole.
exception_examples: Final = Table(
    "exception_examples",
    metadata,
    Column("exception", BigInteger, ForeignKey("exceptions.id"), primary_key=True),
    Column("alert", String(64), primary_key=True),
    Column("time", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

# The newest mark of each step of a group; who did what before stands in the audit log.
playbook_marks: Final = Table(
    "playbook_marks",
    metadata,
    Column("group_id", String(64), ForeignKey("alert_groups.id"), primary_key=True),
    Column("playbook", String(64), primary_key=True),
    Column("step", String(32), primary_key=True),  # a digest of its words: another text is another step
    Column("place", Integer, nullable=False),
    Column("done", Boolean(create_constraint=False), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("actor", String(128), nullable=False),
)
