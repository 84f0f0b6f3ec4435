"""Incidents and notices."""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from alembic import op

from detection.store.tables import RowId

revision: str = "0018"
down_revision: str | Sequence[str] | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Make the tables."""
    for create in CREATED.values():
        create()


def downgrade() -> None:
    """Drop the tables, last made first."""
    for table in reversed(CREATED):
        op.drop_table(table)


def _incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("unit", sa.String(length=128), nullable=False),
        sa.Column("system", sa.String(length=128), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("category", sa.String(length=32), nullable=False),
        sa.Column("grade", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(length=128), nullable=False),
        sa.Column("discovered", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=True),
        sa.Column("closed", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_incidents_number"), "incidents", ["number"], unique=True)
    op.create_index(op.f("ix_incidents_unit_state"), "incidents", ["unit", "state"])
    op.create_index(op.f("ix_incidents_updated"), "incidents", ["updated"])


def _incident_alerts() -> None:
    op.create_table(
        "incident_alerts",
        sa.Column("group_id", sa.String(length=96), nullable=False),
        sa.Column("incident", sa.BigInteger(), nullable=False),
        sa.Column("added", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident"], ["incidents.id"], name=op.f("fk_incident_alerts_incident_incidents")
        ),
        sa.PrimaryKeyConstraint("group_id", name=op.f("pk_incident_alerts")),
    )
    op.create_index(op.f("ix_incident_alerts_incident"), "incident_alerts", ["incident"])


def _incident_events() -> None:
    op.create_table(
        "incident_events",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("incident", sa.BigInteger(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("act", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident"], ["incidents.id"], name=op.f("fk_incident_events_incident_incidents")
        ),
        sa.ForeignKeyConstraint(["act"], ["acts.id"], name=op.f("fk_incident_events_act_acts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_events")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_incident_events_incident_id"), "incident_events", ["incident", "id"])


def _notices() -> None:
    op.create_table(
        "notices",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("issuer", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("serial", sa.Integer(), nullable=True),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.Column("issued", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("issuer", "year", "serial", name=op.f("uq_notices_issuer_year_serial")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_notices_issuer_state"), "notices", ["issuer", "state"])
    op.create_index(op.f("ix_notices_updated"), "notices", ["updated"])


def _notice_receivers() -> None:
    op.create_table(
        "notice_receivers",
        sa.Column("notice", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.String(length=128), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=True),
        sa.Column("closed", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["notice"], ["notices.id"], name=op.f("fk_notice_receivers_notice_notices")),
        sa.PrimaryKeyConstraint("notice", "unit", name=op.f("pk_notice_receivers")),
    )
    op.create_index(op.f("ix_notice_receivers_unit_state"), "notice_receivers", ["unit", "state"])


def _notice_events() -> None:
    op.create_table(
        "notice_events",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("notice", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.String(length=128), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("act", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["notice"], ["notices.id"], name=op.f("fk_notice_events_notice_notices")),
        sa.ForeignKeyConstraint(["act"], ["acts.id"], name=op.f("fk_notice_events_act_acts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_events")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_notice_events_notice_id"), "notice_events", ["notice", "id"])


CREATED: Final = {
    "incidents": _incidents,
    "incident_alerts": _incident_alerts,
    "incident_events": _incident_events,
    "notices": _notices,
    "notice_receivers": _notice_receivers,
    "notice_events": _notice_events,
}
