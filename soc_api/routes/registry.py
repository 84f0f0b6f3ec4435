"""The registry: units, graded systems and their steps, assets, objects, people; each within one's units."""

from typing import Annotated, Final

import msgspec
from fastapi import Depends, Path

from compliance.grading_process import STEP_WORDS, allowed_steps
from compliance.registry import (
    AssessmentObject,
    Asset,
    Contact,
    GradedSystem,
    Milestone,
    Unit,
    parse_grade,
)
from compliance.registry_desk import RegistryDesk
from soc_api.context import Center
from soc_api.errors import text
from soc_api.identity import Visit
from soc_api.permissions import allows
from soc_api.registry_bodies import (
    AssetOrder,
    AssetRow,
    ChangeRow,
    ContactOrder,
    ContactPage,
    ContactRow,
    MilestoneRow,
    ObjectOrder,
    ObjectRow,
    StepOrder,
    StepRow,
    SystemDetail,
    SystemOrder,
    SystemPage,
    SystemRow,
    UnitOrder,
    UnitPage,
    UnitRow,
)
from soc_api.routes.guard import Here, Visitor, conflicts, needs, router
from soc_api.routes.recorded import recorded
from soc_api.unit_scope import UnitScope, need_unit, scope_of

registry = router("registry")

UnitCode = Annotated[str, Path(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$")]
SystemId = Annotated[str, Path(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$")]
Number = Annotated[int, Path(ge=1)]
_HIDDEN: Final = "***"
REFUSES: Final = conflicts("The entry has changed meanwhile, is in use, or may not take this step now")


def desk_of(center: Here) -> RegistryDesk:
    """The registry of the center."""
    assert center.registry is not None
    return center.registry


Desk = Annotated[RegistryDesk, Depends(desk_of)]


def scope_here(center: Here, visit: Visitor, desk: Desk) -> UnitScope:
    """What the account sees of the tree."""
    return scope_of(center, visit, desk.registry.tree)


Seen = Annotated[UnitScope, Depends(scope_here)]


class Reach(msgspec.Struct, frozen=True):
    """Asks whether one may, before anything is done."""

    center: Center
    visit: Visit
    desk: RegistryDesk
    scope: UnitScope

    def unit(self, code: str) -> str:
        """The unit, if it is within reach. Raises Refused (unit-scope)."""
        need_unit(self.center, self.visit, self.scope, code)
        return code

    def system(self, system: str) -> GradedSystem:
        """The system, if its unit is within reach. Raises Refused (system-not-found, unit-scope)."""
        found = self.desk.registry.system(system)
        self.unit(found.unit)
        return found


def reach_of(center: Here, visit: Visitor, desk: Desk, scope: Seen) -> Reach:
    """The account's reach."""
    return Reach(center, visit, desk, scope)


Within = Annotated[Reach, Depends(reach_of)]


@registry.get(
    "/units", summary="The tree of units", response_model=UnitPage, openapi_extra=needs("registry.read")
)
def units(desk: Desk, scope: Seen, visit: Visitor) -> UnitPage:
    """One's own unit and those below it, each after the one above."""
    rows = [unit for unit in desk.registry.tree().units() if scope.holds(unit.code)]
    return UnitPage(
        own=visit.account.unit, rows=[UnitRow.model_validate(row, from_attributes=True) for row in rows]
    )


@registry.put(
    "/units/{unit}",
    summary="Add or change a unit",
    response_model=UnitRow,
    responses=REFUSES,
    openapi_extra=needs("registry.edit"),
)
def put_unit(unit: UnitCode, body: UnitOrder, reach: Within) -> UnitRow:
    """A new unit stands below its parent, or below its region where none is given."""
    tree = reach.desk.registry.tree()
    if unit in tree or body.parent is None:
        reach.unit(unit)
    if body.parent is not None:
        reach.unit(body.parent)
    entry = Unit(code=unit, **body.model_dump())
    with recorded(reach.center, reach.visit, "registry.unit", f"unit:{unit}"):
        reach.desk.registry.put_unit(entry, reach.center.clock(), reach.visit.actor)
    return UnitRow.model_validate(reach.desk.registry.tree().get(unit), from_attributes=True)


@registry.get(
    "/units/{unit}/contacts",
    summary="People of a unit",
    response_model=ContactPage,
    responses=REFUSES,
    openapi_extra=needs("registry.read"),
)
def contacts(unit: UnitCode, reach: Within) -> ContactPage:
    """Who answers for the unit and its systems."""
    rows = reach.desk.assets.contacts([reach.unit(unit)])
    return ContactPage(rows=[_person(row, reach.visit) for row in rows])


@registry.post(
    "/units/{unit}/contacts",
    summary="Add or change a person of a unit",
    response_model=ContactRow,
    responses=REFUSES,
    openapi_extra=needs("registry.edit"),
)
def put_contact(unit: UnitCode, body: ContactOrder, reach: Within) -> ContactRow:
    """Names and numbers are kept in the registry alone; the ledger has no telephone numbers."""
    contact = Contact(unit=reach.unit(unit), **body.model_dump())
    if body.number:
        reach.unit(reach.desk.assets.contact(body.number).unit)
    with recorded(reach.center, reach.visit, "registry.contact", f"unit:{unit}"):
        after = reach.desk.assets.put_contact(contact, reach.center.clock(), reach.visit.actor)
    return ContactRow.model_validate(after, from_attributes=True)


@registry.delete(
    "/contacts/{contact}",
    summary="Forget a person",
    status_code=204,
    responses=REFUSES,
    openapi_extra=needs("registry.edit"),
)
def drop_contact(contact: Number, reach: Within) -> None:
    """Who no longer answers for anything is not kept."""
    unit = reach.unit(reach.desk.assets.contact(contact).unit)
    with recorded(reach.center, reach.visit, "registry.contact", f"unit:{unit}"):
        reach.desk.assets.drop_contact(contact, reach.center.clock(), reach.visit.actor)


@registry.get(
    "/systems", summary="Graded systems", response_model=SystemPage, openapi_extra=needs("registry.read")
)
def systems(desk: Desk, scope: Seen) -> SystemPage:
    """Those in use, of one's own unit and of those below it."""
    rows = desk.registry.systems(scope.units)
    return SystemPage(rows=[_row(row) for row in rows])


@registry.get(
    "/systems/{system}",
    summary="One graded system",
    response_model=SystemDetail,
    responses=REFUSES,
    openapi_extra=needs("registry.read"),
)
def system(system: SystemId, reach: Within) -> SystemDetail:
    """With its place, steps, assets, objects, people and changes."""
    return _detail(reach, reach.system(system))


@registry.put(
    "/systems/{system}",
    summary="Add or change a graded system",
    response_model=SystemRow,
    responses=REFUSES,
    openapi_extra=needs("registry.edit"),
)
def put_system(system: SystemId, body: SystemOrder, reach: Within) -> SystemRow:
    """A state-secret system is refused, whoever asks. The grade of one that is there stays."""
    values = body.model_dump() | {"extensions": tuple(body.extensions)}
    reach.unit(body.unit)
    if reach.desk.registry.has(system):
        values["grade"] = reach.system(system).grade
    entry = GradedSystem(id=system, level=parse_grade(values["grade"])[2], **values)
    registry = reach.desk.registry
    with recorded(reach.center, reach.visit, "registry.system", f"system:{system}") as act:
        before = registry.system(system) if registry.has(system) else None
        after = registry.put_system(entry, reach.center.clock(), reach.visit.actor)
        act.changed(before, after)
    return _row(after)


@registry.post(
    "/systems/{system}/steps",
    summary="Take a step of grading and filing",
    response_model=SystemDetail,
    responses=REFUSES,
    openapi_extra=needs("registry.edit"),
)
def take_step(system: SystemId, body: StepOrder, reach: Within) -> SystemDetail:
    """Grading, review, approval, filing, assessment and what follows, each with its paper."""
    reach.system(system)
    values = body.model_dump(exclude={"grade"})
    with recorded(reach.center, reach.visit, f"registry.{body.step}", f"system:{system}"):
        after = reach.desk.milestones.take(
            body.step,
            Milestone(system=system, **values),
            reach.center.clock(),
            reach.visit.actor,
            grade=body.grade,
        )
    return _detail(reach, after)


@registry.post(
    "/systems/{system}/assets",
    summary="Add or change an asset",
    response_model=AssetRow,
    responses=REFUSES,
    openapi_extra=needs("registry.edit"),
)
def put_asset(system: SystemId, body: AssetOrder, reach: Within) -> AssetRow:
    """A machine or program is an assessment object as well, where its kind is one."""
    reach.system(system)
    if body.number:
        reach.system(reach.desk.assets.asset(body.number).system)
    asset = Asset(system=system, **body.model_dump())
    with recorded(reach.center, reach.visit, "registry.asset", f"asset:{system}/{body.name}"):
        after = reach.desk.assets.put_asset(asset, reach.center.clock(), reach.visit.actor)
    return AssetRow.model_validate(after, from_attributes=True)


@registry.post(
    "/systems/{system}/objects",
    summary="Add or change an assessment object",
    response_model=ObjectRow,
    responses=REFUSES,
    openapi_extra=needs("registry.edit"),
)
def put_object(system: SystemId, body: ObjectOrder, reach: Within) -> ObjectRow:
    """Data classes, machine rooms, applications: what items are judged on."""
    reach.system(system)
    one = AssessmentObject(system=system, **body.model_dump())
    with recorded(reach.center, reach.visit, "registry.object", f"object:{system}/{one.id}"):
        after = reach.desk.assets.put_object(one, reach.center.clock(), reach.visit.actor)
    return ObjectRow.model_validate(after, from_attributes=True)


def _person(contact: Contact, visit: Visit) -> ContactRow:
    """A person; numbers are for those who keep the registry, others see that there is one."""
    row = ContactRow.model_validate(contact, from_attributes=True)
    if allows(visit.account.role, "registry.edit"):
        return row
    hidden = {name: _HIDDEN for name in ("phone", "email") if getattr(row, name)}
    return row.model_copy(update=hidden)


def _row(system: GradedSystem) -> SystemRow:
    return SystemRow.model_validate(system, from_attributes=True)


def _detail(reach: Reach, system: GradedSystem) -> SystemDetail:
    desk, scope = reach.desk, reach.scope
    people = desk.assets.contacts([system.unit])
    path = [unit for unit in desk.registry.tree().path(system.unit) if scope.holds(unit.code)]
    return SystemDetail(
        system=_row(system),
        path=[UnitRow.model_validate(unit, from_attributes=True) for unit in path],
        steps=[StepRow(step=step, name=text(STEP_WORDS[step])) for step in allowed_steps(system)],
        milestones=[
            MilestoneRow.model_validate({name: getattr(one, name) for name in MilestoneRow.model_fields})
            for one in desk.milestones.of(system.id)
        ],
        assets=[
            AssetRow.model_validate(one, from_attributes=True)
            for one in desk.assets.assets([system.id], retired=True)
        ],
        objects=[
            ObjectRow.model_validate(one, from_attributes=True)
            for one in desk.assets.objects(system.id, retired=True)
        ],
        contacts=[_person(one, reach.visit) for one in people if one.system in ("", system.id)],
        history=[
            ChangeRow(
                number=one.number,
                time=one.time,
                actor=one.actor,
                action=one.action,
                body=msgspec.json.decode(one.body),
            )
            for one in desk.log.of(f"system:{system.id}", 50)
        ],
    )
