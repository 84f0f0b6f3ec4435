"""Figures of a month for reports, read straight from the tables of orders, attestations, gates, results.

Reads only. Everything is asked for a set of graded systems, and what came after ``end`` is left out as far as
the tables remember how it was before.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Engine, RowMapping, func, select

from compliance.enforcement_tables import attestations, fact_imports, gate_decisions, orders
from compliance.evaluation import Evaluation
from compliance.registry_tables import graded_systems
from compliance.report.model import (
    SEVERITIES_ZH,
    AttestationFigures,
    GateFigures,
    ImportLine,
    OrderFigures,
    OrderLine,
)
from compliance.report.times import minute
from compliance.tables import check_history
from detection.store.tables import alert_history, from_micros, micros

EXPIRING: Final = timedelta(days=30)
_ROWS_MAX: Final = 5_000
_WORST_MAX: Final = 10
_GATES_ZH: Final = {"transfer": "断传", "go-live": "禁上线"}
_ORDER_STATES_ZH: Final = {
    "issued": "已下发",
    "answered": "已反馈",
    "closed": "已闭环",
    "cancelled": "已撤销",
}
_decoder: Final = msgspec.json.Decoder(Evaluation)


class FiguresStore:
    """Figures over one state database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def orders(
        self, systems: Mapping[str, str], start: datetime, end: datetime, now: datetime
    ) -> OrderFigures:
        """Orders issued in [start, end) and those still open then; ``systems`` maps a system to its unit."""
        asked = min(end, now)
        query = (
            select(orders)
            .where(
                orders.c.issued < micros(asked), _in(orders.c.system, systems), orders.c.state != "cancelled"
            )
            .order_by(orders.c.issued, orders.c.id)
            .limit(_ROWS_MAX)
        )
        rows = [row for row in self._rows(query) if row["closed"] is None or row["closed"] >= micros(start)]
        closed = [row for row in rows if _closed_by(row, asked)]
        late = [row for row in rows if not _closed_by(row, asked) and row["deadline"] < micros(asked)]
        counted: dict[str, int] = {}
        for row in late:
            unit = systems.get(row["system"], "")
            counted[unit] = counted.get(unit, 0) + 1
        return OrderFigures(
            issued=len(rows),
            answered=sum(row["state"] in ("answered", "closed") for row in rows),
            closed=len(closed),
            on_time=sum(row["closed"] <= row["deadline"] for row in closed),
            open=len(rows) - len(closed),
            overdue=len(late),
            retests_failed=sum(row["retests_failed"] for row in rows),
            worst=tuple(sorted(counted.items(), key=lambda one: (-one[1], one[0]))[:_WORST_MAX]),
            rows=tuple(_order_line(row, asked) for row in rows),
        )

    def attestations(self, systems: Collection[str], at: datetime) -> AttestationFigures:
        """Attestations as they stand at ``at``."""
        columns = attestations.c.state, attestations.c.expires
        query = select(*columns).where(attestations.c.made < micros(at), _in(attestations.c.system, systems))
        rows = self._rows(query)
        states = [row["state"] for row in rows]
        valid = [
            row["expires"] for row in rows if row["state"] == "accepted" and row["expires"] >= micros(at)
        ]
        return AttestationFigures(
            valid=len(valid),
            waiting=states.count("submitted"),
            expired=states.count("accepted") - len(valid),
            rejected=states.count("rejected"),
            expiring=sum(expires < micros(at + EXPIRING) for expires in valid),
        )

    def gates(self, systems: Collection[str], start: datetime, end: datetime) -> GateFigures:
        """What the gates decided in [start, end)."""
        table = gate_decisions.c
        query = select(table.time, table.gate, table.about, table.allowed, table.ground)
        rows = self._rows(query.where(_within(table.time, start, end), _in(table.system, systems)))
        refused = [row for row in rows if not row["allowed"]]
        return GateFigures(
            allowed=len(rows) - len(refused),
            refused=len(refused),
            overridden=sum(row["ground"] == "override" for row in rows),
            refusals=tuple(
                (minute(from_micros(row["time"])), _GATES_ZH.get(row["gate"], row["gate"]), row["about"])
                for row in refused[:_ROWS_MAX]
            ),
        )

    def imports(self, systems: Collection[str], start: datetime, end: datetime) -> tuple[ImportLine, ...]:
        """Documents imported as facts in [start, end)."""
        table = fact_imports.c
        query = select(table.system, table.kind, table.time, table.sm3, table.body).order_by(table.id)
        wanted = _within(table.time, start, end), _in(table.system, systems)
        return tuple(
            ImportLine(
                system=row["system"],
                kind=row["kind"],
                time=minute(from_micros(row["time"])),
                rows=_length(row["body"]),
                sm3=row["sm3"],
            )
            for row in self._rows(query.where(*wanted).limit(_ROWS_MAX))
        )

    def verdicts_at(self, systems: Collection[str], moment: datetime) -> dict[tuple[str, str], Evaluation]:
        """(system, check) -> what was the verdict then: the last change of each before ``moment``."""
        table = check_history.c
        newest = (
            select(func.max(table.id))
            .where(table.evaluated < micros(moment), _in(table.system, systems))
            .group_by(table.system, table.check)
        )
        rows = self._rows(select(table.body).where(table.id.in_(newest)))
        found = [_decoder.decode(row["body"]) for row in rows]
        return {(one.system, one.check): one for one in found}

    def fell_short(
        self, systems: Collection[str], start: datetime, end: datetime
    ) -> dict[tuple[str, str], Evaluation]:
        """(system, check) -> the last verdict that fell short in [start, end), mended since or not."""
        table = check_history.c
        wanted = _within(table.evaluated, start, end), _in(table.system, systems)
        found: dict[tuple[str, str], Evaluation] = {}
        for row in self._rows(select(table.body).where(*wanted).order_by(table.id)):
            one = _decoder.decode(row["body"])
            if one.verdict in ("不符合", "部分符合"):
                found[one.system, one.check] = one
        return found

    def registered_before(self, systems: Collection[str], moment: datetime) -> bool:
        """Whether one of these systems was registered by then: before that there is nothing to report."""
        known = select(graded_systems.c.id).where(
            graded_systems.c.registered < micros(moment), _in(graded_systems.c.id, systems)
        )
        return bool(self._rows(known.limit(1)))

    def handling_minutes(self, start: datetime, end: datetime) -> tuple[float | None, float | None]:
        """Mean minutes from an alert group's opening to its first acknowledgement and closing."""
        first = (
            select(
                alert_history.c.group_id, alert_history.c.action, func.min(alert_history.c.time).label("time")
            )
            .where(alert_history.c.action.in_(("opened", "acknowledged", "closed")))
            .group_by(alert_history.c.group_id, alert_history.c.action)
            .subquery()
        )
        opened, later = first.alias("opened"), first.alias("later")
        query = (
            select(later.c.action, func.avg(later.c.time - opened.c.time).label("took"))
            .join_from(opened, later, opened.c.group_id == later.c.group_id)
            .where(
                opened.c.action == "opened", _within(opened.c.time, start, end), later.c.action != "opened"
            )
            .group_by(later.c.action)
        )
        took = {row["action"]: float(row["took"]) / 60e6 for row in self._rows(query)}
        return took.get("acknowledged"), took.get("closed")

    def _rows(self, query: Any) -> Sequence[RowMapping]:
        with self._engine.connect() as connection:
            return connection.execute(query).mappings().all()


