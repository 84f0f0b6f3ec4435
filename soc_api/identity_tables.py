"""The tables of second factors; those of accounts and sessions are in tables.py."""

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, String, Table, Text

from detection.store.tables import metadata

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
