"""Views are one's own or shared with one's role; drafts wait for another person's decision."""

from datetime import UTC, datetime
from typing import Any

import pytest

from crypto.words import BadInput, Refused
from soc_api.hunt_store import HuntStore

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


@pytest.fixture
def store(world: Any) -> HuntStore:
    return HuntStore(world.engine)


def save(store: HuntStore, name: str, owner: str, role: str = "", **settings: str) -> int:
    kept = store.save_view(name, settings, owner=owner, role=role, unit="u", now=NOW)
    return kept.id


def test_views_by_owner_role_and_unit(store: HuntStore) -> None:
    save(store, "b", "user:a", q="x")
    save(store, "a", "user:a", role="analyst")
    save(store, "c", "user:b")
    mine = store.views("user:a", "analyst", "u")
    assert [(view.name, view.own, view.shared) for view in mine] == [("a", True, True), ("b", True, False)]
    assert mine[1].settings == {"q": "x"}
    assert [view.name for view in store.views("user:c", "analyst", "u")] == ["a"]
    assert store.views("user:c", "analyst", "elsewhere") == []


def test_a_view_of_the_same_name_is_replaced_and_only_ones_own_removed(store: HuntStore) -> None:
    save(store, "a", "user:a", q="old")
    number = save(store, "a", "user:a", q="new")
    (view,) = store.views("user:a", "", "u")
    assert view.settings == {"q": "new"}
    with pytest.raises(Refused):
        store.remove_view(number, "user:b")
    store.remove_view(number, "user:a")
    assert store.views("user:a", "", "u") == []


def test_what_is_too_much_is_refused(store: HuntStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput):
        save(store, "a", "user:a", q="x" * 9_000)
    with pytest.raises(BadInput):
        save(store, " ", "user:a")
    monkeypatch.setattr("soc_api.saved_view_store.VIEWS_MAX", 1)
    save(store, "a", "user:a")
    with pytest.raises(Refused):
        save(store, "b", "user:a")
    monkeypatch.setattr("soc_api.hunt_store.DRAFTS_MAX", 1)
    store.save_draft("r1", "t", "text", author="user:a", unit="u", now=NOW)
    with pytest.raises(Refused):
        store.save_draft("r2", "t", "text", author="user:a", unit="u", now=NOW)


def test_a_draft_is_decided_once_and_by_somebody_else(store: HuntStore) -> None:
    draft = store.save_draft("r1", "t", "text", author="user:a", unit="u", now=NOW)
    assert (draft.state, draft.decided) == ("draft", None)
    with pytest.raises(Refused) as own:
        store.decide_draft(draft.id, "accepted", decider="user:a", reason="ok", now=NOW)
    after = store.decide_draft(draft.id, "refused", decider="user:b", reason="noisy", now=NOW)
    with pytest.raises(Refused) as again:
        store.decide_draft(draft.id, "accepted", decider="user:c", reason="ok", now=NOW)
    with pytest.raises(Refused) as gone:
        store.draft(99)
    assert [one.value.code for one in (own, again, gone)] == ["draft-own", "draft-state", "draft-not-found"]
    assert (after.state, after.decider, after.reason, after.decided) == ("refused", "user:b", "noisy", NOW)
    assert store.drafts(frozenset({"elsewhere"})) == []
