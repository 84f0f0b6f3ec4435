"""Acts on many groups: by ids and by filter, in chunks, resumed, refused one by one, undone; merging."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from crypto.words import Refused
from detection.alert import Alert
from detection.store import act_store
from detection.store.act import UNDO, Act
from detection.store.act_store import AlertActs
from detection.store.alert_store import AlertStore
from detection.store.group_query import GroupFilter

MakeAlert = Callable[..., Alert]
ME = "user:li"
CLOSE = Act(action="close", classification="test", reason="drill")
OPEN = GroupFilter(folded=True)


@pytest.fixture
def store(engine: Engine) -> AlertStore:
    return AlertStore(engine)


@pytest.fixture
def acts(engine: Engine) -> AlertActs:
    return AlertActs(engine)


@pytest.fixture
def groups(store: AlertStore, make_alert: MakeAlert, start: datetime) -> list[str]:
    alerts = [make_alert(n, entity=f"host:{n:03}") for n in range(60)]
    store.commit(alerts, [], 1, start)
    return [alert.group for alert in alerts]


def test_few_are_done_at_once_and_each_has_its_outcome(
    store: AlertStore, acts: AlertActs, groups: list[str], start: datetime
) -> None:
    store.acknowledge(groups[0], "user:wang", start)
    done = acts.begin(Act(action="acknowledge"), [*groups[:3], "0" * 32], ME, start)
    assert (done.state, done.total, done.done, done.refused) == ("done", 4, 2, 2)
    refused = acts.items(done.id, state="refused")
    assert {(item.group, item.code) for item in refused} == {
        (groups[0], "alert-state"),
        ("0" * 32, "alert-not-found"),
    }
    assert store.detail(groups[0]).group.owner == "user:wang"
    assert store.detail(groups[1]).history[0].action == "acknowledged"
    assert [one.id for one in acts.recent(ME)] == [done.id]


def test_many_go_on_after_the_process_was_killed(
    engine: Engine,
    store: AlertStore,
    acts: AlertActs,
    groups: list[str],
    start: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(act_store, "INLINE_GROUPS_MAX", 5)
    monkeypatch.setattr(act_store, "CHUNK_GROUPS", 7)
    begun = acts.begin(CLOSE, OPEN, ME, start)
    assert (begun.state, begun.total, begun.done) == ("running", 60, 0)
    assert acts.work(start)
    assert acts.record(begun.id).done == 7
    other = AlertActs(engine)  # another process finds what is left to do
    turns = 0
    while other.work(start):
        turns += 1
    record = other.record(begun.id)
    assert (record.state, record.done, record.refused, turns) == ("done", 60, 0, 8)
    assert store.queue(OPEN, start).total == 0
    assert all(row.classification == "test" for row in store.page(state="closed", limit=100).rows)
    assert [row.action for row in store.detail(groups[5]).history] == ["closed", "opened"]


def test_an_act_is_undone_within_ten_seconds(
    store: AlertStore, acts: AlertActs, groups: list[str], start: datetime
) -> None:
    done = acts.begin(CLOSE, groups[:3], ME, start)
    store.reopen(groups[0], "user:wang", start)  # somebody decided otherwise meanwhile
    with pytest.raises(Refused) as caught:
        acts.undo(done.id, "user:wang", start)
    assert caught.value.code == "act-not-found"
    undone = acts.undo(done.id, ME, start + UNDO)
    assert undone.state == "undone"
    assert [store.detail(group).group.state for group in groups[:3]] == ["acknowledged", "new", "new"]
    assert store.detail(groups[1]).history[0].action == "undone"
    assert {item.group for item in acts.items(done.id, state="refused")} == {groups[0]}
    with pytest.raises(Refused):
        acts.undo(done.id, ME, start + UNDO)
    late = acts.begin(CLOSE, groups[3:4], ME, start)
    with pytest.raises(Refused) as caught:
        acts.undo(late.id, ME, start + UNDO + timedelta(seconds=1))
    assert caught.value.code == "alert-undo"


def test_a_running_act_is_stopped_and_taken_back(
    store: AlertStore, acts: AlertActs, groups: list[str], start: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(act_store, "INLINE_GROUPS_MAX", 5)
    monkeypatch.setattr(act_store, "CHUNK_GROUPS", 20)
    begun = acts.begin(Act(action="assign", owner=ME), OPEN, ME, start)
    acts.work(start)
    assert acts.undo(begun.id, ME, start).state == "undoing"
    while acts.work(start):
        pass
    assert acts.record(begun.id).state == "undone"
    assert store.queue(GroupFilter(q="owner:li"), start).total == 0
    assert store.queue(OPEN, start).total == len(groups)


def test_what_sleeps_comes_back_by_itself(
    store: AlertStore, acts: AlertActs, groups: list[str], start: datetime
) -> None:
    until = start + timedelta(hours=4)
    acts.single(Act(action="snooze", until=until), groups[0], ME, start)
    asleep = GroupFilter(state="snoozed", folded=True)
    assert (store.queue(OPEN, start).total, store.queue(asleep, start).total) == (59, 1)
    assert store.detail(groups[0]).group.snoozed_until == until
    assert store.page().total == 60
    assert store.queue(OPEN, until).total == 60
    acts.single(Act(action="wake"), groups[0], ME, start)
    assert store.queue(OPEN, start + timedelta(minutes=1)).total == 60


def test_what_sleeps_wakes_early_when_it_turns_out_graver(
    store: AlertStore, acts: AlertActs, groups: list[str], make_alert: MakeAlert, start: datetime
) -> None:
    until = start + timedelta(hours=4)
    acts.begin(Act(action="snooze", until=until), groups[:2], ME, start)
    same = store.detail(groups[0]).group.severity
    store.commit([make_alert(100, entity="host:000", severity=same)], [], 2, start)
    assert store.detail(groups[0]).group.snoozed_until == until
    store.commit([make_alert(101, entity="host:001", severity="critical")], [], 3, start)
    awake = store.detail(groups[1])
    assert (awake.group.snoozed_until, awake.history[0].action) == (None, "woken")
    assert store.queue(OPEN, start).total == 59


def test_merged_groups_are_one_row_and_keep_their_own_story(
    store: AlertStore, acts: AlertActs, groups: list[str], make_alert: MakeAlert, start: datetime
) -> None:
    into, first, second = groups[:3]
    done = acts.begin(Act(action="merge", into=into, reason="one attack"), [first, second], ME, start)
    assert (done.done, done.refused) == (2, 0)
    detail = store.detail(into)
    assert (detail.group.members, detail.group.total, detail.group.count) == (2, 3, 1)
    assert {member.id for member in detail.members} == {first, second}
    assert detail.group.first_seen <= min(member.first_seen for member in detail.members)
    assert store.queue(OPEN, start).total == 58
    assert store.page().total == 60
    # What comes to a member moves the row, and closing the row closes its members.
    store.commit([make_alert(500, entity="host:001")], [], 2, start)
    newest = store.queue(OPEN, start).rows[0]
    assert (newest.id, newest.total) == (into, 4)
    closed = acts.begin(CLOSE, [into], ME, start)
    assert closed.total == 3
    assert {store.detail(group).group.state for group in groups[:3]} == {"closed"}
    acts.undo(closed.id, ME, start)
    acts.single(Act(action="split"), first, ME, start)
    assert store.detail(into).group.members == 1
    assert store.queue(OPEN, start).total == 59


def test_one_refused_alone_changes_nothing(
    store: AlertStore, acts: AlertActs, groups: list[str], start: datetime
) -> None:
    before = store.revision()
    for act, code in ((Act(action="reopen"), "alert-state"), (Act(action="split"), "alert-not-merged")):
        with pytest.raises(Refused) as caught:
            acts.single(act, groups[0], ME, start)
        assert caught.value.code == code
    assert store.revision() == before
    assert not acts.recent(ME)
