"""Reports grow: whom they are about, their state and files, edited sections, three signatures."""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | Sequence[str] | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_DIGESTS: Final = ("docx_sm3", "p7s_sm3", "model_sm3", "content_sm3")
_COLUMNS: Final = ("scope", "state", "revision", "corrects", "due", *_DIGESTS)


def upgrade() -> None:
    """Add the columns and tables; what was made before has no signatures, so it is a draft."""
    op.add_column("reports", _text("scope", 16, "unit"))
    op.add_column("reports", _text("state", 16, "draft"))
    op.add_column("reports", sa.Column("revision", sa.Integer(), server_default="0", nullable=False))
    op.add_column("reports", _text("corrects", 64))
    op.add_column("reports", _text("due", 10))
    for name in _DIGESTS:
        op.add_column("reports", _text(name, 64))
    op.drop_index("ix_reports_month_unit_edition", "reports")
    columns = ["month", "scope", "unit", "edition"]
    op.create_index("ix_reports_month_scope_unit_edition", "reports", columns, unique=True)
    op.add_column("report_orders", _text("scope", 16, "unit"))
    op.add_column("report_orders", _text("unit", 128))
    _sections()
    _signatures()


def downgrade() -> None:
    """Drop them; reports of single systems go, there is no place for them."""
    op.drop_table("report_signatures")
    op.drop_table("report_sections")
    op.drop_column("report_orders", "unit")
    op.drop_column("report_orders", "scope")
    op.execute("DELETE FROM reports WHERE scope <> 'unit'")
    op.drop_index("ix_reports_month_scope_unit_edition", "reports")
    op.create_index("ix_reports_month_unit_edition", "reports", ["month", "unit", "edition"], unique=True)
    for name in reversed(_COLUMNS):
        op.drop_column("reports", name)


def _text(name: str, length: int, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.String(length=length), server_default=default, nullable=False)


def _sections() -> None:
    op.create_table(
        "report_sections",
        sa.Column("report", sa.String(length=64), nullable=False),
        sa.Column("section", sa.String(length=32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["report"], ["reports.id"], name=op.f("fk_report_sections_report_reports")),
        sa.PrimaryKeyConstraint("report", "section", name=op.f("pk_report_sections")),
    )


def _signatures() -> None:
    op.create_table(
        "report_signatures",
        sa.Column("report", sa.String(length=64), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("signed", sa.BigInteger(), nullable=False),
        sa.Column("leaf", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["report"], ["reports.id"], name=op.f("fk_report_signatures_report_reports")),
        sa.PrimaryKeyConstraint("report", "step", name=op.f("pk_report_signatures")),
    )
