"""The six-layer checklist: all checks, one check with its evidence, and an evaluation now."""

from typing import Annotated, Final

from fastapi import Depends, Path, Query

from compliance.explanation import explain
from crypto.words import Refused, Words
from soc_api.bodies import CheckDetail, CheckPage
from soc_api.context import Center
from soc_api.enforcement_bodies import CheckExplanation
from soc_api.enforcement_rows import Choose, Enforcing, enforcement_of, explanation_row
from soc_api.personal_tables import account_names
from soc_api.routes.guard import Here, Veiled, Visitor, conflicts, needs, router
from soc_api.routes.recorded import recorded
from soc_api.routes.veil import Veil
from soc_api.unit_scope import scope_of

checks = router("checks")

Check = Annotated[str, Path(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9-]+$")]
System = Annotated[str, Query(max_length=64, description="Id of a graded system; the first one by default")]
_REFUSES: Final = conflicts("An evaluation is already running")


def about(center: Here, choose: Choose, visit: Visitor, system: System = "") -> str:
    """The system asked about, '' where the center is to take its first.

    Raises Refused (system-not-found, unit-scope).
    """
    whole = scope_of(center, visit, enforcement_of(center).registry.tree).units is None
    return "" if whole and not system else choose(system).id


About = Annotated[str, Depends(about)]


@checks.get("/checks", summary="All checks", response_model=CheckPage, openapi_extra=needs("checks.read"))
def page(center: Here, system: About) -> CheckPage:
    """Every check of a system with its verdict now; what has no fresh evidence is 未知."""
    found = center.compliance.check_page(center.clock(), system)
    return CheckPage.model_validate(found, from_attributes=True)


@checks.post(
    "/checks/evaluate",
    summary="Evaluate now",
    response_model=CheckPage,
    responses=_REFUSES,
    openapi_extra=needs("checks.evaluate"),
)
def evaluate(center: Here, visit: Visitor, system: About) -> CheckPage:
    """Evaluate all checks of all systems from the newest evidence; what changed becomes leaves."""
    with recorded(center, visit, "checks.evaluate", "checklist"):
        after = center.compliance.evaluate(visit.actor, center.clock(), system)
    return CheckPage.model_validate(after, from_attributes=True)


@checks.get(
    "/checks/{check}",
    summary="One check with its evidence",
    response_model=CheckDetail,
    responses=_REFUSES,
    openapi_extra=needs("checks.read"),
)
def detail(check: Check, center: Here, visit: Visitor, system: About, veil: Veiled) -> CheckDetail:
    """Why this verdict: the condition, the probe results behind it, and what would change it."""
    _hide_accounts(center, veil)
    with recorded(center, visit, "evidence.read", f"check:{check}"):
        found = center.compliance.check_detail(check, center.clock(), system)
    return CheckDetail.model_validate(found, from_attributes=True)


@checks.get(
    "/checks/{check}/explanation",
    summary="A check explained",
    response_model=CheckExplanation,
    responses=_REFUSES,
    openapi_extra=needs("checks.read"),
)
def explanation(
    check: Check,
    center: Here,
    enforcement: Enforcing,
    choose: Choose,
    visit: Visitor,
    veil: Veiled,
    system: System = "",
) -> CheckExplanation:
    """Why this verdict on each object, on which evidence, what would change it, which gates it closes."""
    _hide_accounts(center, veil)
    chosen, now = choose(system).id, center.clock()
    asked = enforcement.checks.get(check)
    if asked is None:
        raise Refused(
            "check-not-found",
            Words("没有这个检查项", "there is no such check"),
            Words("请从清单中选择", "choose one from the list"),
            field=check,
        )
    with recorded(center, visit, "evidence.read", f"check:{check}"):
        told = explain(
            asked,
            chosen,
            enforcement.verdicts.newest(chosen).get(check),
            now,
            attestations=enforcement.attestations.page(system=chosen, check=check, limit=20),
            orders=enforcement.order_rows.page(systems=[chosen], check=check, limit=20),
            kinds=enforcement.kinds,
            gates=enforcement.gates.rules,
        )
    return explanation_row(told, now)


def _hide_accounts(center: Center, veil: Veil | None) -> None:
    """Probes quote what hosts say of their accounts, as text too."""
    if veil is not None and not veil.plain:
        veil.know(account_names(center.hosts))
