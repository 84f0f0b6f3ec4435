"""An account sees its own unit and below; the center's own unit sees all; a refusal is audited."""

from typing import Any

import pytest

from crypto.words import Refused
from soc_api.identity import Visit
from soc_api.unit_scope import need_unit, scope_of


def visit_of(world: Any, unit: str) -> Visit:
    world.account("analyst", "reader", unit=unit)
    visit = world.visit("reader")
    assert isinstance(visit, Visit)
    return visit


def test_the_centers_own_unit_sees_all(world: Any) -> None:
    scope = scope_of(world.center, visit_of(world, "320000-local"), world.registry.registry.tree)
    assert scope.units is None
    assert scope.holds("999999")


def test_others_see_their_subtree(world: Any) -> None:
    world.registry.plant(world.now)
    visit = visit_of(world, "320100")
    scope = scope_of(world.center, visit, world.registry.registry.tree)
    assert scope.units == frozenset({"320100"})
    need_unit(world.center, visit, scope, "320100")
    with pytest.raises(Refused, match="unit-scope"):
        need_unit(world.center, visit, scope, "320000")
    assert world.audited()[-1] == ("user:reader", "access.denied", "unit:320000", "refused: unit-scope")


def test_a_unit_nobody_registered_sees_itself_alone(world: Any) -> None:
    scope = scope_of(world.center, visit_of(world, "999999-x"), world.registry.registry.tree)
    assert scope.units == frozenset({"999999-x"})
