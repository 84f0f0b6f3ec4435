"""Which high-risk cases and major-risk triggers a check stands for, on a system of some grade."""

from collections.abc import Sequence

from compliance.catalogue import Catalogue
from compliance.checklist import Check
from compliance.registry import GradedSystem
from compliance.report.monthly import Cases

_Numbers = tuple[tuple[str, ...], tuple[str, ...]]


def cases_of(catalogue: Catalogue) -> Cases:
    """Told a check and a system: the numbers of cases and triggers of the items the check evidences.

    Checks name items of level 3; the catalogue tells which items of the system's own grade they speak of.
    """
    known: dict[tuple[str, tuple[str, ...]], dict[str, _Numbers]] = {}

    def cases(check: Check, system: GradedSystem) -> tuple[Sequence[str], Sequence[str]]:
        grade = system.grade, tuple(system.extensions)
        if grade not in known:
            known[grade] = _by_source(catalogue, system)
        found = [known[grade].get(f"L3-{clause}", ((), ())) for clause in check.clauses]
        numbers = (sorted({one for each in found for one in each[part]}) for part in (0, 1))
        first, second = numbers
        return first, second

    return cases


def _by_source(catalogue: Catalogue, system: GradedSystem) -> dict[str, _Numbers]:
    """Item of level 3 -> cases and triggers of the system's items it speaks of."""
    made: dict[str, _Numbers] = {}
    for item in catalogue.of(system):
        for source in catalogue.source(item).items:
            cases, triggers = made.get(source, ((), ()))
            made[source] = cases + item.high_risk_cases, triggers + item.major_risk_triggers
    return made
