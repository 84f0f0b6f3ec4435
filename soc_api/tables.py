"""The tables of identity and audit, added to the one ``metadata`` of the relational state.

Times are microseconds as everywhere in the state (``detection.store.tables.micros``). Rows of ``audit_log``
are only ever added: triggers refuse UPDATE and DELETE, and each row carries the SM3 of the row before it.
"""

from typing import Final

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    event,
    false,
)

from detection.store.tables import RowId, metadata

accounts: Final = Table(
    "accounts",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("username", String(64), nullable=False, unique=True),  # never deleted, so never given out twice
    Column("display_name", String(128), nullable=False),
    Column("role", String(32), nullable=False),
    Column("unit", String(128), nullable=False),
    Column("password", Text, nullable=False),  # scrypt with its parameters and salt, see passwords.py
    Column("password_changed", BigInteger, nullable=False),
    Column("must_change", Boolean, nullable=False),
    Column("one_time_expires", BigInteger),  # NULL once the person has chosen a password
    Column("disabled", Boolean, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("person", String(64)),  # how the unit names the person, say a staff number: one has one account
    # The system administrator has issued its one-time password; the security administrator has yet to agree.
    Column("waits", Boolean, nullable=False, server_default=false()),
    Column("created_by", String(128), nullable=False, server_default=""),
    Index("uq_accounts_person", "person", unique=True),
)

passwords_past: Final = Table(
    "passwords_past",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("account", BigInteger, ForeignKey("accounts.id"), nullable=False),
    Column("password", Text, nullable=False),
    Column("time", BigInteger, nullable=False),
    Index(None, "account"),
)

# Counted by the name that was typed, known or not: a locked name does not tell whether it exists.
login_failures: Final = Table(
    "login_failures",
    metadata,
    Column("name_digest", String(64), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("locked_until", BigInteger, nullable=False),  # 0: not locked
    Index(None, "last"),
)

sessions: Final = Table(
    "sessions",
    metadata,
    Column("token_digest", String(64), primary_key=True),  # the token itself is only in the cookie
    Column("account", BigInteger, ForeignKey("accounts.id"), nullable=False),
    Column("source", String(64), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    # "" where a one-time password opened it: then it binds a second factor and does nothing else.
    Column("factor", String(8), nullable=False, server_default=""),
    Index(None, "account"),
    Index(None, "expires"),
)

audit_log: Final = Table(
    "audit_log",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),  # from 1, without a hole
    Column("time", BigInteger, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("source", String(64), nullable=False),
    Column("action", String(64), nullable=False),
    Column("object", Text, nullable=False),
    Column("result", String(128), nullable=False),
    Column("digest", String(64), nullable=False),  # SM3 over the previous digest and this row
    Column("format", Integer, nullable=False, server_default="1"),  # of the digest's rule, see audit.py
    Column("before", String(64), nullable=False, server_default=""),  # SM3 of what was changed, as it was
    Column("after", String(64), nullable=False, server_default=""),  # and as it is since
    Index("ix_audit_log_time", "time"),
    Index("ix_audit_log_actor", "actor"),
    Index("ix_audit_log_action", "action"),
    Index("ix_audit_log_source", "source"),
)

# Attempts to change lines past the center; a job makes them lines of their own and takes them from here.
audit_attempts: Final = Table(
    "audit_attempts",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("verb", String(16), nullable=False),  # "UPDATE", "DELETE" or "REPLACE"
    Column("line", BigInteger, nullable=False),
)

# One row: writers take its lock first, so that two of them never chain onto the same row.
audit_head: Final = Table(
    "audit_head",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),
)

AUDIT_VERBS: Final = ("UPDATE", "DELETE")
# What migration 0003 made; AUDIT_GUARDS replace it.
AUDIT_TRIGGERS: Final = tuple(
    f"CREATE TRIGGER IF NOT EXISTS audit_log_no_{verb.lower()} BEFORE {verb} ON audit_log "
    "BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END"
    for verb in AUDIT_VERBS
)
# FAIL, not ABORT: what was tried is kept even where it was tried with another program than the center.
_REFUSED: Final = "SELECT RAISE(FAIL, 'audit_log is append-only'); END"
AUDIT_GUARDS: Final = (
    f"""CREATE TRIGGER IF NOT EXISTS audit_log_no_update BEFORE UPDATE ON audit_log BEGIN
    INSERT INTO audit_attempts (verb, line) VALUES ('UPDATE', OLD.sequence); {_REFUSED}""",  # noqa: S608 -- a constant
    f"""CREATE TRIGGER IF NOT EXISTS audit_log_no_delete BEFORE DELETE ON audit_log BEGIN
    INSERT INTO audit_attempts (verb, line) VALUES ('DELETE', OLD.sequence); {_REFUSED}""",  # noqa: S608 -- a constant
    # INSERT OR REPLACE deletes without asking the trigger of deletions.
    f"""CREATE TRIGGER IF NOT EXISTS audit_log_no_replace BEFORE INSERT ON audit_log
    WHEN EXISTS (SELECT 1 FROM audit_log WHERE sequence = NEW.sequence) BEGIN
    INSERT INTO audit_attempts (verb, line) VALUES ('REPLACE', NEW.sequence); {_REFUSED}""",  # noqa: S608 -- a constant
)
# A refused statement takes back there what its trigger wrote: it is refused and leaves no attempt.
AUDIT_GUARDS_POSTGRESQL: Final = (
    """CREATE OR REPLACE FUNCTION audit_log_refuses() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'audit_log is append-only'; END $$""",
    """CREATE OR REPLACE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuses()""",
)

for _dialect, _statements in (("sqlite", AUDIT_GUARDS), ("postgresql", AUDIT_GUARDS_POSTGRESQL)):
    for _statement in _statements:
        event.listen(audit_attempts, "after_create", DDL(_statement).execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]