def _in(column: ColumnElement[str], names: Collection[str]) -> ColumnElement[bool]:
    return column.in_(sorted(names))


def _within(column: ColumnElement[int], start: datetime, end: datetime) -> ColumnElement[bool]:
    return (column >= micros(start)) & (column < micros(end))


def _closed_by(row: RowMapping, moment: datetime) -> bool:
    return row["closed"] is not None and row["closed"] < micros(moment)


def _order_line(row: RowMapping, asked: datetime) -> OrderLine:
    done = _closed_by(row, asked)
    return OrderLine(
        number=row["number"],
        system=row["system"],
        check=row["check"],
        severity=SEVERITIES_ZH.get(row["severity"], row["severity"]),
        state=_ORDER_STATES_ZH.get(row["state"], row["state"]),
        owner=row["owner"],
        issued=minute(from_micros(row["issued"])),
        deadline=minute(from_micros(row["deadline"])),
        closed=minute(from_micros(row["closed"])) if done else "",
        overdue=not done and row["deadline"] < micros(asked),
        retests_failed=row["retests_failed"],
    )


def _length(body: str) -> int:
    decoded = msgspec.json.decode(body)
    if isinstance(decoded, dict):
        decoded = decoded.get("rows", decoded)
    return len(decoded) if isinstance(decoded, list | dict) else 1
