"""The tables of compliance: units, graded systems, check results and reports."""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | Sequence[str] | None = "0001"
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


def _check_history() -> None:
    op.create_table(
        "check_history",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("system", sa.String(length=128), nullable=False),
        sa.Column("check", sa.String(length=16), nullable=False),
        sa.Column("evaluated", sa.BigInteger(), nullable=False),
        sa.Column("leaf", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_check_history"),
    )
    op.create_index("ix_check_history_system_check_id", "check_history", ["system", "check", "id"])


def _ledgered() -> None:
    op.create_table(
        "ledgered",
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("item", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name="pk_ledgered"),
    )


def _report_orders() -> None:
    op.create_table(
        "report_orders",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("ordered", sa.BigInteger(), nullable=False),
        sa.Column("report", sa.String(length=64), server_default="", nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("finished", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_report_orders"),
    )


def _reports() -> None:
    op.create_table(
        "reports",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("unit", sa.String(length=128), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("pdf_sm3", sa.String(length=64), nullable=False),
        sa.Column("xlsx_sm3", sa.String(length=64), nullable=False),
        sa.Column("leaf", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reports"),
    )
    op.create_index("ix_reports_month_unit_edition", "reports", ["month", "unit", "edition"], unique=True)


def _units() -> None:
    op.create_table(
        "units",
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("parent", sa.String(length=128), nullable=True),
        sa.ForeignKeyConstraint(["parent"], ["units.code"], name="fk_units_parent_units"),
        sa.PrimaryKeyConstraint("code", name="pk_units"),
    )


def _graded_systems() -> None:
    op.create_table(
        "graded_systems",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("unit", sa.String(length=128), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("grade", sa.String(length=16), nullable=False),
        sa.Column("state_secret", sa.Boolean(), nullable=False),
        sa.Column("registered", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("NOT state_secret", name=op.f("ck_graded_systems_no_state_secret")),
        sa.CheckConstraint("level BETWEEN 1 AND 4", name=op.f("ck_graded_systems_level")),
        sa.ForeignKeyConstraint(["unit"], ["units.code"], name="fk_graded_systems_unit_units"),
        sa.PrimaryKeyConstraint("id", name="pk_graded_systems"),
    )


def _assets() -> None:
    op.create_table(
        "assets",
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("system", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("found", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["system"], ["graded_systems.id"], name="fk_assets_system_graded_systems"),
        sa.PrimaryKeyConstraint("name", name="pk_assets"),
    )


def _check_results() -> None:
    op.create_table(
        "check_results",
        sa.Column("system", sa.String(length=128), nullable=False),
        sa.Column("check", sa.String(length=16), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("evaluated", sa.BigInteger(), nullable=False),
        sa.Column("leaf", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["system"], ["graded_systems.id"], name="fk_check_results_system_graded_systems"
        ),
        sa.PrimaryKeyConstraint("system", "check", name="pk_check_results"),
    )


CREATED: Final = {
    "check_history": _check_history,
    "ledgered": _ledgered,
    "report_orders": _report_orders,
    "reports": _reports,
    "units": _units,
    "graded_systems": _graded_systems,
    "assets": _assets,
    "check_results": _check_results,
}
