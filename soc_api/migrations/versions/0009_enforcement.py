"""Attestations, imported documents, object results, gates and orders."""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from alembic import op

from detection.store.tables import RowId

revision: str = "0009"
down_revision: str | Sequence[str] | None = "0008"
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


def _acts() -> None:
    op.create_table(
        "acts",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("subject", sa.String(length=256), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acts")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_acts_kind_leaf"), "acts", ["kind", "leaf"])
    op.create_index(op.f("ix_acts_subject"), "acts", ["subject"], unique=True)


def _attachments() -> None:
    op.create_table(
        "attachments",
        sa.Column("sm3", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("leaf", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sm3", name=op.f("pk_attachments")),
    )


def _person_keys() -> None:
    op.create_table(
        "person_keys",
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=128), nullable=False),
        sa.Column("public_pem", sa.Text(), nullable=False),
        sa.Column("added", sa.BigInteger(), nullable=False),
        sa.Column("added_by", sa.String(length=128), nullable=False),
        sa.Column("revoked", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_person_keys")),
    )


def _attestations() -> None:
    op.create_table(
        "attestations",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("system", sa.String(length=128), nullable=False),
        sa.Column("object", sa.String(length=256), nullable=False),
        sa.Column("check", sa.String(length=16), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("author", sa.String(length=128), nullable=False),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("reviewer", sa.String(length=128), server_default="", nullable=False),
        sa.Column("reviewed", sa.BigInteger(), nullable=True),
        sa.Column("act", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["act"], ["acts.id"], name=op.f("fk_attestations_act_acts")),
        sa.ForeignKeyConstraint(
            ["system"], ["graded_systems.id"], name=op.f("fk_attestations_system_graded_systems")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attestations")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_attestations_system_check_object"), "attestations", ["system", "check", "object"]
    )


def _fact_imports() -> None:
    op.create_table(
        "fact_imports",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("system", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("sm3", sa.String(length=64), nullable=False),
        sa.Column("act", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["act"], ["acts.id"], name=op.f("fk_fact_imports_act_acts")),
        sa.ForeignKeyConstraint(
            ["system"], ["graded_systems.id"], name=op.f("fk_fact_imports_system_graded_systems")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fact_imports")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_fact_imports_system_kind_id"), "fact_imports", ["system", "kind", "id"])


def _object_results() -> None:
    op.create_table(
        "object_results",
        sa.Column("system", sa.String(length=128), nullable=False),
        sa.Column("object", sa.String(length=256), nullable=False),
        sa.Column("check", sa.String(length=16), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("reason_zh", sa.Text(), nullable=False),
        sa.Column("reason_en", sa.Text(), nullable=False),
        sa.Column("evaluated", sa.BigInteger(), nullable=False),
        sa.Column("stale_at", sa.BigInteger(), nullable=True),
        sa.Column("leaf", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["system"], ["graded_systems.id"], name=op.f("fk_object_results_system_graded_systems")
        ),
        sa.PrimaryKeyConstraint("system", "object", "check", name=op.f("pk_object_results")),
    )
    op.create_index(op.f("ix_object_results_system_check"), "object_results", ["system", "check"])


def _gate_decisions() -> None:
    op.create_table(
        "gate_decisions",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("gate", sa.String(length=16), nullable=False),
        sa.Column("system", sa.String(length=128), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("about", sa.String(length=256), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("ground", sa.String(length=16), nullable=False),
        sa.Column("decider", sa.String(length=128), nullable=False),
        sa.Column("act", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["act"], ["acts.id"], name=op.f("fk_gate_decisions_act_acts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate_decisions")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_gate_decisions_system_time"), "gate_decisions", ["system", "time"])


def _gate_overrides() -> None:
    op.create_table(
        "gate_overrides",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("gate", sa.String(length=16), nullable=False),
        sa.Column("system", sa.String(length=128), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("asked_by", sa.String(length=128), nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.String(length=128), server_default="", nullable=False),
        sa.Column("decided", sa.BigInteger(), nullable=True),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate_overrides")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_gate_overrides_gate_system_state"), "gate_overrides", ["gate", "system", "state"]
    )


def _gate_releases() -> None:
    op.create_table(
        "gate_releases",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("released", sa.Boolean(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate_releases")),
        sqlite_autoincrement=True,
    )


def _orders() -> None:
    op.create_table(
        "orders",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("system", sa.String(length=128), nullable=False),
        sa.Column("object", sa.String(length=256), nullable=False),
        sa.Column("check", sa.String(length=16), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.String(length=128), nullable=False),
        sa.Column("issued", sa.BigInteger(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=False),
        sa.Column("reminded", sa.Integer(), nullable=False),
        sa.Column("escalated", sa.Integer(), nullable=False),
        sa.Column("retests_failed", sa.Integer(), nullable=False),
        sa.Column("closed", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["system"], ["graded_systems.id"], name=op.f("fk_orders_system_graded_systems")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_orders_number"), "orders", ["number"], unique=True)
    op.create_index(op.f("ix_orders_system_check_state"), "orders", ["system", "check", "state"])


def _order_events() -> None:
    op.create_table(
        "order_events",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("order", sa.BigInteger(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("attachments", sa.Text(), nullable=False),
        sa.Column("act", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["act"], ["acts.id"], name=op.f("fk_order_events_act_acts")),
        sa.ForeignKeyConstraint(["order"], ["orders.id"], name=op.f("fk_order_events_order_orders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_events")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_order_events_order_id"), "order_events", ["order", "id"])


CREATED: Final = {
    "acts": _acts,
    "attachments": _attachments,
    "person_keys": _person_keys,
    "attestations": _attestations,
    "fact_imports": _fact_imports,
    "object_results": _object_results,
    "gate_decisions": _gate_decisions,
    "gate_overrides": _gate_overrides,
    "gate_releases": _gate_releases,
    "orders": _orders,
    "order_events": _order_events,
}
