"""Rules are switched on and off, their versions and what the pipeline measures are kept."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from detection.store.tables import RowId

revision: str = "0008"
down_revision: str | Sequence[str] | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "rule_versions",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("rule", sa.String(length=256), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_versions")),
    )
    op.create_index(op.f("ix_rule_versions_rule"), "rule_versions", ["rule"])
    op.create_table(
        "rule_decisions",
        sa.Column("revision", RowId, autoincrement=True, nullable=False),
        sa.Column("rule", sa.String(length=256), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("revision", name=op.f("pk_rule_decisions")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_rule_decisions_rule"), "rule_decisions", ["rule"])
    op.create_table(
        "rule_reports",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_rule_reports")),
    )


def downgrade() -> None:
    """Drop them, last made first."""
    for table in ("rule_reports", "rule_decisions", "rule_versions"):
        op.drop_table(table)
