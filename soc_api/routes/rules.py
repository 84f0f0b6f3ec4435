"""Rules: what they say, what they led to, switching them on and off, and trying them on an event."""

from typing import Annotated, Final

from fastapi import Path

from soc_api.context import Center
from soc_api.evidence_scope import need_center
from soc_api.identity import Visit
from soc_api.routes.guard import Here, Visitor, conflicts, needs, router
from soc_api.routes.recorded import recorded
from soc_api.routes.registry import Seen
from soc_api.rule_bodies import RuleDecision, RuleDetail, RulePage, RuleRow, RuleTrial, RuleTrialOrder

rules = router("rules")

RuleId = Annotated[str, Path(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,127}$")]
_REFUSES: Final = conflicts("The rule is in that state already")


@rules.get(
    "/rules",
    summary="All rules and correlations",
    response_model=RulePage,
    openapi_extra=needs("rules.read"),
)
def page(center: Here, scope: Seen) -> RulePage:
    """With hits, precision and cost of each, unusable files, and what no rule was asked about.

    Hits are those of one's own units; what the pipeline counts is told at the center's own alone.
    """
    return RulePage.model_validate(center.rules.page(center.clock(), scope.units), from_attributes=True)


@rules.get(
    "/rules/{rule}",
    summary="One rule",
    response_model=RuleDetail,
    responses=_REFUSES,
    openapi_extra=needs("rules.read"),
)
def detail(rule: RuleId, center: Here, scope: Seen) -> RuleDetail:
    """Its text, what it watches, its history and its last hits in one's own units."""
    found = center.rules.detail(rule, center.clock(), scope.units)
    return RuleDetail.model_validate(found, from_attributes=True)


@rules.post(
    "/rules/{rule}/enable",
    summary="Switch a rule on",
    response_model=RuleRow,
    responses=_REFUSES,
    openapi_extra=needs("rules.decide"),
)
def enable(rule: RuleId, body: RuleDecision, center: Here, visit: Visitor) -> RuleRow:
    """In force within seconds, from the next events on; rules are the whole center's."""
    need_center(center, visit)
    return _decide(rule, True, body, center, visit)


@rules.post(
    "/rules/{rule}/disable",
    summary="Switch a rule off",
    response_model=RuleRow,
    responses=_REFUSES,
    openapi_extra=needs("rules.decide"),
)
def disable(rule: RuleId, body: RuleDecision, center: Here, visit: Visitor) -> RuleRow:
    """It raises no alert and feeds no correlation any more; the state of other correlations stays."""
    need_center(center, visit)
    return _decide(rule, False, body, center, visit)


@rules.post(
    "/rules/{rule}/test",
    summary="Try a rule on an event",
    response_model=RuleTrial,
    responses=_REFUSES,
    openapi_extra=needs("rules.read"),
)
def trial(rule: RuleId, body: RuleTrialOrder, center: Here) -> RuleTrial:
    """Which selections the event satisfies, and the verdict; nothing is stored."""
    return RuleTrial.model_validate(center.rules.trial(rule, body.event), from_attributes=True)


def _decide(rule: str, on: bool, body: RuleDecision, center: Center, visit: Visit) -> RuleRow:
    action = "rule.enable" if on else "rule.disable"
    if center.changes is not None:
        center.changes.store.refuse_again(f"rule:{rule}", visit.actor, center.clock())
    with recorded(center, visit, action, f"rule:{rule} {body.reason}") as act:
        before = center.rules.detail(rule, center.clock()).rule
        after = center.rules.decide(rule, on, body.reason, visit.actor, center.clock())
        act.changed({"rule": rule, "state": before.state}, {"rule": rule, "state": after.state})
        if center.changes is not None:  # in force at once, until another person confirms it
            was, is_now = ("disabled", "enabled") if on else ("enabled", "disabled")
            center.changes.store.add(
                "rule",
                f"rule:{rule}",
                was,
                is_now,
                reason=body.reason,
                author=visit.actor,
                now=center.clock(),
            )
    return RuleRow.model_validate(after, from_attributes=True)
