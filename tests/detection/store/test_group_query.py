"""What a filter and a query text find in the queue, and what they refuse."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from crypto.words import BadInput
from detection.alert import Alert
from detection.store.alert_store import AlertStore
from detection.store.group_query import GroupFilter

MakeAlert = Callable[..., Alert]


@pytest.fixture
def store(engine: Engine, make_alert: MakeAlert, start: datetime) -> AlertStore:
    made = AlertStore(engine)
    made.commit(
        [
            make_alert(1, entity="host:Web-01"),
            make_alert(2, entity="host:web-01", rule="rule-2", severity="low"),
            make_alert(3, entity="source:10.1.2.3", severity="critical"),
            make_alert(4, entity="user:zhang_1@web-02", severity="medium", rule="rule-2"),
        ],
        [],
        1,
        start,
    )
    return made


@pytest.mark.parametrize(
    ("q", "entities"),
    [
        ("host:web-01", {"host:Web-01", "host:web-01"}),
        ("主机=web-01", {"host:Web-01", "host:web-01"}),
        ("entity:10.1.2.3", {"source:10.1.2.3"}),
        ("entity:10.1.0.0/16", {"source:10.1.2.3"}),
        ("entity:*web*", {"host:Web-01", "host:web-01", "user:zhang_1@web-02"}),
        ("程度：严重", {"source:10.1.2.3"}),
        ("severity >= high", {"host:Web-01", "source:10.1.2.3"}),
        ("severity:[1 TO 2]", {"host:web-01", "user:zhang_1@web-02"}),
        ("rule:rule-2 -severity:low", {"user:zhang_1@web-02"}),
        ("rule:(rule-2 rule-3) and not host:web-01", {"user:zhang_1@web-02"}),
        ("attack:T1059 count:1", {"host:Web-01", "host:web-01", "source:10.1.2.3", "user:zhang_1@web-02"}),
        ("attack:T1003", set()),
        ("clause:8.1.4.3 程度:中", {"user:zhang_1@web-02"}),
        ("反弹 zhang_1", {"user:zhang_1@web-02"}),
        ("zhang%", set()),
        ('"nc started, number 3"', {"source:10.1.2.3"}),
        ("nc*number", {"host:Web-01", "host:web-01", "source:10.1.2.3", "user:zhang_1@web-02"}),
        ("_missing_:owner unit:nanjing risk >= 40", {"source:10.1.2.3"}),
        ("risk:50", {"source:10.1.2.3"}),
        ("risk:25", set()),
        ("risk < 11", {"user:zhang_1@web-02"}),
        ("not risk > 40", {"user:zhang_1@web-02", "host:Web-01", "host:web-01"}),
        ("owner:me", set()),
        ("system:portal", {"host:Web-01", "host:web-01"}),
        ("*", {"host:Web-01", "host:web-01", "source:10.1.2.3", "user:zhang_1@web-02"}),
    ],
)
def test_a_text_finds(store: AlertStore, start: datetime, q: str, entities: set[str]) -> None:
    wanted = GroupFilter(q=q, folded=True, actor="user:li")
    page = store.queue(
        wanted, start, keys_of_system=lambda system: ["host:web-01"] if system == "portal" else []
    )
    assert {row.entity for row in page.rows} == entities
    assert page.total == len(page.rows)


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (GroupFilter(q="colour:red"), "alert-query"),
        (GroupFilter(q="title~x.*y"), "alert-query"),
        (GroupFilter(q="entity:10.0.0.0/9"), "alert-query"),
        (GroupFilter(q="severity:odd"), "alert-argument"),
        (GroupFilter(q="count:many"), "alert-argument"),
        (GroupFilter(q="(a"), "query-syntax"),
        (GroupFilter(q="x" * 501), "alert-argument"),
        (GroupFilter(state="odd"), "alert-argument"),
        (GroupFilter(detector="odd"), "alert-argument"),
    ],
)
def test_what_it_cannot_do_is_said(
    store: AlertStore, start: datetime, wanted: GroupFilter, code: str
) -> None:
    with pytest.raises(BadInput) as caught:
        store.queue(wanted, start)
    assert caught.value.code == code


def test_time_and_units_narrow(store: AlertStore, start: datetime) -> None:
    late = GroupFilter(since=start + timedelta(seconds=3))
    assert store.queue(late, start).total == 2
    assert store.queue(GroupFilter(until=start + timedelta(seconds=3)), start).total == 2
    assert store.queue(GroupFilter(units=frozenset({"suzhou"})), start).total == 0
    assert store.queue(GroupFilter(units=frozenset({"nanjing"})), start).total == 4
