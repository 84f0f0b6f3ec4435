"""Changes of hosts have a table, views of the hunt page and drafts of rules are kept."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0021"
down_revision: str | Sequence[str] | None = "0020"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "host_changes",
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("unit", sa.String(length=128), nullable=False),
        sa.Column("host", sa.String(length=256), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("while_down", sa.Boolean(create_constraint=False), nullable=False),
        sa.PrimaryKeyConstraint("event", name=op.f("pk_host_changes")),
    )
    op.create_index(op.f("ix_host_changes_unit_host_time"), "host_changes", ["unit", "host", "time"])
    op.create_index(op.f("ix_host_changes_time"), "host_changes", ["time"])
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "hunt_views",
        sa.Column("id", row_id, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=128), nullable=False),
        sa.Column("role", sa.String(length=32), server_default="", nullable=False),
        sa.Column("unit", sa.String(length=128), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hunt_views")),
    )
    op.create_index(op.f("ix_hunt_views_owner"), "hunt_views", ["owner"])
    op.create_index(op.f("ix_hunt_views_role_unit"), "hunt_views", ["role", "unit"])
    op.create_table(
        "rule_drafts",
        sa.Column("id", row_id, autoincrement=True, nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author", sa.String(length=128), nullable=False),
        sa.Column("unit", sa.String(length=128), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), server_default="draft", nullable=False),
        sa.Column("decider", sa.String(length=128), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("decided", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("state IN ('draft', 'accepted', 'refused')", name=op.f("ck_rule_drafts_state")),
        sa.CheckConstraint("decider = '' OR decider <> author", name=op.f("ck_rule_drafts_two_persons")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_drafts")),
        sa.UniqueConstraint("rule", name=op.f("uq_rule_drafts_rule")),
    )
    op.create_index(op.f("ix_rule_drafts_state_time"), "rule_drafts", ["state", "time"])


def downgrade() -> None:
    """Remove them."""
    op.drop_table("rule_drafts")
    op.drop_table("hunt_views")
    op.drop_table("host_changes")
