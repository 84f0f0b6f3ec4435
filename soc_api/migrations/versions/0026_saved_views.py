"""One table of saved views for all pages; groups that are merged have an index of their own."""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from alembic import op

revision: str = "0026"
down_revision: str | Sequence[str] | None = "0025"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_PAGES: Final = {"alerts": "alert_views", "hunt": "hunt_views"}
_KEPT: Final = ("name", "owner", "role", "unit", "settings", "time")
_MERGED: Final = "parent != ''"
_PARENTS: Final = "ix_alert_groups_parent_latest"


def upgrade() -> None:
    """Move the views of both pages into one table."""
    op.create_table("saved_views", *_columns(sa.Column("page", sa.String(length=16), nullable=False)))
    _indexed("saved_views")
    saved = sa.table("saved_views", *map(sa.column, ("page", *_KEPT)))
    for page, table in _PAGES.items():
        old = sa.table(table, *map(sa.column, _KEPT))
        rows = sa.select(sa.literal(page), *(old.c[name] for name in _KEPT))
        op.execute(saved.insert().from_select(["page", *_KEPT], rows))
        op.drop_table(table)
    op.drop_index(_PARENTS, "alert_groups")
    where = sa.text(_MERGED)
    op.create_index(
        _PARENTS, "alert_groups", ["parent", "latest"], sqlite_where=where, postgresql_where=where
    )


def downgrade() -> None:
    """Give each page its table back."""
    op.drop_index(_PARENTS, "alert_groups")
    op.create_index(_PARENTS, "alert_groups", ["parent", "latest"])
    saved = sa.table("saved_views", *map(sa.column, ("page", *_KEPT)))
    for page, table in _PAGES.items():
        op.create_table(table, *_columns())
        _indexed(table)
        old = sa.table(table, *map(sa.column, _KEPT))
        rows = sa.select(*(saved.c[name] for name in _KEPT)).where(saved.c.page == page)
        op.execute(old.insert().from_select(list(_KEPT), rows))
    op.drop_table("saved_views")


def _indexed(table: str) -> None:
    op.create_index(op.f(f"ix_{table}_owner"), table, ["owner"])
    op.create_index(op.f(f"ix_{table}_role_unit"), table, ["role", "unit"])


def _columns(*more: sa.Column[str]) -> list[sa.schema.SchemaItem]:
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    table = "saved_views" if more else None
    return [
        sa.Column("id", row_id, autoincrement=True, nullable=False),
        *more,
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=128), nullable=False),
        sa.Column("role", sa.String(length=32), server_default="", nullable=False),
        sa.Column("unit", sa.String(length=128), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}") if table else None),
    ]
