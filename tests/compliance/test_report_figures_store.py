"""Figures read from the tables of orders, attestations, gates and imports."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from compliance.enforcement_tables import acts, attestations, fact_imports, gate_decisions, orders
from compliance.report_figures_store import FiguresStore
from detection.store.state import writing
from detection.store.tables import micros

START = datetime(2026, 11, 1, tzinfo=UTC)
END = datetime(2026, 12, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SYSTEMS = {"local": "320000-local"}


@pytest.fixture
def figures(world: Any) -> FiguresStore:
    with writing(world.engine) as connection:
        for number in range(1, 12):
            act = {"kind": "order", "time": 1, "actor": "a", "subject": f"s{number}", "summary": "s"}
            connection.execute(insert(acts).values(act | {"payload": b"x"}))
        for number, (issued, deadline, closed, state, failed) in enumerate(
            (
                (START - 40 * DAY, START - 30 * DAY, START - 35 * DAY, "closed", 0),  # before the month
                (START - 20 * DAY, START + DAY, None, "issued", 2),  # from before, overdue
                (START + DAY, START + 9 * DAY, START + 5 * DAY, "closed", 0),  # in time
                (START + DAY, START + 9 * DAY, START + 12 * DAY, "closed", 1),  # late
                (START + DAY, END + DAY, None, "answered", 0),  # open, in time
                (START + DAY, START + 2 * DAY, None, "cancelled", 0),
                (END + DAY, END + 9 * DAY, None, "issued", 0),  # after it
            )
        ):
            row = {
                "number": f"N{number}",
                "system": "local",
                "object": "",
                "check": "PLT-01",
                "severity": "high",
                "state": state,
                "owner": "user:a",
                "issued": micros(issued),
                "deadline": micros(deadline),
                "reminded": 0,
                "escalated": 0,
                "retests_failed": failed,
                "closed": None if closed is None else micros(closed),
                "body": "{}",
            }
            connection.execute(insert(orders).values(row))
        for state, expires in (
            ("accepted", END + 90 * DAY),
            ("accepted", END + 10 * DAY),
            ("accepted", END - DAY),
            ("submitted", END),
            ("rejected", END),
        ):
            row = {
                "system": "local",
                "object": "",
                "check": "MGT-04",
                "verdict": "符合",
                "state": state,
                "author": "user:a",
                "made": micros(START),
                "expires": micros(expires),
                "act": 1,
                "body": "{}",
            }
            connection.execute(insert(attestations).values(row))
        for allowed, ground in ((True, "checks"), (True, "override"), (False, "checks")):
            row = {
                "time": micros(START),
                "gate": "transfer",
                "system": "local",
                "action": "export",
                "about": "t1",
                "allowed": allowed,
                "ground": ground,
                "decider": "gate",
                "act": 1,
                "body": "{}",
            }
            connection.execute(insert(gate_decisions).values(row))
        document = {"system": "local", "kind": "vulnerability.scan", "time": micros(START), "actor": "a"}
        more = {"sm3": "0" * 64, "act": 1, "body": '{"rows": [1, 2, 3]}'}
        connection.execute(insert(fact_imports).values(document | more))
    return FiguresStore(world.engine)


def test_orders_of_the_month_and_those_still_open(figures: FiguresStore) -> None:
    found = figures.orders(SYSTEMS, START, END, END + 30 * DAY)
    assert (found.issued, found.answered, found.closed, found.on_time) == (4, 3, 2, 1)
    assert (found.open, found.overdue, found.retests_failed) == (2, 1, 3)
    assert found.worst == (("320000-local", 1),)
    assert [row.number for row in found.rows] == ["N1", "N2", "N3", "N4"]
    early = figures.orders(SYSTEMS, START, END, START + 3 * DAY)
    assert (early.closed, early.overdue) == (0, 1)
    assert figures.orders({"other": "u"}, START, END, END).issued == 0


def test_attestations_gates_and_imports(figures: FiguresStore) -> None:
    found = figures.attestations(SYSTEMS, END)
    assert (found.valid, found.expiring, found.expired, found.waiting, found.rejected) == (2, 1, 1, 1, 1)
    gates = figures.gates(SYSTEMS, START, END)
    assert (gates.allowed, gates.refused, gates.overridden) == (2, 1, 1)
    assert gates.refusals == (("2026-11-01 08:00", "断传", "t1"),)
    (line,) = figures.imports(SYSTEMS, START, END)
    assert (line.kind, line.rows) == ("vulnerability.scan", 3)
    assert figures.gates(SYSTEMS, END, END + DAY).allowed == 0


def test_registered_before(figures: FiguresStore) -> None:
    registered = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
    assert figures.registered_before(("local",), registered + DAY)
    assert not figures.registered_before(("local",), registered)
    assert not figures.registered_before((), END)
