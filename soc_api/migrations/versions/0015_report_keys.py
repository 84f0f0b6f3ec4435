"""Reports may be signed by the person's own key."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0015"
down_revision: str | Sequence[str] | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Add the columns; signatures made so far are those of a session."""
    op.add_column(
        "report_signatures", sa.Column("key", sa.String(length=64), server_default="", nullable=False)
    )
    op.add_column("report_signatures", sa.Column("value", sa.Text(), server_default="", nullable=False))
    op.add_column("report_signatures", sa.Column("statement", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    """Remove them."""
    for name in ("statement", "value", "key"):
        op.drop_column("report_signatures", name)
