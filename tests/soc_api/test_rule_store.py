"""Decisions about rules, their versions, and the pipeline's report, kept."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from crypto.words import Refused
from detection.correlation.correlator import Counters
from detection.store.state import open_state, writing
from soc_api.migrate import upgrade
from soc_api.rule_report import Cost, Decided, Report, Unrouted
from soc_api.rule_store import RuleStore
from soc_api.rule_tables import rule_reports

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
REPORT = Report(
    started=NOW,
    applied=2,
    digest="d",
    rules=3,
    correlations=1,
    unknown_to_all=True,
    events=10,
    costs={"r1": Cost(812.5, 64)},
    unrouted=(Unrouted(product="p", category="", service="", events=4),),
    unrouted_events=4,
    counters=Counters(keys=1),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RuleStore]:
    engine = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}")
    upgrade(engine)
    yield RuleStore(engine)
    engine.dispose()


def test_the_newest_decision_of_each_rule_holds(store: RuleStore) -> None:
    assert (store.decided(), store.newest(), store.revision()) == (Decided(0, frozenset()), 0, 0)
    first = store.decide("r1", False, actor="user:an", reason="误报太多", now=NOW)
    store.decide("r2", False, actor="user:an", reason="不适用", now=NOW)
    last = store.decide("r1", True, actor="user:an", reason="已修改", now=NOW + timedelta(hours=1))
    assert first == 1
    assert store.decided() == Decided(last, frozenset({"r2"}))
    assert store.newest() == last == 3
    assert store.revision() == 3


@pytest.mark.parametrize("enabled", [True, False])
def test_what_is_so_already_is_not_decided_again(store: RuleStore, enabled: bool) -> None:
    if not enabled:
        store.decide("r1", False, actor="user:an", reason="误报太多", now=NOW)
    before = store.newest()
    with pytest.raises(Refused, match="rule-state"):
        store.decide("r1", enabled, actor="user:an", reason="再一次", now=NOW)
    assert store.newest() == before


def test_history_tells_of_versions_and_decisions(store: RuleStore) -> None:
    assert store.note({"r1": "aa", "r2": "bb"}, NOW) == 2
    assert store.note({"r1": "aa", "r2": "bb"}, NOW + timedelta(hours=1)) == 0
    store.decide("r1", False, actor="user:an", reason="误报太多", now=NOW + timedelta(hours=2))
    assert store.note({"r2": "bc"}, NOW + timedelta(hours=3)) == 2
    assert store.note({"r1": "aa", "r2": "bc"}, NOW + timedelta(hours=4)) == 1
    past = store.history("r1")
    assert [one.kind for one in past] == ["loaded", "removed", "disabled", "loaded"]
    assert (past[2].actor, past[2].reason, past[3].digest) == ("user:an", "误报太多", "aa")
    assert [one.digest for one in store.history("r2")] == ["bc", "bb"]
    assert store.history("r3") == []


def test_the_newest_report_is_kept(store: RuleStore) -> None:
    assert store.report() is None
    store.keep_report(REPORT, NOW - timedelta(minutes=1))
    store.keep_report(REPORT, NOW)
    kept = store.report()
    assert kept is not None
    assert (kept.time, kept.report) == (NOW, REPORT)
    assert store.revision() == 2
    with writing(store._engine) as connection:
        connection.execute(update(rule_reports).values(body=b"{}"))
    assert store.report() is None
