"""Accounts name their person and wait for the second administrator; roles kept apart; tokens; set-up."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from soc_api.identity_tables import ROLE_GUARDS, ROLE_GUARDS_POSTGRESQL

revision: str = "0022"
down_revision: str | Sequence[str] | None = "0021"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Accounts made so far keep their roles; a center made so far has been set up."""
    op.add_column("accounts", sa.Column("person", sa.String(length=64), nullable=True))
    op.add_column("accounts", sa.Column("waits", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column(
        "accounts", sa.Column("created_by", sa.String(length=128), server_default="", nullable=False)
    )
    op.create_index("uq_accounts_person", "accounts", ["person"], unique=True)
    _tokens()
    op.create_table(
        "setup",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("opened", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_setup"),
    )
    sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in ROLE_GUARDS if sqlite else ROLE_GUARDS_POSTGRESQL:
        op.execute(statement)


def _tokens() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("account", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("permissions", sa.Text(), nullable=False),
        sa.Column("unit", sa.String(length=128), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("revoked", sa.BigInteger(), nullable=True),
        sa.Column("used", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="fk_api_tokens_account_accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_api_tokens"),
    )
    op.create_index("ix_api_tokens_account", "api_tokens", ["account"])


def downgrade() -> None:
    """The roles are kept apart by the program alone."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    names = ("role_known", "role_kept", "name_kept", "no_delete") if sqlite else ("guard",)
    for name in names:
        op.execute(f"DROP TRIGGER IF EXISTS accounts_{name}" + ("" if sqlite else " ON accounts"))
    op.drop_table("setup")
    op.drop_table("api_tokens")
    op.drop_index("uq_accounts_person", "accounts")
    for name in ("created_by", "waits", "person"):
        op.drop_column("accounts", name)
