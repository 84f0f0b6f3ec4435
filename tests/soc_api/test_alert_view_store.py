"""Views of the queue are one's own until they are shared with a role of one's unit."""

from datetime import UTC, datetime
from typing import Any

import pytest

from crypto.words import Refused
from soc_api.alert_view_store import AlertViewStore, SavedView

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def test_a_view_is_shared_by_its_owner_alone(world: Any) -> None:
    store = AlertViewStore(world.engine)
    number = store.save(SavedView(name="待办", owner="user:a", role="", unit="u", settings="{}"), NOW)
    assert store.views("user:b", "analyst", "u") == []
    with pytest.raises(Refused, match="view-not-found"):
        store.share(number, "user:b", "analyst")
    store.share(number, "user:a", "analyst")
    assert [view.name for view in store.views("user:b", "analyst", "u")] == ["待办"]
    assert store.views("user:b", "analyst", "elsewhere") == []
    store.forget(number, "user:a")
    assert store.views("user:a", "analyst", "u") == []
