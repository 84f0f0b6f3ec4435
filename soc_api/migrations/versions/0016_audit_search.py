"""Audit lines say what was changed from and to, are found by what they say, and keep attempts."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from soc_api.tables import AUDIT_GUARDS, AUDIT_GUARDS_POSTGRESQL, AUDIT_VERBS

revision: str = "0016"
down_revision: str | Sequence[str] | None = "0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SOUGHT = ("time", "actor", "action", "source")


def upgrade() -> None:
    """Lines written so far are of format 1 and keep their digests."""
    op.add_column("audit_log", sa.Column("format", sa.Integer(), server_default="1", nullable=False))
    for name in ("before", "after"):
        op.add_column("audit_log", sa.Column(name, sa.String(length=64), server_default="", nullable=False))
    for name in SOUGHT:
        op.create_index(f"ix_audit_log_{name}", "audit_log", [name])
    op.create_table(
        "audit_attempts",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("verb", sa.String(length=16), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_attempts"),
    )
    if op.get_bind().dialect.name == "sqlite":
        for verb in AUDIT_VERBS:
            op.execute(f"DROP TRIGGER IF EXISTS audit_log_no_{verb.lower()}")
    for statement in AUDIT_GUARDS if op.get_bind().dialect.name == "sqlite" else AUDIT_GUARDS_POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    """Lines of format 2 can no longer be verified after this."""
    op.drop_table("audit_attempts")
    for name in SOUGHT:
        op.drop_index(f"ix_audit_log_{name}", "audit_log")
    for name in ("after", "before", "format"):
        op.drop_column("audit_log", name)
