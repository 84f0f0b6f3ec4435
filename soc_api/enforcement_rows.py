"""Values of enforcement as the bodies of the API, and whose system a request may be about."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import Depends

from compliance.attestation import Attestation
from compliance.attestation_form import AttestationForm
from compliance.enforcement import Enforcement
from compliance.explanation import Explanation
from compliance.gate import GateDecision
from compliance.order import Order
from compliance.registry import GradedSystem
from compliance.registry_store import system_not_found
from crypto.words import LiuheError, Words
from soc_api import enforcement_bodies as bodies
from soc_api.bodies import Text
from soc_api.context import Center
from soc_api.gate_bodies import DecisionRow
from soc_api.identity import Visit
from soc_api.order_bodies import OrderRow
from soc_api.routes.guard import center_of, visit_of
from soc_api.unit_scope import need_unit, scope_of


def enforcement_of(center: Annotated[Center, Depends(center_of)]) -> Enforcement:
    """The enforcement of a center. Raises LiuheError where it was opened without."""
    if center.enforcement is None:
        raise LiuheError(
            "enforcement-closed",
            Words("本中心未启用合规执行", "this center runs without enforcement"),
            Words("请用 liuhe center run 启动中心", "start it with liuhe center run"),
        )
    return center.enforcement


Enforcing = Annotated[Enforcement, Depends(enforcement_of)]


def systems_of(center: Center, enforcement: Enforcement, visit: Visit) -> list[GradedSystem]:
    """The graded systems a visit may see."""
    scope = scope_of(center, visit, enforcement.registry.tree)
    return [one for one in enforcement.registry.systems() if scope.holds(one.unit)]


def chooser(
    center: Annotated[Center, Depends(center_of)],
    enforcement: Enforcing,
    visit: Annotated[Visit, Depends(visit_of)],
) -> Callable[[str], GradedSystem]:
    """The system a request names, '' the first one the visit may see.

    Raises Refused (system-not-found, unit-scope).
    """

    def choose(named: str) -> GradedSystem:
        scope = scope_of(center, visit, enforcement.registry.tree)
        if not named:
            seen = systems_of(center, enforcement, visit)
            if not seen:
                raise system_not_found()
            return seen[0]
        system = enforcement.registry.system(named)
        need_unit(center, visit, scope, system.unit)
        return system

    return choose


Choose = Annotated[Callable[[str], GradedSystem], Depends(chooser)]


def form_row(form: AttestationForm) -> bodies.AttestationForm:
    """A form."""
    return bodies.AttestationForm(
        valid_days=form.valid.days,
        attachments=form.attachments,
        review=form.review,
        asks=[
            bodies.Ask(
                name=ask.name,
                title=Text(zh=ask.title.zh, en=ask.title.en),
                kind=ask.kind,
                required=ask.required,
                choices=list(ask.choices),
                within_days=None if ask.within is None else ask.within.days,
            )
            for ask in form.asks
        ],
    )


def attestation_row(one: Attestation, now: datetime) -> bodies.AttestationRow:
    """An attestation."""
    said = one.statement
    return bodies.AttestationRow(
        id=one.id,
        system=said.system,
        object=said.object,
        check=said.check,
        verdict=said.verdict,
        reason=said.reason,
        answers=said.answers,
        attachments=list(said.attachments),
        author=said.author,
        made=said.made,
        expires=said.expires,
        state=one.state,
        reviewer=one.reviewer,
        reviewed=one.reviewed,
        note=one.note,
        signed_by=one.signed.signature.method,
        key=one.signed.signature.key,
        counts=one.counts(now),
        leaf=one.leaf,
    )


def decision_row(decision: GateDecision, number: int = 0, leaf: int | None = None) -> DecisionRow:
    """A decision of a gate."""
    names = [name for name in DecisionRow.model_fields if name not in ("id", "leaf")]
    given = {name: getattr(decision, name) for name in names}
    return DecisionRow.model_validate({**given, "id": number, "leaf": leaf}, from_attributes=True)


def order_row(order: Order, now: datetime) -> OrderRow:
    """An order."""
    names = [name for name in OrderRow.model_fields if name != "overdue"]
    given = {name: getattr(order, name) for name in names}
    return OrderRow.model_validate({**given, "overdue": order.overdue(now)}, from_attributes=True)


def explanation_row(told: Explanation, now: datetime) -> bodies.CheckExplanation:
    """A check explained."""
    given = {name: getattr(told, name) for name in bodies.CheckExplanation.model_fields}
    given["form"] = None if told.form is None else form_row(told.form)
    given["attestations"] = [attestation_row(one, now) for one in told.attestations]
    given["orders"] = [order_row(one, now) for one in told.orders]
    return bodies.CheckExplanation.model_validate(given, from_attributes=True)
