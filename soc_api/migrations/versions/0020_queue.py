"""The queue is sorted, sought and counted by columns of its own; acts can be undone, views are saved."""

import math
from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from alembic import op

revision: str = "0020"
down_revision: str | Sequence[str] | None = "0019"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_OPEN: Final = "state != 'closed' AND parent = ''"
_WEIGHTS: Final = {"informational": 1.0, "low": 3.0, "medium": 10.0, "high": 25.0, "critical": 50.0}
_DAY_MICROS: Final = 86_400_000_000
_ROWS: Final = 5_000
_SORTS: Final = {name: [name, "latest", "id"] for name in ("heat", "count", "rank")} | {
    "latest": ["latest", "id"]
}
_INDEXES: Final = (
    ["latest", "id"],
    ["rule", "latest"],
    ["unit", "latest"],
    ["owner", "latest"],
    ["entity_key", "latest"],
    ["parent", "latest"],
)
_FACETS: Final = [
    *("parent", "state", "snoozed_until", "rank", "detector", "unit"),
    *("owner", "rule", "entity_key", "latest", "count"),
]


def upgrade() -> None:
    """Add columns, fill them from what the rows hold, then index them; add the new tables."""
    for column in _columns():
        op.add_column("alert_groups", column)
    _fill()
    op.drop_index("ix_alert_groups_last_seen_id", "alert_groups")
    op.drop_index("ix_alert_groups_state_last_seen", "alert_groups")
    for names in _INDEXES:
        op.create_index(f"ix_alert_groups_{'_'.join(names)}", "alert_groups", names)
    for name, columns in _SORTS.items():
        where = sa.text(_OPEN)
        op.create_index(
            f"ix_alert_groups_open_{name}",
            "alert_groups",
            columns,
            sqlite_where=where,
            postgresql_where=where,
        )
    op.create_index("ix_alert_groups_facets", "alert_groups", _FACETS)
    _acts()
    _views()


def downgrade() -> None:
    """Remove them."""
    op.drop_table("alert_views")
    op.drop_table("alert_act_items")
    op.drop_table("alert_acts")
    for name in ("facets", *(f"open_{name}" for name in _SORTS), *("_".join(names) for names in _INDEXES)):
        op.drop_index(f"ix_alert_groups_{name}", "alert_groups")
    op.create_index("ix_alert_groups_last_seen_id", "alert_groups", ["last_seen", "id"])
    op.create_index("ix_alert_groups_state_last_seen", "alert_groups", ["state", "last_seen"])
    for column in reversed(_columns()):
        op.drop_column("alert_groups", column.name)


def _columns() -> list[sa.Column[object]]:
    return [
        sa.Column("rank", sa.Integer(), server_default="0", nullable=False),
        sa.Column("heat", sa.Float(), server_default="0", nullable=False),
        sa.Column("latest", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("entity_key", sa.Text(), server_default="", nullable=False),
        sa.Column("sought", sa.Text(), server_default="", nullable=False),
        sa.Column("parent", sa.String(length=64), server_default="", nullable=False),
        sa.Column("members", sa.Integer(), server_default="0", nullable=False),
        sa.Column("snoozed_until", sa.BigInteger(), server_default="0", nullable=False),
    ]


def _fill() -> None:
    ranks = " ".join(f"WHEN '{name}' THEN {place}" for place, name in enumerate(_WEIGHTS))
    texts = ["title_zh", "title_en", "entity", "rule", "sensor", "unit", "reason_zh", "reason_en"]
    joined = " || ' ' || ".join(texts)
    op.execute(
        f"UPDATE alert_groups SET rank = CASE severity {ranks} ELSE 0 END, latest = last_seen,"  # noqa: S608
        f" entity_key = lower(entity), sought = lower({joined})"
    )
    connection = op.get_bind()
    rows = connection.execute(
        sa.text('SELECT id, severity, "count" AS number, last_seen FROM alert_groups')
    ).all()
    heats = [
        {
            "id": row.id,
            "heat": math.log2(_WEIGHTS.get(row.severity, 1.0) * (1 + math.log2(max(row.number, 1)) / 8))
            + row.last_seen / _DAY_MICROS,
        }
        for row in rows
    ]
    for start in range(0, len(heats), _ROWS):
        some = heats[start : start + _ROWS]
        connection.execute(sa.text("UPDATE alert_groups SET heat = :heat WHERE id = :id"), some)


def _acts() -> None:
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "alert_acts",
        sa.Column("id", row_id, autoincrement=True, nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("refused", sa.Integer(), server_default="0", nullable=False),
        sa.Column("finished", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('running', 'done', 'undoing', 'undone')", name=op.f("ck_alert_acts_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_acts")),
    )
    op.create_index(op.f("ix_alert_acts_state"), "alert_acts", ["state"])
    op.create_index(op.f("ix_alert_acts_actor_id"), "alert_acts", ["actor", "id"])
    op.create_table(
        "alert_act_items",
        sa.Column("act", sa.BigInteger(), nullable=False),
        sa.Column("group_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=64), server_default="", nullable=False),
        sa.Column("change", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'done', 'refused', 'undone')", name=op.f("ck_alert_act_items_state")
        ),
        sa.ForeignKeyConstraint(["act"], ["alert_acts.id"], name=op.f("fk_alert_act_items_act_alert_acts")),
        sa.PrimaryKeyConstraint("act", "group_id", name=op.f("pk_alert_act_items")),
    )
    op.create_index(op.f("ix_alert_act_items_act_state"), "alert_act_items", ["act", "state"])


def _views() -> None:
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "alert_views",
        sa.Column("id", row_id, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=128), nullable=False),
        sa.Column("role", sa.String(length=32), server_default="", nullable=False),
        sa.Column("unit", sa.String(length=128), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_views")),
    )
    op.create_index(op.f("ix_alert_views_owner"), "alert_views", ["owner"])
    op.create_index(op.f("ix_alert_views_role_unit"), "alert_views", ["role", "unit"])
