"""Check results: the newest in place, a history of changes, grounds without running numbers."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from compliance.check_store import HISTORY_MAX, CheckStore, Kept, body_of, from_body, grounds
from compliance.evaluation import Evaluation, Fact, Finding
from compliance.ledgered_store import LedgeredStore
from crypto.words import Words

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def evaluation(number: int = 0, **fields: Any) -> Evaluation:
    fact = Fact(object="web", name="p", time=NOW, fields=fields or {"a": 1})
    return Evaluation(
        check="PLT-01",
        system="local",
        verdict="符合",
        reason=Words("满足", "fine"),
        evaluated=NOW + timedelta(minutes=number),
        stale_at=None,
        findings=(Finding(object="web", fact="p", state="satisfied", why=Words("", ""), evidence=fact),),
    )


def test_the_newest_stays_and_only_a_new_leaf_enters_the_history(world: Any) -> None:
    store = CheckStore(world.engine)
    store.keep([Kept(evaluation=evaluation(0), leaf=0)])
    store.keep([Kept(evaluation=evaluation(1), leaf=0)])
    store.keep([Kept(evaluation=evaluation(2), leaf=5)])
    assert store.newest("local")["PLT-01"] == Kept(evaluation=evaluation(2), leaf=5)
    assert [kept.leaf for kept in store.history("local", "PLT-01")] == [5, 0]
    assert store.history("local", "PLT-02") == []
    assert store.newest("other") == {}
    assert store.revision() == 3


def test_the_history_shown_is_bounded(world: Any) -> None:
    store = CheckStore(world.engine)
    for leaf in range(HISTORY_MAX + 3):
        store.keep([Kept(evaluation=evaluation(leaf), leaf=leaf)])
    history = store.history("local", "PLT-01")
    assert len(history) == HISTORY_MAX
    assert history[0].leaf == HISTORY_MAX + 2


def test_keeping_is_all_or_nothing(world: Any) -> None:
    store, ledgered = CheckStore(world.engine), LedgeredStore(world.engine)
    ledgered.begin("evaluation", 4)

    def results() -> Any:
        yield Kept(evaluation=evaluation(), leaf=0)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.keep(results())
    assert store.newest("local") == {}
    assert ledgered.begun("evaluation") == 4


def test_a_body_reads_back() -> None:
    assert from_body(body_of(evaluation())) == evaluation()


def test_grounds_change_with_what_is_so_not_with_time_or_running_numbers() -> None:
    first = grounds(evaluation(0, **{"ledger.ok": True, "ledger.size": 1}))
    assert grounds(evaluation(9, **{"ledger.ok": True, "ledger.size": 2})) == first
    assert grounds(evaluation(0, **{"ledger.ok": False, "ledger.size": 1})) != first
    other = msgspec.structs.replace(evaluation(), verdict="未知")
    assert grounds(other) != grounds(evaluation())
