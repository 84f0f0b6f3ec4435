"""The six-layer checklist: all checks, one check with its evidence, and an evaluation now."""

from typing import Annotated, Final

from fastapi import Path, Query

from compliance.explanation import explain
from crypto.words import Refused, Words
from soc_api.bodies import CheckDetail, CheckPage
from soc_api.enforcement_bodies import CheckExplanation
from soc_api.enforcement_rows import Choose, Enforcing, explanation_row
from soc_api.routes.guard import Here, Visitor, conflicts, needs, router
from soc_api.routes.recorded import recorded

checks = router("checks")

Check = Annotated[str, Path(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9-]+$")]
_REFUSES: Final = conflicts("An evaluation is already running")


@checks.get("/checks", summary="All checks", response_model=CheckPage, openapi_extra=needs("checks.read"))
def page(center: Here) -> CheckPage:
    """Every check with its verdict now; what has no fresh evidence is 未知."""
    return CheckPage.model_validate(center.compliance.check_page(center.clock()), from_attributes=True)


@checks.post(
    "/checks/evaluate",
    summary="Evaluate now",
    response_model=CheckPage,
    responses=_REFUSES,
    openapi_extra=needs("checks.evaluate"),
)
def evaluate(center: Here, visit: Visitor) -> CheckPage:
    """Evaluate all checks from the newest probe results; each evaluation becomes a leaf of the ledger."""
    with recorded(center, visit, "checks.evaluate", "checklist"):
        after = center.compliance.evaluate(visit.actor, center.clock())
    return CheckPage.model_validate(after, from_attributes=True)


@checks.get(
    "/checks/{check}",
    summary="One check with its evidence",
    response_model=CheckDetail,
    responses=_REFUSES,
    openapi_extra=needs("checks.read"),
)
def detail(check: Check, center: Here, visit: Visitor) -> CheckDetail:
    """Why this verdict: the condition, the probe results behind it, and what would change it."""
    with recorded(center, visit, "evidence.read", f"check:{check}"):
        found = center.compliance.check_detail(check, center.clock())
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
    system: Annotated[str, Query(max_length=64)] = "",
) -> CheckExplanation:
    """Why this verdict on each object, on which evidence, what would change it, which gates it closes."""
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
