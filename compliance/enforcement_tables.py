"""The tables of attestations, imported documents, object results, gates and orders.

Times are microseconds as everywhere in the state (``detection.store.tables.micros``). What people and gates
do is written as a row of ``acts`` in the transaction that does it; a job gives each act its leaf.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
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

# What waits for its leaf, and what has one: only ever added to, ``leaf`` is filled in once.
acts: Final = Table(
    "acts",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("kind", String(16), nullable=False),  # of the evidence: attestation, decision, order
    Column("time", BigInteger, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("subject", String(256), nullable=False),
    Column("summary", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("leaf", BigInteger),
    Index(None, "kind", "leaf"),
    Index(None, "subject", unique=True),
    sqlite_autoincrement=True,
)

# Files people hand in; the bytes are the payload of the leaf.
attachments: Final = Table(
    "attachments",
    metadata,
    Column("sm3", String(64), primary_key=True),
    Column("name", String(256), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("leaf", BigInteger, nullable=False),
)

person_keys: Final = Table(
    "person_keys",
    metadata,
    Column("fingerprint", String(64), primary_key=True),  # SM3 of the public key's SubjectPublicKeyInfo
    Column("person", String(128), nullable=False),  # as the audit log names them
    Column("public_pem", Text, nullable=False),
    Column("added", BigInteger, nullable=False),
    Column("added_by", String(128), nullable=False),
    Column("revoked", BigInteger),
)

attestations: Final = Table(
    "attestations",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("system", String(128), ForeignKey("graded_systems.id"), nullable=False),
    Column("object", String(256), nullable=False),  # '' is the system as a whole
    Column("check", String(16), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("state", String(16), nullable=False),  # submitted, accepted, rejected, withdrawn
    Column("author", String(128), nullable=False),
    Column("made", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("reviewer", String(128), nullable=False, server_default=""),
    Column("reviewed", BigInteger),
    Column("act", BigInteger, ForeignKey("acts.id"), nullable=False),
    Column("body", Text, nullable=False),  # the signed attestation as JSON
    Index(None, "system", "check", "object"),
    sqlite_autoincrement=True,
)

# Documents read as facts (firewall policies, backup jobs, scan results); the newest of a kind counts.
fact_imports: Final = Table(
    "fact_imports",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("system", String(128), ForeignKey("graded_systems.id"), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("sm3", String(64), nullable=False),  # of the document, an attachment
    Column("act", BigInteger, ForeignKey("acts.id"), nullable=False),
    Column("body", Text, nullable=False),  # the rows as JSON
    Index(None, "system", "kind", "id"),
    sqlite_autoincrement=True,
)

# The newest verdict per graded system, object and check; '' is the system as a whole.
object_results: Final = Table(
    "object_results",
    metadata,
    Column("system", String(128), ForeignKey("graded_systems.id"), primary_key=True),
    Column("object", String(256), primary_key=True),
    Column("check", String(16), primary_key=True),
    Column("verdict", String(16), nullable=False),
    Column("reason_zh", Text, nullable=False),
    Column("reason_en", Text, nullable=False),
    Column("evaluated", BigInteger, nullable=False),
    Column("stale_at", BigInteger),
    Column("leaf", BigInteger, nullable=False),  # of the check's evaluation that holds it
    Index(None, "system", "check"),
)

gate_decisions: Final = Table(
    "gate_decisions",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("time", BigInteger, nullable=False),
    Column("gate", String(16), nullable=False),  # transfer, go-live
    Column("system", String(128), nullable=False),
    Column("action", String(32), nullable=False),  # export, import, go-live
    Column("about", String(256), nullable=False),
    Column("allowed", Boolean(create_constraint=False), nullable=False),
    Column("ground", String(16), nullable=False),  # checks, grace, override, release
    Column("decider", String(128), nullable=False),
    Column("act", BigInteger, ForeignKey("acts.id"), nullable=False),
    Column("body", Text, nullable=False),  # the decision as JSON
    Index(None, "system", "time"),
    sqlite_autoincrement=True,
)

gate_overrides: Final = Table(
    "gate_overrides",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("gate", String(16), nullable=False),
    Column("system", String(128), nullable=False),
    Column("state", String(16), nullable=False),  # asked, approved, refused, ended
    Column("asked_by", String(128), nullable=False),
    Column("asked", BigInteger, nullable=False),
    Column("decided_by", String(128), nullable=False, server_default=""),
    Column("decided", BigInteger),
    Column("expires", BigInteger, nullable=False),
    Column("body", Text, nullable=False),  # the override as JSON
    Index(None, "gate", "system", "state"),
    sqlite_autoincrement=True,
)

# Only ever added to: the newest row holds until its time is over.
gate_releases: Final = Table(
    "gate_releases",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("released", Boolean(create_constraint=False), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("reason", Text, nullable=False),
    sqlite_autoincrement=True,
)

orders: Final = Table(
    "orders",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("number", String(32), nullable=False),
    Column("system", String(128), ForeignKey("graded_systems.id"), nullable=False),
    Column("object", String(256), nullable=False),
    Column("check", String(16), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("state", String(16), nullable=False),  # issued, answered, closed, cancelled
    Column("owner", String(128), nullable=False),
    Column("issued", BigInteger, nullable=False),
    Column("deadline", BigInteger, nullable=False),
    Column("reminded", Integer, nullable=False),  # 0, 50, 80, 100 percent of the time
    Column("escalated", Integer, nullable=False),  # 0 the owner, 1 the unit's lead, 2 the center above
    Column("retests_failed", Integer, nullable=False),
    Column("closed", BigInteger),
    Column("body", Text, nullable=False),  # the order as JSON
    Index(None, "number", unique=True),
    Index(None, "system", "check", "state"),
    sqlite_autoincrement=True,
)

order_events: Final = Table(
    "order_events",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("order", BigInteger, ForeignKey("orders.id"), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("action", String(32), nullable=False),
    Column("note", Text, nullable=False),
    Column("attachments", Text, nullable=False),  # SM3 of the files, separated by spaces
    Column("act", BigInteger, ForeignKey("acts.id"), nullable=False),
    Index(None, "order", "id"),
    sqlite_autoincrement=True,
)
