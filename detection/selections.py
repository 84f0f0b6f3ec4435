"""A rule's condition taken apart again into the selections its author wrote, each to be tried on its own."""

from collections import defaultdict
from collections.abc import Iterable

from detection.condition import Always, And, Condition, Not, Or, all_of, any_of, leaves


def selections(condition: Condition) -> dict[str, Condition]:
    """Each named selection and what it asks, in the order of the condition.

    Joining selections flattens them, so the parts of a conjunction that bear one name are one selection, and
    those of a disjunction as well.
    """
    found: dict[str, Condition] = {}
    _collect(condition, found)
    return found


def _collect(condition: Condition, found: dict[str, Condition]) -> None:
    names = _names([condition])
    if len(names) == 1:
        (name,) = names
        # a negation belongs to the condition, not to the selection
        found.setdefault(name, condition.part if isinstance(condition, Not) else condition)
    elif isinstance(condition, Not):
        _collect(condition.part, found)
    elif isinstance(condition, And | Or):
        join = all_of if isinstance(condition, And) else any_of
        own: dict[str, list[Condition]] = defaultdict(list)
        for part in condition.parts:
            names = _names([part])
            if len(names) == 1 and not isinstance(part, Not):
                own[next(iter(names))].append(part)
            else:
                _collect(part, found)
        for name, parts in own.items():
            found.setdefault(name, join(parts))


def _names(parts: Iterable[Condition]) -> set[str]:
    return {leaf.selection for part in parts for leaf in leaves(part) if not isinstance(leaf, Always)}
