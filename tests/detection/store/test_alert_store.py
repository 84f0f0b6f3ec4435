"""The queue: exact counts under replay, generations, paging, transitions."""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
import pytest
from sqlalchemy import Engine

from crypto.words import LiuheError, Refused, Words
from detection.alert import Alert
from detection.store.alert_store import AlertStore
from detection.store.group_query import GroupFilter
from sensors.event import Event

MakeAlert = Callable[..., Alert]


@pytest.fixture
def store(engine: Engine) -> AlertStore:
    return AlertStore(engine)


def test_replay_changes_nothing(store: AlertStore, make_alert: MakeAlert, start: datetime) -> None:
    batch = [make_alert(n) for n in range(5)]
    first = store.commit(batch + batch[:2], [], 5, start)
    again = store.commit(batch, [], 5, start)
    assert [alert.id for alert in first.alerts] == [alert.id for alert in batch]
    assert again.alerts == ()
    assert again.revision == first.revision == store.revision() == 1
    (group,) = store.page().rows
    assert group.count == 5
    assert (group.first_seen, group.last_seen) == (batch[0].time, batch[-1].time)
    assert group.reason == batch[-1].reason
    assert store.position() == 5


def test_an_alert_told_otherwise_is_rewritten_and_not_counted_again(
    store: AlertStore, make_alert: MakeAlert, start: datetime
) -> None:
    first = make_alert(1)
    changed = msgspec.structs.replace(first, time=start, reason=Words("改了", "changed"))
    store.commit([first], [], 1, start)
    second = store.commit([changed], [], 2, start)
    assert second.alerts == ()
    assert second.revision == 2
    detail = store.detail(first.group)
    assert (detail.group.count, [record.alert for record in detail.alerts]) == (1, [changed])
    assert detail.group.revision == 2
    assert store.commit([changed, changed], [], 3, start).revision == 2


def test_the_cursor_never_moves_back(store: AlertStore, start: datetime) -> None:
    store.commit([], [], 9, start)
    store.commit([], [], 3, start)
    store.commit([], [], None, start)
    assert store.position() == 9


def test_a_late_alert_keeps_the_newest_reason(
    store: AlertStore, make_alert: MakeAlert, start: datetime
) -> None:
    late, newest = make_alert(1), make_alert(7)
    store.commit([newest], [], 1, start)
    store.commit([late], [], 2, start)
    (group,) = store.page().rows
    assert (group.reason, group.first_seen, group.count) == (newest.reason, late.time, 2)


def test_bodies_are_bounded_and_the_count_is_exact(
    store: AlertStore, make_alert: MakeAlert, start: datetime
) -> None:
    storm = [make_alert(n) for n in range(250)]
    for at in range(0, 250, 60):
        store.commit(storm[at : at + 60], [], at + 60, start)
    store.commit(storm, [], 300, start)
    with store._engine.connect() as connection:
        kept = connection.exec_driver_sql("SELECT id FROM alerts WHERE body IS NOT NULL ORDER BY time").all()
    assert [row.id for row in kept] == [alert.id for alert in storm[-100:]]
    detail = store.detail(storm[0].group)
    assert detail.group.count == 250
    assert [record.alert for record in detail.alerts] == storm[:-21:-1]


def test_one_batch_larger_than_the_bound(store: AlertStore, make_alert: MakeAlert, start: datetime) -> None:
    storm = [make_alert(n) for n in range(150)]
    store.commit(storm, [], 1, start)
    assert store.detail(storm[0].group).alerts[0].alert == storm[-1]
    with store._engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(body), count(*) FROM alerts").one() == (100, 150)


