"""Rectification orders: the list with its figures, one with its history, what people do to it."""

from datetime import UTC, timedelta
from typing import Annotated, Final, Literal

from fastapi import Path, Query

from compliance.order import Order, statistics
from crypto.words import BadInput, Words
from soc_api.context import Center
from soc_api.enforcement_rows import Choose, Enforcing, order_row, systems_of
from soc_api.evidence_scope import need_file
from soc_api.order_bodies import (
    OrderAnswer,
    OrderChange,
    OrderDetail,
    OrderEventRow,
    OrderPage,
    OrderRetest,
    OrderStatistics,
)
from soc_api.routes.guard import Here, Visitor, conflicts, needs, router
from soc_api.routes.recorded import recorded

orders = router("orders")

SPAN: Final = timedelta(days=30)  # of the figures beside the list
_REFUSES: Final = conflicts("The order is closed, or the check still falls short")
Number = Annotated[str, Path(pattern=r"^20\d\d-\d{6,12}$")]
State = Literal["", "open", "issued", "answered", "closed", "cancelled"]


@orders.get("/orders", summary="Orders", response_model=OrderPage, openapi_extra=needs("checks.read"))
def page(
    center: Here,
    enforcement: Enforcing,
    visit: Visitor,
    system: Annotated[str, Query(max_length=64)] = "",
    state: State = "",
    check: Annotated[str, Query(max_length=16)] = "",
    before: Annotated[str, Query(max_length=20, pattern=r"^(20\d\d-\d{6,12})?$")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> OrderPage:
    """Of every graded system this account may see, newest first, with the figures of 30 days."""
    now = center.clock()
    seen = [one.id for one in systems_of(center, enforcement, visit) if system in ("", one.id)]
    found = enforcement.order_rows.page(
        systems=seen,
        state=state,
        check=check,
        before=enforcement.order_rows.get(before).id if before else 0,
        limit=limit,
    )
    start, end = now - SPAN, now + timedelta(microseconds=1)  # what was closed just now is in
    figures = statistics(enforcement.order_rows.between(start, end, seen), start, end)
    return OrderPage(
        rows=[order_row(one, now) for one in found],
        statistics=OrderStatistics.model_validate(figures, from_attributes=True),
        next=found[-1].number if len(found) == limit else "",
    )


@orders.get(
    "/orders/{number}",
    summary="One order",
    response_model=OrderDetail,
    responses=_REFUSES,
    openapi_extra=needs("checks.read"),
)
def detail(number: Number, center: Here, enforcement: Enforcing, choose: Choose) -> OrderDetail:
    """With everything that happened to it, oldest first."""
    return _detail(center, enforcement, _order(enforcement, choose, number))


@orders.post(
    "/orders/{number}/answer",
    summary="Say what was done",
    response_model=OrderDetail,
    responses=_REFUSES,
    openapi_extra=needs("orders.act"),
)
def answer(
    number: Number, body: OrderAnswer, center: Here, enforcement: Enforcing, choose: Choose, visit: Visitor
) -> OrderDetail:
    """With files as evidence; the next look of a probe, or another person, decides."""
    _order(enforcement, choose, number)
    for digest in body.attachments:
        need_file(center, visit, enforcement, digest)
    with recorded(center, visit, "order.answer", f"order:{number}"):
        done = enforcement.orders.answer(number, body.note, body.attachments, visit.actor, center.clock())
    return _detail(center, enforcement, done)


@orders.post(
    "/orders/{number}/retest",
    summary="Test again as a person",
    response_model=OrderDetail,
    responses=_REFUSES,
    openapi_extra=needs("orders.decide"),
)
def retest(
    number: Number, body: OrderRetest, center: Here, enforcement: Enforcing, choose: Choose, visit: Visitor
) -> OrderDetail:
    """Not by who answered it; what a probe still finds nobody can pass."""
    _order(enforcement, choose, number)
    with recorded(center, visit, "order.retest", f"order:{number}"):
        done = enforcement.orders.retest(
            number, passed=body.passed, note=body.note, actor=visit.actor, now=center.clock()
        )
    return _detail(center, enforcement, done)


@orders.post(
    "/orders/{number}/change",
    summary="Another owner, more time, or an end",
    response_model=OrderDetail,
    responses=_REFUSES,
    openapi_extra=needs("orders.decide"),
)
def change(
    number: Number, body: OrderChange, center: Here, enforcement: Enforcing, choose: Choose, visit: Visitor
) -> OrderDetail:
    """Exactly one of them, with a reason."""
    _order(enforcement, choose, number)
    if (bool(body.owner), body.deadline is not None, body.cancel).count(True) != 1:
        raise BadInput(
            "order-malformed",
            Words("请只选一项:改派、延期或撤销", "choose one of: another owner, more time, an end"),
            Words("请改正后重新提交", "correct it and send it again"),
            field="owner",
        )
    now, desk = center.clock(), enforcement.orders
    with recorded(center, visit, "order.change", f"order:{number}"):
        if body.owner:
            done = desk.assign(number, body.owner, body.note, visit.actor, now)
        elif body.deadline is not None:
            deadline = body.deadline if body.deadline.tzinfo else body.deadline.replace(tzinfo=UTC)
            done = desk.extend(number, deadline, body.note, visit.actor, now)
        else:
            done = desk.cancel(number, body.note, visit.actor, now)
    return _detail(center, enforcement, done)


def _order(enforcement: Enforcing, choose: Choose, number: str) -> Order:
    order = enforcement.order_rows.get(number)
    choose(order.system)
    return order


def _detail(center: Center, enforcement: Enforcing, order: Order) -> OrderDetail:
    events = enforcement.order_rows.events(order)
    return OrderDetail(
        order=order_row(order, center.clock()),
        events=[OrderEventRow.model_validate(one, from_attributes=True) for one in events],
    )
