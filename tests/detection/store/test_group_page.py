"""Pages in every order, from a cursor or far behind it, and what the rows are made of."""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
import pytest
from sqlalchemy import Engine

from crypto.words import BadInput
from detection.alert import SEVERITIES, Alert
from detection.store import group_page
from detection.store.alert_store import AlertStore
from detection.store.group_page import FACETS, SORTS, Sort
from detection.store.group_query import GroupFilter

MakeAlert = Callable[..., Alert]
OPEN = GroupFilter(folded=True)


@pytest.fixture
def store(engine: Engine, make_alert: MakeAlert, start: datetime) -> AlertStore:
    made = AlertStore(engine)
    alerts = [
        make_alert(
            group * 10 + turn,
            entity=f"host:{group:02}",
            severity=SEVERITIES[group % 5],
            rule=f"rule-{group % 3}",
        )
        for group in range(30)
        for turn in range(1 + group % 4)
    ]
    made.commit(alerts, [], 1, start)
    return made


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("broad", [0, 10_000])
def test_every_order_pages_to_the_end(
    store: AlertStore, start: datetime, sort: Sort, broad: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_page, "BROAD_ROWS", broad)
    monkeypatch.setattr(group_page, "COLD_ROWS", broad)
    now = start + timedelta(hours=1)
    whole = store.queue(OPEN, now, sort=sort, limit=500)
    assert whole.total == len(whole.rows) == 30
    keys = {
        "latest": lambda row: row.latest,
        "risk": lambda row: row.entity_heat,
        "count": lambda row: row.count,
        "severity": lambda row: SEVERITIES.index(row.severity),
    }
    values = [keys[sort](row) for row in whole.rows]
    assert values == sorted(values, reverse=True)
    seen: list[str] = []
    cursor = ""
    while True:
        page = store.queue(OPEN, now, sort=sort, cursor=cursor, limit=7)
        seen += [row.id for row in page.rows]
        cursor = page.next
        if not cursor:
            break
    assert seen == [row.id for row in whole.rows]
    first = store.queue(OPEN, now, sort=sort, limit=7)
    behind = store.queue(OPEN, now, sort=sort, cursor=first.next, offset=14, limit=7)
    assert [row.id for row in behind.rows] == seen[21:28]


@pytest.mark.parametrize("broad", [5, 10_000])
@pytest.mark.parametrize("state", ["open", "all", "closed"])
def test_words_are_found_page_by_page_and_counted_on_request(
    store: AlertStore, start: datetime, state: str, broad: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_page, "BROAD_ROWS", broad)
    monkeypatch.setattr(group_page, "COLD_ROWS", broad)
    if state == "closed":
        for row in store.queue(OPEN, start, limit=500).rows:
            store.close(row.id, "user:a", "test", "drill", start)
    for sort in SORTS:
        wanted = GroupFilter(folded=True, state=state, q="host")
        first = store.queue(wanted, start, sort=sort, limit=20, whole=False)
        assert first.exact is (broad > 30)
        assert store.count(wanted, start) == 30
        second = store.queue(wanted, start, sort=sort, limit=20, cursor=first.next, whole=False)
        assert (second.total, second.exact) == (30, True)
        assert len({row.id for row in (*first.rows, *second.rows)}) == 30
        store._totals.clear()


@pytest.mark.parametrize("cursor", ["1", "x.y", "1.2.3.4", "nan.1.a", "1." + "a" * 65])
def test_a_wrong_cursor_is_refused(store: AlertStore, start: datetime, cursor: str) -> None:
    with pytest.raises(BadInput) as caught:
        store.queue(OPEN, start, cursor=cursor)
    assert caught.value.code == "alert-cursor"


def test_a_wrong_order_and_field_are_refused(store: AlertStore, start: datetime) -> None:
    for call in (
        lambda: store.queue(OPEN, start, sort="colour"),  # type: ignore[arg-type]
        lambda: store.buckets(OPEN, start, "colour"),  # type: ignore[arg-type]
    ):
        with pytest.raises(BadInput) as caught:
            call()
        assert caught.value.code == "alert-argument"


@pytest.mark.parametrize("by", FACETS)
def test_buckets_hold_every_row_once(store: AlertStore, start: datetime, by: str) -> None:
    buckets = store.buckets(OPEN, start, by)  # type: ignore[arg-type]
    assert sum(bucket.groups for bucket in buckets) == 30
    assert sum(bucket.alerts for bucket in buckets) == sum(1 + group % 4 for group in range(30))
    assert all(sum(bucket.severities.values()) == bucket.groups for bucket in buckets)
    if by == "rule":
        assert [bucket.groups for bucket in buckets] == [10, 10, 10]
        assert buckets[0].title is not None
    if by == "severity":
        assert {bucket.value: bucket.worst for bucket in buckets} == {name: name for name in SEVERITIES}


def test_buckets_tell_how_many_hosts_and_users(
    engine: Engine, make_alert: MakeAlert, start: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [
        "host:a",
        "host:b",
        "user:root@a",
        "user:root@c",
        "user:li@corp@c",
        "user:wang",
        "source:10.1.1.1",
    ]
    raised = [make_alert(n, entity=name, rule=f"rule-{n % 2}") for n, name in enumerate(names)]
    raised.append(msgspec.structs.replace(make_alert(90, entity="host:a"), unit="elsewhere", group="e" * 32))
    store = AlertStore(engine)
    store.commit(raised, [], 1, start)
    (whole,) = store.buckets(OPEN, start, "detector")
    assert (whole.groups, whole.hosts, whole.users) == (8, 4, 3)  # a, b, c and the other unit's a
    rules = {one.value: (one.hosts, one.users) for one in store.buckets(OPEN, start, "rule")}
    assert rules == {"rule-0": (2, 2), "rule-1": (3, 2)}
    monkeypatch.setattr(group_page, "UNIQUE_ROWS", 7)
    (whole,) = store.buckets(OPEN, start, "detector")
    assert (whole.groups, whole.hosts, whole.users) == (8, None, None)


def test_the_number_of_buckets_is_bounded(store: AlertStore, start: datetime) -> None:
    with store._engine.connect() as connection:
        assert len(group_page.read_buckets(connection, [], "entity", limit=4)) == 4
