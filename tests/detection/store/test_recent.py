"""What completion is told of the newest events, of one's own units only."""

from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from detection.store.recent import Recent


def test_what_came_lately(center: Any, engine: Engine, start: datetime) -> None:
    for _ in range(12):
        center.receive(20)
    center.receive(3, user__name=["root", None])
    store = center.store(engine)
    recent = Recent(store)
    assert dict(recent.recent_names())["user.name"] == 3
    assert recent.recent_names()[0][1] == 243
    assert recent.recent_values(["user.name"]) == [("root", 3)]
    values = recent.recent_values(["Image", "user.name"])
    assert len(values) == 8
    assert sum(count for _, count in values) == 243 + 3


def test_other_units_tell_nothing(center: Any, engine: Engine) -> None:
    center.receive(3, user__name="root")
    recent = Recent(center.store(engine), frozenset({"elsewhere"}))
    assert (recent.recent_names(), recent.recent_values(["user.name"])) == ([], [])
