"""The tables of second factors, tokens and set-up, and the rules of the roles that the database itself keeps.

Accounts and sessions are in tables.py. An account has one role; the roles of the three administrators are
granted to fresh accounts alone and never change, and one person has one account: the database refuses the
rest, whoever asks.
"""

from typing import Final

from sqlalchemy import DDL, BigInteger, Column, ForeignKey, Index, String, Table, Text, event

from detection.store.tables import metadata
from soc_api.tables import accounts

# One device for an account. The secret is sealed (secret_box.py), its key lies outside the database.
second_factors: Final = Table(
    "second_factors",
    metadata,
    Column("account", BigInteger, ForeignKey("accounts.id"), primary_key=True, autoincrement=False),
    Column("hash", String(8), nullable=False),  # "sm3" or "sha256"
    Column("secret", Text, nullable=False),
    Column("made", BigInteger, nullable=False),
    Column("bound", BigInteger),  # NULL until a code has proven that the device has the secret
    Column("last_step", BigInteger, nullable=False),  # codes of this step and earlier are spent
)

# Tokens of programs and of screens on the wall; of each the center keeps only a digest.
api_tokens: Final = Table(
    "api_tokens",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("account", BigInteger, ForeignKey("accounts.id"), nullable=False),  # whose rights it lends
    Column("kind", String(8), nullable=False),  # "api" or "kiosk"
    Column("name", String(64), nullable=False),
    Column("permissions", Text, nullable=False),  # separated by spaces
    Column("unit", String(128), nullable=False),
    Column("source", String(64), nullable=False),  # the only address it is taken from; "" any
    Column("made", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("revoked", BigInteger),
    Column("used", BigInteger),  # last, to the minute
    Index(None, "account"),
)

# One row: set-up is open until it has made the three administrators.
setup: Final = Table(
    "setup",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("opened", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),  # of the token that ends it; "" before one is given out
    Column("ended", BigInteger),
)

_THREE: Final = "('system_admin', 'security_admin', 'audit_admin')"
_KNOWN: Final = (
    "('', 'system_admin', 'security_admin', 'audit_admin', 'analyst', 'shift_lead', 'compliance_officer', "
    "'wall_display')"
)
_CHANGED: Final = (
    f"OLD.role <> NEW.role AND (OLD.role IN {_THREE} OR (NEW.role IN {_THREE} AND OLD.role <> ''))"
)
ROLE_GUARDS: Final = (
    (
        "CREATE TRIGGER IF NOT EXISTS accounts_role_known BEFORE INSERT ON accounts "
        f"WHEN NEW.role NOT IN {_KNOWN} BEGIN SELECT RAISE(ABORT, 'no such role'); END"
    ),
    (
        "CREATE TRIGGER IF NOT EXISTS accounts_role_kept BEFORE UPDATE ON accounts "
        f"WHEN NEW.role NOT IN {_KNOWN} OR ({_CHANGED}) "
        "BEGIN SELECT RAISE(ABORT, 'an administrator has this role alone'); END"
    ),
    (
        "CREATE TRIGGER IF NOT EXISTS accounts_name_kept BEFORE UPDATE OF username, person ON accounts "
        "WHEN NEW.username <> OLD.username OR (OLD.person IS NOT NULL AND NEW.person IS NOT OLD.person) "
        "BEGIN SELECT RAISE(ABORT, 'an account stays with its person'); END"
    ),
    (
        "CREATE TRIGGER IF NOT EXISTS accounts_no_delete BEFORE DELETE ON accounts "
        "BEGIN SELECT RAISE(ABORT, 'names are not given out twice'); END"
    ),
    (
        "CREATE TRIGGER IF NOT EXISTS accounts_no_replace BEFORE INSERT ON accounts "
        "WHEN EXISTS (SELECT 1 FROM accounts WHERE id = NEW.id OR username = NEW.username "
        "OR person = NEW.person) BEGIN SELECT RAISE(ABORT, 'an account is not replaced'); END"
    ),
)
ROLE_GUARDS_POSTGRESQL: Final = (
    (
        "CREATE OR REPLACE FUNCTION accounts_refuses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF TG_OP = 'DELETE' THEN RAISE EXCEPTION 'names are not given out twice'; END IF; "
        f"IF NEW.role NOT IN {_KNOWN} THEN RAISE EXCEPTION 'no such role'; END IF; "
        "IF TG_OP = 'UPDATE' THEN "
        f"IF {_CHANGED} THEN RAISE EXCEPTION 'an administrator has this role alone'; END IF; "
        "IF NEW.username <> OLD.username "
        "OR (OLD.person IS NOT NULL AND NEW.person IS DISTINCT FROM OLD.person) "
        "THEN RAISE EXCEPTION 'an account stays with its person'; END IF; END IF; RETURN NEW; END $$"
    ),
    (
        "CREATE OR REPLACE TRIGGER accounts_guard BEFORE INSERT OR UPDATE OR DELETE ON accounts "
        "FOR EACH ROW EXECUTE FUNCTION accounts_refuses()"
    ),
)

for _dialect, _statements in (("sqlite", ROLE_GUARDS), ("postgresql", ROLE_GUARDS_POSTGRESQL)):
    for _statement in _statements:
        _made = DDL(_statement).execute_if(dialect=_dialect)  # type: ignore[no-untyped-call]
        event.listen(accounts, "after_create", _made)
