"""The tables of transfers."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | Sequence[str] | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "transfers",
        sa.Column("direction", sa.String(length=3), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=256), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("direction", "id", name="pk_transfers"),
    )
    op.create_index("ix_transfers_direction_channel_state", "transfers", ["direction", "channel", "state"])
    op.create_index("ix_transfers_updated", "transfers", ["updated"])
    op.create_table(
        "transfer_channels",
        sa.Column("direction", sa.String(length=3), nullable=False),
        sa.Column("channel", sa.String(length=256), nullable=False),
        sa.Column("height", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("direction", "channel", name="pk_transfer_channels"),
    )
    op.create_table(
        "transfer_imports",
        sa.Column("sender", sa.String(length=256), nullable=False),
        sa.Column("channel", sa.String(length=256), nullable=False),
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("package_sm3", sa.String(length=64), nullable=False),
        sa.Column("package", sa.String(length=32), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("files", sa.BigInteger(), nullable=False),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("sender", "channel", "epoch", "sequence", name="pk_transfer_imports"),
        sa.UniqueConstraint("package_sm3", name="uq_transfer_imports_package_sm3"),
    )
    op.create_index("ix_transfer_imports_published", "transfer_imports", ["published"])
    op.create_table(
        "transfer_receipts",
        sa.Column("sm3", sa.String(length=64), nullable=False),
        sa.Column("direction", sa.String(length=3), nullable=False),
        sa.Column("package_sm3", sa.String(length=64), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sm3", name="pk_transfer_receipts"),
    )
    op.create_index("ix_transfer_receipts_package_sm3", "transfer_receipts", ["package_sm3"])


def downgrade() -> None:
    """Drop the tables, last made first."""
    for table in ("transfer_receipts", "transfer_imports", "transfer_channels", "transfers"):
        op.drop_table(table)
