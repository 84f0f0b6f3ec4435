"""The risk of each entity is kept as one number, and the queue is sorted by it."""

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from alembic import op

revision: str = "0029"
down_revision: str | Sequence[str] | None = "0028"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_OPEN: Final = "state != 'closed' AND parent = ''"
_TOP: Final = "parent = ''"
_ENTITY: Final = ["entity_key", "unit", "latest", "id"]
_HARMLESS: Final = ("false_positive", "benign_positive", "test")
_ROWS: Final = 5_000


def upgrade() -> None:
    """Add the table, fill it from the groups that count, index groups by their entity, alerts by group."""
    op.create_table(
        "entity_heats",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("unit", sa.String(length=128), nullable=False),
        sa.Column("entity_key", sa.Text(), nullable=False),
        sa.Column("heat", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entity_heats")),
        sa.UniqueConstraint("entity_key", "unit", name=op.f("uq_entity_heats_entity_key_unit")),
    )
    _fill()
    op.create_index("ix_entity_heats_heat", "entity_heats", ["heat", "id"])
    op.create_index("ix_alert_groups_entity", "alert_groups", _ENTITY)
    op.create_index("ix_alerts_group_id_time", "alerts", ["group_id", "time"])
    for name in ("open_heat", "top_heat", "entity_key_latest"):
        op.drop_index(f"ix_alert_groups_{name}", "alert_groups")


def downgrade() -> None:
    """Sort by the groups' own heats again."""
    op.drop_index("ix_alerts_group_id_time", "alerts")
    op.create_index("ix_alert_groups_entity_key_latest", "alert_groups", ["entity_key", "latest"])
    for name, where in (("top_heat", sa.text(_TOP)), ("open_heat", sa.text(_OPEN))):
        op.create_index(
            f"ix_alert_groups_{name}",
            "alert_groups",
            ["heat", "latest", "id"],
            sqlite_where=where,
            postgresql_where=where,
        )
    op.drop_index("ix_alert_groups_entity", "alert_groups")
    op.drop_table("entity_heats")


def _fill() -> None:
    connection = op.get_bind()
    heats: dict[tuple[str, str], list[float]] = defaultdict(list)
    query = sa.text("SELECT unit, entity_key, heat, classification FROM alert_groups")
    for row in connection.execute(query):
        found = heats[row.unit, row.entity_key]
        if row.classification not in _HARMLESS:
            found.append(row.heat)
    rows = [
        {"unit": unit, "key": key, "heat": _summed(found)} for (unit, key), found in sorted(heats.items())
    ]
    made = sa.text("INSERT INTO entity_heats (unit, entity_key, heat) VALUES (:unit, :key, :heat)")
    for start in range(0, len(rows), _ROWS):
        connection.execute(made, rows[start : start + _ROWS])


def _summed(heats: list[float]) -> float:
    if not heats:
        return 0.0
    hottest = max(heats)
    return hottest + math.log2(math.fsum(2.0 ** (heat - hottest) for heat in heats))
