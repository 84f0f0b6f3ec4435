"""Orders over one state database: each step is an event of the order and an act with a leaf to come."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, Engine, Select, insert, select, update

from compliance.acts_store import (
    REVISION,
    Act,
    add_act,
    canonical,
    changed_since,
    next_number,
    told_events,
)
from compliance.enforcement_tables import order_events
from compliance.enforcement_tables import orders as table
from compliance.order import OPEN, Order, Step
from crypto.words import Refused, Words
from detection.store.progress_store import bump
from detection.store.state import writing
from detection.store.tables import micros

PAGE_MAX: Final = 500
_order: Final = msgspec.json.Decoder(Order)


class OrderEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to an order; ``leaf`` is None while a job has not placed it."""

    time: datetime
    actor: str
    action: str
    note: str
    attachments: tuple[str, ...]
    leaf: int | None


class OrderStore:
    """Orders over one state database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def take(
        self, steps: Iterable[Step], actor: str, now: datetime, *, attachments: Sequence[str] = ()
    ) -> list[Order]:
        """Do what is due, all of it or none. Raises Refused (order-state) where an order moved meanwhile."""
        with writing(self._engine) as connection:
            bump(connection, REVISION)  # first: it holds other writers off, so that numbers follow commits
            return [_take(connection, step, actor, now, attachments) for step in steps]

    def get(self, number: str) -> Order:
        """One order. Raises Refused (order-not-found)."""
        with self._engine.connect() as connection:
            body = connection.scalar(select(table.c.body).where(table.c.number == number))
        if body is None:
            raise Refused(
                "order-not-found",
                Words(f"没有整改单 {number}", f"there is no order {number}"),
                Words("请从列表中选择", "choose one from the list"),
                field=number,
            )
        return _order.decode(body)

    def open_of(self, system: str) -> list[Order]:
        """The open orders of a system, oldest first."""
        query = _bodies().where(table.c.system == system, table.c.state.in_(sorted(OPEN)))
        with self._engine.connect() as connection:
            return [_order.decode(body) for body in connection.scalars(query.order_by(table.c.id))]

    def cancelled_of(self, system: str) -> list[Order]:
        """The orders of a system that were withdrawn, oldest first."""
        query = _bodies().where(table.c.system == system, table.c.state == "cancelled")
        with self._engine.connect() as connection:
            return [_order.decode(body) for body in connection.scalars(query.order_by(table.c.id))]

    def page(
        self,
        *,
        systems: Sequence[str] | None = None,
        state: str = "",
        check: str = "",
        before: int = 0,
        limit: int = 100,
    ) -> list[Order]:
        """Orders, newest first; state ``open`` is every state that is."""
        query = _bodies().order_by(table.c.id.desc()).limit(max(1, min(limit, PAGE_MAX)))
        if systems is not None:
            query = query.where(table.c.system.in_(list(systems)))
        if state:
            query = query.where(table.c.state.in_(sorted(OPEN) if state == "open" else [state]))
        if check:
            query = query.where(table.c.check == check)
        if before:
            query = query.where(table.c.id < before)
        with self._engine.connect() as connection:
            return [_order.decode(body) for body in connection.scalars(query)]

    def changed(self, after: int, systems: Sequence[str], limit: int) -> tuple[list[Order], int]:
        """Orders of these systems that changed after an event, by their last change; the last event read."""
        where = [table.c.system.in_(list(systems))]
        found = changed_since(
            self._engine, table, order_events, order_events.c.order, after, min(limit, PAGE_MAX), where
        )
        return [_order.decode(body) for _, body in found], found[-1][0] if found else after

    def between(self, start: datetime, end: datetime, systems: Sequence[str] | None = None) -> list[Order]:
        """Orders that were open at some time of a span, oldest first: what statistics count."""
        query = _bodies().where(
            table.c.issued < micros(end), table.c.closed.is_(None) | (table.c.closed >= micros(start))
        )
        if systems is not None:
            query = query.where(table.c.system.in_(list(systems)))
        with self._engine.connect() as connection:
            return [_order.decode(body) for body in connection.scalars(query.order_by(table.c.id))]

    def events(self, order: Order) -> list[OrderEvent]:
        """What happened to an order, oldest first."""
        of = order_events.c.order == order.id
        return told_events(self._engine, order_events, of, OrderEvent)


def _bodies() -> Select[str]:
    return select(table.c.body)


def _take(connection: Connection, step: Step, actor: str, now: datetime, attachments: Sequence[str]) -> Order:
    order = step.order
    if not order.id:
        number = next_number(connection, table.c.id)
        order = msgspec.structs.replace(order, id=number, number=f"{order.issued.year}-{number:06d}")
        connection.execute(insert(table).values(_row(order)))
    else:
        place = (table.c.id == order.id, table.c.state.in_(sorted(OPEN)))
        if not connection.execute(update(table).where(*place).values(_row(order))).rowcount:
            raise Refused(
                "order-state",
                Words(f"整改单 {order.number} 已办结", f"order {order.number} is closed by now"),
                Words("请刷新后重试", "reload and try again"),
                field=order.number,
            )
    event = next_number(connection, order_events.c.id)
    act = Act(
        kind="order",
        time=now,
        actor=actor,
        subject=f"order:{order.number}/{event}",
        summary=f"{order.check} {order.system} {step.action}: {step.note}",
        payload=canonical({"order": order, "action": step.action, "note": step.note, "files": attachments}),
    )
    values = {
        "id": event,
        "order": order.id,
        "time": micros(now),
        "actor": actor,
        "action": step.action,
        "note": step.note,
        "attachments": " ".join(attachments),
        "act": add_act(connection, act),
    }
    connection.execute(insert(order_events).values(values))
    return order


def _row(order: Order) -> dict[str, object]:
    return {
        "id": order.id,
        "number": order.number,
        "system": order.system,
        "object": order.object,
        "check": order.check,
        "severity": order.severity,
        "state": order.state,
        "owner": order.owner,
        "issued": micros(order.issued),
        "deadline": micros(order.deadline),
        "reminded": order.reminded,
        "escalated": order.escalated,
        "retests_failed": order.retests_failed,
        "closed": None if order.closed is None else micros(order.closed),
        "body": canonical(order).decode(),
    }
