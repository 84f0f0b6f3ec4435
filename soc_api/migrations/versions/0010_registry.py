"""The registry grows: the tree of units, milestones, objects, people, tasks, statements, scores."""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from alembic import op

from detection.store.tables import RowId

revision: str = "0010"
down_revision: str | Sequence[str] | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_TEXTS: Final = ("owner", "note", "filing_number")
_FLAGS: Final = ("internet", "critical")
_DATES: Final = (
    "launched",
    "filed",
    "filing_expires",
    "assessed",
    "assessment_due",
    "crypto_assessed",
    "crypto_due",
)
_UNIT_COLUMNS: Final = ("kind", "retired")
_SYSTEM_COLUMNS: Final = ("extensions", "stage", *_TEXTS, *_FLAGS, *_DATES, "revision")


def upgrade() -> None:
    """Add the columns, make assets unique per system, make the tables."""
    op.add_column("units", _text("kind", sa.String(length=16), default="institution"))
    op.add_column("units", _flag("retired"))
    op.add_column("graded_systems", _text("extensions", default="[]"))
    op.add_column("graded_systems", _text("stage", sa.String(length=16), default="draft"))
    for name in _TEXTS:
        op.add_column("graded_systems", _text(name))
    for name in _FLAGS:
        op.add_column("graded_systems", _flag(name))
    for name in _DATES:
        op.add_column("graded_systems", sa.Column(name, sa.String(length=10), nullable=True))
    op.add_column(
        "graded_systems", sa.Column("revision", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.rename_table("assets", "assets_before")
    _assets()
    op.execute(
        "INSERT INTO assets (system, name, kind, found, origin) "
        "SELECT system, name, kind, found, 'sensor' FROM assets_before ORDER BY found, name"
    )
    op.drop_table("assets_before")
    for create in _CREATED.values():
        create()


def downgrade() -> None:
    """Drop them, last made first; an asset name that stands in several systems keeps its first."""
    for table in reversed(_CREATED):
        op.drop_table(table)
    op.drop_index(op.f("ix_assets_name"), "assets")
    op.rename_table("assets", "assets_after")
    op.create_table(
        "assets",
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("system", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("found", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["system"], ["graded_systems.id"], name="fk_assets_system_graded_systems"),
        sa.PrimaryKeyConstraint("name", name="pk_assets"),
    )
    op.execute(
        "INSERT INTO assets (name, system, kind, found) SELECT name, system, kind, found FROM assets_after "
        "WHERE number IN (SELECT min(number) FROM assets_after GROUP BY name)"
    )
    op.drop_table("assets_after")
    for column in reversed(_SYSTEM_COLUMNS):
        op.drop_column("graded_systems", column)
    for column in reversed(_UNIT_COLUMNS):
        op.drop_column("units", column)


def _text(name: str, kind: sa.types.TypeEngine[str] | None = None, default: str = "") -> sa.Column[str]:
    return sa.Column(name, kind or sa.Text(), server_default=default, nullable=False)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default="0", nullable=False)


def _system(length: int = 128) -> sa.Column[str]:
    return sa.Column("system", sa.String(length=length), nullable=False)


def _of_system(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["system"], ["graded_systems.id"], name=op.f(f"fk_{table}_system_graded_systems")
    )


def _assets() -> None:
    op.create_table(
        "assets",
        sa.Column("number", RowId, autoincrement=True, nullable=False),
        _system(),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        *(_text(name) for name in ("address", "owner", "location", "model")),
        _text("origin", sa.String(length=16), default="entered"),
        sa.Column("found", sa.BigInteger(), nullable=False),
        _flag("retired"),
        _of_system("assets"),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_assets")),
        sa.UniqueConstraint("system", "name", name=op.f("uq_assets_system_name")),
    )
    op.create_index(op.f("ix_assets_name"), "assets", ["name"])


def _milestones() -> None:
    op.create_table(
        "milestones",
        sa.Column("number", RowId, autoincrement=True, nullable=False),
        _system(),
        sa.Column("step", sa.String(length=32), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("conclusion", sa.Text(), nullable=False),
        sa.Column("valid_until", sa.String(length=10), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("recorded", sa.BigInteger(), nullable=False),
        _of_system("milestones"),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_milestones")),
    )
    op.create_index(op.f("ix_milestones_system_number"), "milestones", ["system", "number"])


def _assessment_objects() -> None:
    op.create_table(
        "assessment_objects",
        _system(),
        sa.Column("id", sa.String(length=160), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("asset", sa.BigInteger(), nullable=True),
        _text("note"),
        _flag("retired"),
        _of_system("assessment_objects"),
        sa.PrimaryKeyConstraint("system", "id", name=op.f("pk_assessment_objects")),
    )


def _contacts() -> None:
    op.create_table(
        "contacts",
        sa.Column("number", RowId, autoincrement=True, nullable=False),
        sa.Column("unit", sa.String(length=128), nullable=False),
        _text("system", sa.String(length=128)),
        sa.Column("duty", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        _text("phone"),
        _text("email"),
        sa.ForeignKeyConstraint(["unit"], ["units.code"], name=op.f("fk_contacts_unit_units")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_contacts")),
        sa.UniqueConstraint("unit", "system", "duty", "name", name=op.f("uq_contacts_unit_system_duty_name")),
    )


def _registry_tasks() -> None:
    op.create_table(
        "registry_tasks",
        sa.Column("number", RowId, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=256), nullable=False),
        sa.Column("unit", sa.String(length=128), nullable=False),
        _text("system", sa.String(length=128)),
        sa.Column("what_zh", sa.Text(), nullable=False),
        sa.Column("what_en", sa.Text(), nullable=False),
        sa.Column("opened", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.String(length=10), nullable=True),
        _text("state", sa.String(length=16), default="open"),
        sa.Column("closed", sa.BigInteger(), nullable=True),
        _text("actor", sa.String(length=128)),
        _text("reason"),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_registry_tasks")),
        sa.UniqueConstraint("kind", "key", name=op.f("uq_registry_tasks_kind_key")),
    )


def _registry_log() -> None:
    op.create_table(
        "registry_log",
        sa.Column("number", RowId, autoincrement=True, nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=256), nullable=False),
        sa.Column("unit", sa.String(length=128), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_registry_log")),
    )


def _item_statements() -> None:
    op.create_table(
        "item_statements",
        sa.Column("number", RowId, autoincrement=True, nullable=False),
        _system(),
        sa.Column("object", sa.String(length=160), nullable=False),
        sa.Column("item", sa.String(length=32), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        _text("risk", sa.String(length=16)),
        sa.Column("reason", sa.Text(), nullable=False),
        _text("mitigation"),
        sa.Column("author", sa.String(length=128), nullable=False),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.Column("valid_until", sa.BigInteger(), nullable=True),
        _text("state", sa.String(length=16), default="proposed"),
        _text("reviewer", sa.String(length=128)),
        sa.Column("reviewed", sa.BigInteger(), nullable=True),
        _text("review"),
        _of_system("item_statements"),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_item_statements")),
    )
    op.create_index(op.f("ix_item_statements_system_number"), "item_statements", ["system", "number"])


def _system_scores() -> None:
    op.create_table(
        "system_scores",
        _system(),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        _of_system("system_scores"),
        sa.PrimaryKeyConstraint("system", "day", name=op.f("pk_system_scores")),
    )


_CREATED: Final = {
    "milestones": _milestones,
    "assessment_objects": _assessment_objects,
    "contacts": _contacts,
    "registry_tasks": _registry_tasks,
    "registry_log": _registry_log,
    "item_statements": _item_statements,
    "system_scores": _system_scores,
}
