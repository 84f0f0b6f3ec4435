"""The numbers are made once for all who ask within seconds."""

from datetime import timedelta
from typing import Any

from soc_api.wall import Wall


def test_screens_share_numbers_for_some_seconds(world: Any) -> None:
    wall: Wall = world.center.wall
    world.raise_alert()
    first = wall.page(world.center, None, world.now)
    world.raise_alert(rule="r2", sequence=2)
    assert wall.page(world.center, None, world.now + timedelta(seconds=3)) is first
    later = wall.page(world.center, None, world.now + timedelta(seconds=5))
    assert (first.open_alerts["high"], later.open_alerts["high"]) == (1, 2)
    assert later.province.groups == 2
    assert wall.page(world.center, frozenset({"320100"}), world.now).province.groups == 0
