"""Sensors renew their certificates and take configurations; their heartbeats say more."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | Sequence[str] | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Create the tables, add the columns."""
    op.create_table(
        "sensor_renewals",
        sa.Column("sensor", sa.String(length=64), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("key_digest", sa.String(length=64), nullable=False),
        sa.Column("issued", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sensor"),
    )
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "sensor_configurations",
        sa.Column("version", number, autoincrement=True, nullable=False),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("unit", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("group_name", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("version"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_sensor_configurations_unit_kind_group_name",
        "sensor_configurations",
        ["unit", "kind", "group_name"],
    )
    op.add_column(
        "sensor_state",
        sa.Column("configuration_version", sa.BigInteger(), server_default="0", nullable=False),
    )
    op.add_column("sensor_state", sa.Column("clock_offset_seconds", sa.Float(), nullable=True))
    op.add_column("sensor_state", sa.Column("drops", sa.Text(), server_default="{}", nullable=False))


def downgrade() -> None:
    """Drop them, last made first."""
    for column in ("drops", "clock_offset_seconds", "configuration_version"):
        op.drop_column("sensor_state", column)
    op.drop_index("ix_sensor_configurations_unit_kind_group_name", table_name="sensor_configurations")
    op.drop_table("sensor_configurations")
    op.drop_table("sensor_renewals")