def test_a_closed_group_hit_again_opens_a_new_instance(
    store: AlertStore, make_alert: MakeAlert, start: datetime
) -> None:
    first, second = make_alert(1), make_alert(2)
    store.commit([first], [], 1, start)
    store.acknowledge(first.group, "user:li", start)
    closed = store.close(first.group, "user:li", "false_positive", "backup job", start)
    store.commit([first, second], [], 2, start)
    (fresh,) = store.page().rows
    assert (fresh.id, fresh.generation, fresh.count, fresh.state) == (f"{first.group}-2", 2, 1, "new")
    old = store.detail(first.group).group
    assert old == msgspec.structs.replace(
        closed, entity_heat=fresh.entity_heat
    )  # its entity is at risk again
    assert store.detail(fresh.id).history[0].note == f"after {first.group}"
    with pytest.raises(Refused) as caught:
        store.reopen(first.group, "user:li", start)
    assert caught.value.code == "alert-superseded"


def test_history_and_fields_of_a_life(store: AlertStore, make_alert: MakeAlert, start: datetime) -> None:
    alert = make_alert(1)
    store.commit([alert], [], 1, start)
    taken = store.acknowledge(alert.group, "user:li", start + timedelta(minutes=1))
    closed = store.close(alert.group, "user:li", "test", " drill ", start + timedelta(minutes=2))
    back = store.reopen(alert.group, "user:wang", start + timedelta(minutes=3), "not a drill")
    assert (taken.state, taken.owner) == ("acknowledged", "user:li")
    assert (closed.state, closed.classification, closed.close_reason) == ("closed", "test", "drill")
    assert (back.state, back.owner, back.classification, back.close_reason) == (
        "acknowledged",
        "user:wang",
        "",
        "",
    )
    assert taken.revision < closed.revision < back.revision == store.revision()
    detail = store.detail(alert.group)
    assert [row.action for row in detail.history] == ["reopened", "closed", "acknowledged", "opened"]
    assert detail.history[1].note == "test: drill"
    assert detail.alerts[0].alert == alert


def test_a_new_group_is_closed_at_once_and_once(
    store: AlertStore, make_alert: MakeAlert, start: datetime
) -> None:
    alert = make_alert(1)
    store.commit([alert], [], 1, start)
    closed = store.close(alert.group, "user:li", "test", "drill", start)
    assert (closed.state, closed.owner) == ("closed", "user:li")
    with pytest.raises(Refused) as caught:
        store.close(alert.group, "user:li", "test", "drill", start)
    assert caught.value.code == "alert-state"


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda s, g, t: s.reopen(g, "user:li", t), "alert-state"),
        (lambda s, g, t: s.close(g, "user:li", "odd", "drill", t), "alert-argument"),
        (lambda s, g, t: s.close(g, "user:li", "test", " x ", t), "alert-argument"),
        (lambda s, g, t: s.acknowledge(g, "", t), "alert-argument"),
        (lambda s, g, t: s.acknowledge("absent", "user:li", t), "alert-not-found"),
        (lambda s, g, t: s.detail("absent"), "alert-not-found"),
        (lambda s, g, t: s.page(state="odd"), "alert-argument"),
        (lambda s, g, t: s.page(severity="odd"), "alert-argument"),
        (lambda s, g, t: s.page(detector="odd"), "alert-argument"),
        (lambda s, g, t: s.page(q="x" * 501), "alert-argument"),
        (lambda s, g, t: s.page(cursor="٣.x"), "alert-cursor"),
        (lambda s, g, t: s.page(cursor="1"), "alert-cursor"),
    ],
)
def test_what_is_wrong_is_named(
    store: AlertStore,
    make_alert: MakeAlert,
    start: datetime,
    call: Callable[[AlertStore, str, datetime], object],
    code: str,
) -> None:
    alert = make_alert(1)
    store.commit([alert], [], 1, start)
    with pytest.raises(LiuheError) as caught:
        call(store, alert.group, start)
    assert caught.value.code == code
    assert store.revision() == 1


