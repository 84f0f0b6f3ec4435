"""Exceptions with what they held back, and the steps of playbooks that are done."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from detection.store.tables import RowId

revision: str = "0017"
down_revision: str | Sequence[str] | None = "0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Make the tables."""
    _exceptions()
    op.create_table(
        "exception_log",
        sa.Column("number", RowId, autoincrement=True, nullable=False),
        sa.Column("exception", sa.BigInteger(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        _of_exception("exception_log"),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_exception_log")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_exception_log_exception"), "exception_log", ["exception"])
    op.create_table(
        "exception_hits",
        sa.Column("exception", sa.BigInteger(), nullable=False),
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        _of_exception("exception_hits"),
        sa.PrimaryKeyConstraint("exception", "hour", name=op.f("pk_exception_hits")),
    )
    op.create_index(op.f("ix_exception_hits_hour"), "exception_hits", ["hour"])
    op.create_table(
        "exception_examples",
        sa.Column("exception", sa.BigInteger(), nullable=False),
        sa.Column("alert", sa.String(length=64), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        _of_exception("exception_examples"),
        sa.PrimaryKeyConstraint("exception", "alert", name=op.f("pk_exception_examples")),
    )
    op.create_table(
        "playbook_marks",
        sa.Column("group_id", sa.String(length=64), nullable=False),
        sa.Column("playbook", sa.String(length=64), nullable=False),
        sa.Column("step", sa.String(length=32), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["alert_groups.id"], name=op.f("fk_playbook_marks_group_id_alert_groups")
        ),
        sa.PrimaryKeyConstraint("group_id", "playbook", "step", name=op.f("pk_playbook_marks")),
    )


def downgrade() -> None:
    """Drop them, last made first."""
    for table in ("playbook_marks", "exception_examples", "exception_hits", "exception_log", "exceptions"):
        op.drop_table(table)


def _exceptions() -> None:
    op.create_table(
        "exceptions",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("unit", sa.String(length=128), nullable=False),
        sa.Column("units", sa.Text(), nullable=False),
        sa.Column("condition", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(length=128), nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("asked_by", sa.String(length=128), nullable=False),
        sa.Column("begins", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("grave", sa.Text(), nullable=False),
        sa.Column("decided", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.String(length=128), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("origin", sa.String(length=64), server_default="", nullable=False),
        sa.Column("expected", sa.Text(), server_default="{}", nullable=False),
        sa.CheckConstraint("kind IN ('exception', 'maintenance')", name=op.f("ck_exceptions_kind")),
        sa.CheckConstraint(
            "state IN ('waiting', 'active', 'refused', 'ended')", name=op.f("ck_exceptions_state")
        ),
        sa.CheckConstraint("expires > begins", name=op.f("ck_exceptions_span")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exceptions")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_exceptions_state_expires"), "exceptions", ["state", "expires"])


def _of_exception(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["exception"], ["exceptions.id"], name=op.f(f"fk_{table}_exception_exceptions")
    )
