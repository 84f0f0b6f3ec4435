"""A second factor for every account; sessions say which one opened them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0019"
down_revision: str | Sequence[str] | None = "0018"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Sessions opened with a password alone end here."""
    op.create_table(
        "second_factors",
        sa.Column("account", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(length=8), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.Column("bound", sa.BigInteger(), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="fk_second_factors_account_accounts"),
        sa.PrimaryKeyConstraint("account", name="pk_second_factors"),
    )
    op.execute("DELETE FROM sessions")
    op.add_column("sessions", sa.Column("factor", sa.String(length=8), server_default="", nullable=False))


def downgrade() -> None:
    """Accounts are left with their passwords."""
    op.drop_column("sessions", "factor")
    op.drop_table("second_factors")
