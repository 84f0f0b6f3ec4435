"""No account is replaced by another one: ``INSERT OR REPLACE`` went around the guards of roles and names."""

from collections.abc import Sequence

from alembic import op

from soc_api.identity_tables import ROLE_GUARDS

revision: str = "0030"
down_revision: str | Sequence[str] | None = "0029"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Add the trigger; PostgreSQL knows no such statement."""
    if op.get_bind().dialect.name == "sqlite":
        for statement in ROLE_GUARDS:  # those that are there already stay
            op.execute(statement)


def downgrade() -> None:
    """Drop it."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER IF EXISTS accounts_no_replace")
