"""Whose evidence a record is, by what it is about: the graded system or unit that its subject names.

The ledger is one for the whole center, and its digests are for everybody: without them nobody could recompute
the root. What a record says is for those whose unit it is about; what names no unit is the center's own.
"""

from collections.abc import Callable
from typing import Final

from compliance.attestation import Attestation
from compliance.enforcement import Enforcement
from crypto.words import Refused
from soc_api.context import Center
from soc_api.identity import Visit
from soc_api.unit_scope import UnitScope, need_unit, scope_of

_SYSTEM: Final = "/system:"
_PAGE: Final = 500  # statements and documents looked through for a file, of each system


def scope_of_evidence(center: Center, visit: Visit) -> UnitScope:
    """The account's part of the tree; its own unit alone where the center has no registry."""
    if center.registry is not None:
        return scope_of(center, visit, center.registry.registry.tree)
    own = visit.account.unit
    return UnitScope(None if own == center.unit else frozenset({own}))


def need_center(center: Center, visit: Visit) -> None:
    """Return where the account is of the center's own unit. Raises Refused (unit-scope), audited."""
    need_unit(center, visit, scope_of_evidence(center, visit), center.unit)


def unit_of_subject(center: Center, subject: str) -> str:
    """The unit a record is about, '' where its subject names none."""
    if case := _case_unit(center, subject):
        return case
    system = _system_of(center.enforcement, subject)
    if subject.startswith("unit:"):
        return subject.removeprefix("unit:")
    if not system or center.registry is None:
        return ""
    try:
        return center.registry.registry.system(system).unit
    except Refused:
        return ""


def need_record(center: Center, visit: Visit, subject: str) -> None:
    """Return where the account may read what a record says. Raises Refused (unit-scope), audited."""
    scope = scope_of_evidence(center, visit)
    if scope.units is not None:
        need_unit(center, visit, scope, unit_of_subject(center, subject) or center.unit)


def need_file(center: Center, visit: Visit, enforcement: Enforcement, digest: str) -> None:
    """Return where a file was handed in by the account, or for a system it may see.

    Raises Refused (unit-scope), audited.
    """
    scope = scope_of_evidence(center, visit)
    if scope.units is None:
        return
    kept = enforcement.attestations.attachments([digest])
    if kept and kept[0].actor == visit.actor:
        return
    for system in enforcement.registry.systems(scope.units):
        if any(one.sm3 == digest for one in enforcement.documents.page(system.id, limit=_PAGE)):
            return
        if any(_names(one, digest) for one in enforcement.attestations.page(system=system.id, limit=_PAGE)):
            return
    need_unit(center, visit, scope, center.unit)


def _case_unit(center: Center, subject: str) -> str:
    """The unit of an incident, or the issuer of a notice."""
    kind, _, rest = subject.partition(":")
    number = rest.partition("/")[0]
    if center.casework is None or kind not in ("incident", "notice"):
        return ""
    try:
        if kind == "incident":
            return center.casework.incident_rows.get(number).unit
        return center.casework.notice_rows.get(int(number)).issuer
    except (Refused, ValueError):
        return ""


def _names(attestation: Attestation, digest: str) -> bool:
    return digest in attestation.statement.attachments


def _system_of(enforcement: Enforcement | None, subject: str) -> str:
    kind, _, rest = subject.partition(":")
    if kind in ("check", "checklist") or _SYSTEM in subject:
        return subject.rpartition(_SYSTEM)[2]
    if kind == "system":
        return rest
    if kind in ("asset", "object"):
        return rest.partition("/")[0]
    if enforcement is None:
        return ""
    number = rest.partition("/")[0]
    finders: dict[str, Callable[[], str]] = {
        "attestation": lambda: enforcement.attestations.get(int(number)).statement.system,
        "order": lambda: enforcement.order_rows.get(number).system,
        "override": lambda: enforcement.decisions.override(int(number)).system,
    }
    try:
        return finders[kind]() if kind in finders else ""
    except (Refused, ValueError):
        return ""
