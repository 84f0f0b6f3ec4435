"""The gates: what they would say now, asking one, overrides of two people, the release switch."""

from typing import Annotated, Final

from fastapi import Path, Query

from compliance.gate import ENFORCED_BY
from soc_api.enforcement_bodies import Gate
from soc_api.enforcement_rows import Choose, Enforcing, decision_row
from soc_api.gate_bodies import (
    DecisionPage,
    DecisionRow,
    GateAsk,
    GatePage,
    OverrideDecision,
    OverrideOrder,
    OverrideRow,
    ReleaseOrder,
    ReleaseRow,
)
from soc_api.routes.guard import Here, Visitor, conflicts, needs, router
from soc_api.routes.recorded import recorded
from soc_api.unit_scope import need_unit, scope_of

gates = router("gates")

_REFUSES: Final = conflicts("It was decided meanwhile, or another person of another role has to decide")
Number = Annotated[int, Path(ge=1, le=2**53)]
System = Annotated[str, Query(max_length=64)]


@gates.get("/gates", summary="The gates now", response_model=GatePage, openapi_extra=needs("checks.read"))
def page(
    center: Here, enforcement: Enforcing, choose: Choose, visit: Visitor, system: System = ""
) -> GatePage:
    """What each gate would answer for a graded system; looking leaves no decision."""
    chosen, now = choose(system), center.clock()
    looks = [
        enforcement.gates.look(name, chosen.id, action="look", about="", decider=visit.actor, now=now)
        for name in ENFORCED_BY
    ]
    release = enforcement.decisions.release()
    overrides = [one for one in enforcement.decisions.overrides() if one.system == chosen.id]
    return GatePage(
        gates=[decision_row(one) for one in looks],
        fail_closed={name: sorted(rule.fail_closed) for name, rule in enforcement.gates.rules.gates.items()},
        overrides=[OverrideRow.model_validate(one, from_attributes=True) for one in overrides],
        release=None if release is None else ReleaseRow.model_validate(release, from_attributes=True),
        released=release is not None and release.holds(now),
    )


@gates.get(
    "/gates/decisions",
    summary="What the gates have answered",
    response_model=DecisionPage,
    openapi_extra=needs("checks.read"),
)
def decisions(
    enforcement: Enforcing,
    choose: Choose,
    system: System = "",
    before: Annotated[int, Query(ge=0, le=2**53)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> DecisionPage:
    """Decisions about one graded system, newest first, with rule version, evidence and decider."""
    found = enforcement.decisions.decisions(system=choose(system).id, before=before, limit=limit)
    rows = [decision_row(one.decision, one.id, one.leaf) for one in found]
    return DecisionPage(rows=rows, next=rows[-1].id if len(rows) == limit else 0)


@gates.post(
    "/gates/{gate}/ask",
    summary="Ask a gate",
    response_model=DecisionRow,
    openapi_extra=needs("gates.ask"),
)
def ask(
    gate: Gate, body: GateAsk, center: Here, enforcement: Enforcing, choose: Choose, visit: Visitor
) -> DecisionRow:
    """Allow or deny, recorded either way; whoever asks acts accordingly."""
    system = choose(body.system).id
    with recorded(center, visit, "gate.ask", f"{gate} {system} {body.about}"):
        found = enforcement.gates.ask(
            gate, system, action=gate, about=body.about, decider=visit.actor, now=center.clock()
        )
    return decision_row(found)


@gates.post(
    "/gates/overrides",
    summary="Ask for an override",
    response_model=OverrideRow,
    status_code=201,
    responses=_REFUSES,
    openapi_extra=needs("gates.override"),
)
def override(
    body: OverrideOrder, center: Here, enforcement: Enforcing, choose: Choose, visit: Visitor
) -> OverrideRow:
    """It opens nothing until a person of another role approves; 72 hours at most."""
    system = choose(body.system).id
    with recorded(center, visit, "gate.override", f"{body.gate} {system} {','.join(body.checks)}") as act:
        asked = enforcement.gates.ask_override(
            body.gate,
            system,
            body.checks,
            reason=body.reason,
            hours=body.hours,
            person=visit.actor,
            role=visit.account.role,
            now=center.clock(),
        )
        act.changed(None, asked)
    return OverrideRow.model_validate(asked, from_attributes=True)


@gates.post(
    "/gates/overrides/{number}/decide",
    summary="Approve or refuse an override",
    response_model=OverrideRow,
    responses=_REFUSES,
    openapi_extra=needs("gates.decide"),
)
def decide(
    number: Number,
    body: OverrideDecision,
    center: Here,
    enforcement: Enforcing,
    choose: Choose,
    visit: Visitor,
) -> OverrideRow:
    """The second person, of another role than the first."""
    before = enforcement.decisions.override(number)
    choose(before.system)
    word = "approve" if body.approve else "refuse"
    with recorded(center, visit, "gate.decide", f"override:{number} {word}") as act:
        done = enforcement.gates.decide_override(
            number,
            approve=body.approve,
            person=visit.actor,
            role=visit.account.role,
            now=center.clock(),
        )
        act.changed(before, done)
    return OverrideRow.model_validate(done, from_attributes=True)


@gates.post(
    "/gates/overrides/{number}/end",
    summary="End an override",
    response_model=OverrideRow,
    responses=_REFUSES,
    openapi_extra=needs("gates.decide"),
)
def end(number: Number, center: Here, enforcement: Enforcing, choose: Choose, visit: Visitor) -> OverrideRow:
    """Before its time."""
    before = enforcement.decisions.override(number)
    choose(before.system)
    with recorded(center, visit, "gate.end", f"override:{number}") as act:
        done = enforcement.gates.end_override(number, person=visit.actor, now=center.clock())
        act.changed(before, done)
    return OverrideRow.model_validate(done, from_attributes=True)


@gates.post(
    "/gates/release",
    summary="Open every gate, or close them again",
    response_model=ReleaseRow,
    responses=_REFUSES,
    openapi_extra=needs("gates.decide"),
)
def release(body: ReleaseOrder, center: Here, enforcement: Enforcing, visit: Visitor) -> ReleaseRow:
    """For disaster and great occasions: with a reason, for some hours, on record; it ends by itself.

    It opens the gates of every system, so only the center's own unit has it.
    """
    scope = scope_of(center, visit, enforcement.registry.tree)
    if scope.units is not None:
        need_unit(center, visit, scope, center.unit)
    before = enforcement.decisions.release()
    with recorded(center, visit, "gate.release", f"{body.hours} h: {body.reason}") as act:
        if body.hours:
            done = enforcement.gates.release(
                reason=body.reason, hours=body.hours, person=visit.actor, now=center.clock()
            )
        else:
            done = enforcement.gates.close_again(reason=body.reason, person=visit.actor, now=center.clock())
        act.changed(before, done)
        if body.hours and center.changes is not None:  # open at once, until another person confirms it
            center.changes.store.add(
                "gates",
                "gates:release",
                {"released": False},
                {"released": True, "until": done.until.isoformat()},
                reason=body.reason,
                author=visit.actor,
                now=center.clock(),
            )
    return ReleaseRow.model_validate(done, from_attributes=True)
