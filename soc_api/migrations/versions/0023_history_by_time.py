"""What was done to alerts is counted by its time."""

from collections.abc import Sequence

from alembic import op

revision: str = "0023"
down_revision: str | Sequence[str] | None = "0022"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Make the index."""
    name = op.f("ix_alert_history_action_time_group_id")
    op.create_index(name, "alert_history", ["action", "time", "group_id"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index(op.f("ix_alert_history_action_time_group_id"), table_name="alert_history")
