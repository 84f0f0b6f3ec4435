"""Sensors are moved, drained and revoked with a reason; gaps are numbered for the ledger."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | Sequence[str] | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_NUMBERED = """
UPDATE sensor_gaps SET number = (
    SELECT COUNT(*) FROM sensor_gaps AS older
    WHERE older.time < sensor_gaps.time
        OR (older.time = sensor_gaps.time AND older.event <= sensor_gaps.event)
)
"""
_COUNTED = "INSERT INTO counters (name, value) SELECT 'gaps', COUNT(*) FROM sensor_gaps"


def upgrade() -> None:
    """Add the columns; gaps that are there already are numbered by their time."""
    op.add_column("sensor_gaps", sa.Column("number", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("sensor_gaps", sa.Column("leaf", sa.BigInteger(), nullable=True))
    op.add_column("sensor_gaps", sa.Column("begins", sa.BigInteger(), nullable=True))
    op.add_column("sensor_gaps", sa.Column("ends", sa.BigInteger(), nullable=True))
    op.create_index("ix_sensor_gaps_number", "sensor_gaps", ["number"])
    op.execute(_NUMBERED)
    op.execute(_COUNTED)
    op.add_column("sensor_state", sa.Column("beat", sa.BigInteger(), nullable=True))
    for column in ("last_sequences", "received"):
        op.add_column("sensor_state", sa.Column(column, sa.Text(), server_default="{}", nullable=False))
    op.add_column(
        "enrolment_tokens", sa.Column("group_name", sa.String(length=64), server_default="", nullable=False)
    )
    op.add_column("sensors", sa.Column("group_name", sa.String(length=64), server_default="", nullable=False))
    op.add_column(
        "sensors", sa.Column("revoked_by", sa.String(length=128), server_default="", nullable=False)
    )
    op.add_column("sensors", sa.Column("revoked_reason", sa.Text(), server_default="", nullable=False))
    op.add_column("sensors", sa.Column("draining", sa.BigInteger(), nullable=True))
    op.add_column("sensors", sa.Column("drained", sa.BigInteger(), nullable=True))
    op.add_column("sensors", sa.Column("drain_goal", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    """Drop them, last made first."""
    for column in ("drain_goal", "drained", "draining", "revoked_reason", "revoked_by", "group_name"):
        op.drop_column("sensors", column)
    op.drop_column("enrolment_tokens", "group_name")
    for column in ("received", "last_sequences", "beat"):
        op.drop_column("sensor_state", column)
    op.drop_index("ix_sensor_gaps_number", table_name="sensor_gaps")
    op.execute("DELETE FROM counters WHERE name = 'gaps'")
    for column in ("ends", "begins", "leaf", "number"):
        op.drop_column("sensor_gaps", column)
