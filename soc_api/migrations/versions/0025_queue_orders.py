"""Closed groups, and all groups in every order, are found by walking an index."""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from alembic import op

revision: str = "0025"
down_revision: str | Sequence[str] | None = "0024"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_TOP: Final = "parent = ''"
_CLOSED: Final = "state = 'closed' AND parent = ''"
_SORTS: Final = ("heat", "count", "rank")


def upgrade() -> None:
    """Add the indexes."""
    for name in _SORTS:
        _index(f"top_{name}", [name, "latest", "id"], _TOP)
    _index("closed_latest", ["latest", "id"], _CLOSED)


def downgrade() -> None:
    """Remove them."""
    op.drop_index("ix_alert_groups_closed_latest", "alert_groups")
    for name in reversed(_SORTS):
        op.drop_index(f"ix_alert_groups_top_{name}", "alert_groups")


def _index(name: str, columns: list[str], where: str) -> None:
    op.create_index(
        f"ix_alert_groups_{name}",
        "alert_groups",
        columns,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )
