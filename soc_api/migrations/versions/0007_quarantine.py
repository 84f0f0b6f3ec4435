"""Sensors whose identity two machines use are quarantined."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | Sequence[str] | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("sensors", sa.Column("quarantined", sa.BigInteger(), nullable=True))
    op.add_column(
        "sensors", sa.Column("quarantine_reason", sa.String(length=64), server_default="", nullable=False)
    )


def downgrade() -> None:
    """Drop them, last made first."""
    for column in ("quarantine_reason", "quarantined"):
        op.drop_column("sensors", column)