def test_filters_search_and_counts(store: AlertStore, make_alert: MakeAlert, start: datetime) -> None:
    high = make_alert(1, entity="host:web-01")
    low = make_alert(2, entity="user:zhang_1@web-01", severity="low", rule="rule-2")
    done = make_alert(3, entity="source:10.0.0.8", severity="critical")
    store.commit([high, low, done], [], 1, start)
    store.acknowledge(done.group, "user:li", start)
    store.close(done.group, "user:li", "true_positive", "blocked", start)

    def ids(**wanted: str) -> set[str]:
        page = store.page(**wanted)
        assert page.total == len(page.rows)
        return {row.id for row in page.rows}

    assert ids() == {high.group, low.group}
    assert ids(state="all") == {high.group, low.group, done.group}
    assert ids(state="closed") == {done.group}
    assert ids(severity="low") == {low.group}
    assert ids(detector="anomaly") == set()
    assert ids(q="ZHANG_1") == {low.group}
    assert ids(q="zhang%") == set()
    assert ids(q="反弹", state="all") == {high.group, low.group, done.group}
    counts = store.counts()
    assert counts.states == {"new": 2, "closed": 1}
    assert counts.open_severities == {"high": 1, "low": 1}


def test_paging_while_alerts_arrive(store: AlertStore, make_alert: MakeAlert, start: datetime) -> None:
    store.commit([make_alert(n, entity=f"host:{n:03}") for n in range(95)], [], 1, start)
    seen: list[str] = []
    cursor = ""
    for turn in range(20):
        page = store.page(cursor=cursor, limit=10)
        seen += [row.entity for row in page.rows]
        store.commit([make_alert(200 + turn, entity=f"host:new-{turn}")], [], 2 + turn, start)
        cursor = page.next
        if not cursor:
            break
    assert seen == [f"host:{n:03}" for n in reversed(range(95))]


def test_alerts_per_hour(store: AlertStore, make_alert: MakeAlert, start: datetime) -> None:
    store.commit([make_alert(n) for n in (0, 1, 3_600, 7_199)], [], 1, start)
    assert store.per_hour(start + timedelta(hours=2), hours=3) == [0, 2, 2]


def test_detector_snapshots_go_with_the_commit(store: AlertStore, start: datetime) -> None:
    assert store.detector_state("anomaly") is None
    store.commit([], [], 1, start, states={"anomaly": b"1"})
    store.commit([], [], 2, start, states={"anomaly": b"2"})
    assert store.detector_state("anomaly") == b"2"


def test_all_or_nothing(
    store: AlertStore,
    make_alert: MakeAlert,
    make_event: Callable[..., Event],
    start: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "no space left on device")

    monkeypatch.setattr("detection.store.alert_store.advance", fail)
    with pytest.raises(OSError, match="no space"):
        store.commit([make_alert(1)], [make_event(1)], 1, start)
    assert (store.page().total, store.position(), store.revision()) == (0, 0, 0)


def test_what_the_budget_withholds_is_kept_asleep_and_wakes_with_the_first_alert_within_it(
    store: AlertStore, make_alert: MakeAlert
) -> None:
    one, two, three = (msgspec.structs.replace(make_alert(at), detector="anomaly") for at in (1, 2, 3))
    held = [msgspec.structs.replace(alert, withheld=True) for alert in (one, two)]
    now = three.time
    store.commit(held[:1], [], 1, now)
    store.commit(held[1:], [], 2, now)

    def found(state: str) -> list[str]:
        return [row.id for row in store.queue(GroupFilter(state=state, folded=True), now).rows]

    assert (found("open"), found("snoozed"), found("withheld")) == ([], [], [one.group])
    assert store.count(GroupFilter(state="withheld"), now) == 1
    assert store.queue(GroupFilter(state="all", told=True), now).rows == ()
    assert store.counts().states == {}
    group = store.detail(one.group).group
    assert (group.withheld, group.count) == (True, 2)
    store.commit([three], [], 3, now)
    assert (found("open"), found("withheld")) == ([one.group], [])
    assert [told.action for told in store.detail(one.group).history] == ["woken", "opened"]
    store.commit([msgspec.structs.replace(make_alert(4), withheld=True)], [], 4, now)
    assert found("open") == [one.group]  # once told it stays
