"""Packets asked for from the console."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | Sequence[str] | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "packet_requests",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("alert_group", sa.String(length=64), nullable=False),
        sa.Column("sensor", sa.String(length=128), nullable=False),
        sa.Column("community_id", sa.String(length=64), nullable=False),
        sa.Column("begins", sa.BigInteger(), nullable=False),
        sa.Column("ends", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("bytes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sm3", sa.String(length=64), server_default="", nullable=False),
        sa.Column("finished", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_packet_requests")),
    )
    op.create_index(op.f("ix_packet_requests_alert_group"), "packet_requests", ["alert_group"])
    op.create_index(op.f("ix_packet_requests_state"), "packet_requests", ["state"])


def downgrade() -> None:
    """Remove it."""
    op.drop_table("packet_requests")
