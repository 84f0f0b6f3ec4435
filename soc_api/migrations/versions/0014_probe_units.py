"""Probe results are kept per unit and host: two units may have hosts of one name."""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | Sequence[str] | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_COLUMNS: Final = 'unit, host, probe, time, event, sensor, method, raw, "values", error'


def upgrade() -> None:
    """The unit joins the key; every result has one already."""
    _rebuild("unit", "host", "probe", where="")


def downgrade() -> None:
    """Of hosts with one name the newest result stays."""
    newest = "(time, event, unit) = (SELECT time, event, unit FROM probe_results_before AS other"
    newest += " WHERE other.host = probe_results_before.host AND other.probe = probe_results_before.probe"
    _rebuild("host", "probe", where=f" WHERE {newest} ORDER BY time DESC, event DESC, unit DESC LIMIT 1)")


def _rebuild(*key: str, where: str) -> None:
    op.rename_table("probe_results", "probe_results_before")
    if op.get_bind().dialect.name != "sqlite":  # there a key's name is its index's, of which there is one
        op.drop_constraint("pk_probe_results", "probe_results_before", type_="primary")
    op.create_table(
        "probe_results",
        sa.Column("unit", sa.String(length=128), nullable=False),
        sa.Column("host", sa.String(length=256), nullable=False),
        sa.Column("probe", sa.String(length=128), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("sensor", sa.String(length=128), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("values", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint(*key, name="pk_probe_results"),
    )
    op.execute(
        f"INSERT INTO probe_results ({_COLUMNS}) SELECT {_COLUMNS} FROM probe_results_before{where}"  # noqa: S608
    )
    op.drop_table("probe_results_before")
