"""Who answers for an order: the registry's people of the system, else of its unit."""

from collections.abc import Mapping, Sequence
from typing import Final

from compliance.registry import Contact, Duty, GradedSystem

OTHERS: Final = "others"  # the duties asked for layers that have none of their own


def order_owner(
    system: GradedSystem,
    layer: str,
    contacts: Sequence[Contact],
    duties: Mapping[str, Sequence[Duty]],
) -> str:
    """The owner entered for the system, else the first person of the layer's duties, else the unit.

    People of the system itself come before those of its whole unit, of whatever duty.
    """
    if system.owner:
        return system.owner
    wanted = duties.get(layer) or duties.get(OTHERS, ())
    for place in (system.id, ""):
        here = [one for one in contacts if one.unit == system.unit and one.system == place]
        for duty in wanted:
            for one in here:
                if one.duty == duty:
                    return one.name
    return f"unit:{system.unit}"
