"""Views of the queue are one's own until they are shared with a role of one's unit."""

from datetime import UTC, datetime
from typing import Any

import pytest

from crypto.words import Refused
from soc_api.saved_view_store import SavedView, SavedViewStore

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def test_a_view_is_shared_by_its_owner_alone(world: Any) -> None:
    store = SavedViewStore(world.engine, "alerts")
    view = SavedView(name="待办", owner="user:a", role="", unit="u", settings="{}", time=NOW)
    number = store.save(view)
    assert store.views("user:b", "analyst", "u") == []
    with pytest.raises(Refused, match="view-not-found"):
        store.share(number, "user:b", "analyst")
    store.share(number, "user:a", "analyst")
    assert [view.name for view in store.views("user:b", "analyst", "u")] == ["待办"]
    assert store.views("user:b", "analyst", "elsewhere") == []
    hunt = SavedViewStore(world.engine, "hunt")
    assert hunt.views("user:a", "analyst", "u") == []
    with pytest.raises(Refused, match="view-not-found"):
        hunt.forget(number, "user:a")
    assert store.save(view) > 0  # of the same name: in the place of the old one
    (kept,) = store.views("user:a", "analyst", "u")
    assert (kept.name, kept.time) == ("待办", NOW)
    number = kept.id
    store.forget(number, "user:a")
    assert store.views("user:a", "analyst", "u") == []
