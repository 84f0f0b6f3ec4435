"""The tables of detection: alerts, progress, segments and inventory."""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | Sequence[str] | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# SQLite numbers rows only in a column declared exactly INTEGER.
ROW_ID: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    for create in CREATED.values():
        create()


def downgrade() -> None:
    """Drop the tables, last made first."""
    for table in reversed(CREATED):
        op.drop_table(table)


def _alert_groups() -> None:
    op.create_table(
        "alert_groups",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(length=256), nullable=False),
        sa.Column("detector", sa.String(length=32), nullable=False),
        sa.Column("title_zh", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("unit", sa.String(length=128), nullable=False),
        sa.Column("sensor", sa.String(length=128), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.String(length=128), server_default="", nullable=False),
        sa.Column("classification", sa.String(length=32), server_default="", nullable=False),
        sa.Column("close_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("reason_zh", sa.Text(), nullable=False),
        sa.Column("reason_en", sa.Text(), nullable=False),
        sa.Column("attack", sa.Text(), nullable=False),
        sa.Column("clauses", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state IN ('new', 'acknowledged', 'closed')", name=op.f("ck_alert_groups_state")),
        sa.PrimaryKeyConstraint("id", name="pk_alert_groups"),
        sa.UniqueConstraint("key", "generation", name="uq_alert_groups_key_generation"),
    )
    op.create_index("ix_alert_groups_last_seen_id", "alert_groups", ["last_seen", "id"])
    op.create_index("ix_alert_groups_revision", "alert_groups", ["revision"])
    op.create_index("ix_alert_groups_state_last_seen", "alert_groups", ["state", "last_seen"])


def _counters() -> None:
    op.create_table(
        "counters",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_counters"),
    )


def _detector_state() -> None:
    op.create_table(
        "detector_state",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_detector_state"),
    )


def _pipeline_cursor() -> None:
    op.create_table(
        "pipeline_cursor",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_pipeline_cursor"),
    )


def _probe_results() -> None:
    op.create_table(
        "probe_results",
        sa.Column("host", sa.String(length=256), nullable=False),
        sa.Column("probe", sa.String(length=128), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("unit", sa.String(length=128), nullable=False),
        sa.Column("sensor", sa.String(length=128), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("values", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("host", "probe", name="pk_probe_results"),
    )


def _segments() -> None:
    op.create_table(
        "segments",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("sm3", sa.String(length=64), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("time_min", sa.BigInteger(), nullable=False),
        sa.Column("time_max", sa.BigInteger(), nullable=False),
        sa.Column("sequence_first", sa.BigInteger(), nullable=False),
        sa.Column("sequence_last", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("deleted", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("status IN ('sealed', 'deleted')", name=op.f("ck_segments_status")),
        sa.PrimaryKeyConstraint("id", name="pk_segments"),
        sa.UniqueConstraint("name", name="uq_segments_name"),
    )
    op.create_index("ix_segments_sequence_last", "segments", ["sequence_last"])
    op.create_index("ix_segments_time_max", "segments", ["time_max"])


def _sensor_gaps() -> None:
    op.create_table(
        "sensor_gaps",
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("sensor", sa.String(length=128), nullable=False),
        sa.Column("lane", sa.String(length=32), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("event", name="pk_sensor_gaps"),
    )
    op.create_index("ix_sensor_gaps_sensor_time", "sensor_gaps", ["sensor", "time"])


def _sensor_state() -> None:
    op.create_table(
        "sensor_state",
        sa.Column("sensor", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("unit", sa.String(length=128), nullable=False),
        sa.Column("host", sa.String(length=256), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_epoch", sa.BigInteger(), nullable=False),
        sa.Column("last_sequence", sa.BigInteger(), nullable=False),
        sa.Column("backlog", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("cpu_percent", sa.Float(), nullable=False),
        sa.Column("rss_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sources", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sensor", name="pk_sensor_state"),
    )


def _alert_history() -> None:
    op.create_table(
        "alert_history",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("group_id", sa.String(length=64), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["alert_groups.id"], name="fk_alert_history_group_id_alert_groups"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_alert_history"),
    )
    op.create_index("ix_alert_history_group_id", "alert_history", ["group_id"])


def _alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("group_id", sa.String(length=64), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("detected", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["group_id"], ["alert_groups.id"], name="fk_alerts_group_id_alert_groups"),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
    )
    op.create_index(
        "ix_alerts_kept",
        "alerts",
        ["group_id", "time"],
        sqlite_where=sa.text("body IS NOT NULL"),
        postgresql_where=sa.text("body IS NOT NULL"),
    )
    op.create_index("ix_alerts_time", "alerts", ["time"])


CREATED: Final = {
    "alert_groups": _alert_groups,
    "counters": _counters,
    "detector_state": _detector_state,
    "pipeline_cursor": _pipeline_cursor,
    "probe_results": _probe_results,
    "segments": _segments,
    "sensor_gaps": _sensor_gaps,
    "sensor_state": _sensor_state,
    "alert_history": _alert_history,
    "alerts": _alerts,
}
