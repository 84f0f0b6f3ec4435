"""Statements in two voices and scores by day, in a real state database."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from compliance.grading import Statement
from compliance.grading_store import GradingStore
from compliance.registry import GradedSystem
from compliance.registry_log_store import RegistryLogStore
from compliance.registry_store import RegistryStore
from compliance.scoring import SystemScore
from crypto.words import BadInput, Refused
from detection.store.state import Engine, open_state

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SYSTEM = GradedSystem(id="portal", unit="320100-zwb", name="门户", level=3, grade="S3A3G3")
SAID = Statement(
    system="portal", item="L3-8.1.4.1.a", verdict="不适用", reason="无口令登录", author="user:a", made=NOW
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}", create=True)
    RegistryStore(engine).register(SYSTEM, unit_name="政务办", now=NOW)
    yield engine
    engine.dispose()


@pytest.fixture
def store(engine: Engine) -> GradingStore:
    return GradingStore(engine)


def test_a_statement_counts_once_another_person_confirms_it(store: GradingStore, engine: Engine) -> None:
    made = store.propose(SAID, NOW)
    assert (made.state, made.counts_at(NOW)) == ("proposed", False)
    with pytest.raises(Refused, match="statement-own"):
        store.review(made.number, confirm=True, reviewer="user:a", note="", now=NOW)
    after = store.review(made.number, confirm=True, reviewer="user:b", note="已核", now=NOW)
    assert after.counts_at(NOW)
    assert store.statement(made.number) == after
    with pytest.raises(Refused, match="statement-state"):
        store.review(made.number, confirm=False, reviewer="user:c", note="", now=NOW)
    log = RegistryLogStore(engine).of(f"statement:{made.number}")
    assert [(one.action, one.actor) for one in log] == [
        ("statement.confirmed", "user:b"),
        ("statement.propose", "user:a"),
    ]


def test_a_later_one_replaces_it_and_either_can_be_withdrawn(store: GradingStore) -> None:
    first, second = store.propose(SAID, NOW), store.propose(SAID, NOW)
    for one in (first, second):
        store.review(one.number, confirm=True, reviewer="user:b", note="", now=NOW)
    assert [one.state for one in store.statements("portal")] == ["confirmed", "replaced"]
    store.withdraw(second.number, actor="user:a", note="有误", now=NOW)
    assert store.statement(second.number).state == "withdrawn"
    with pytest.raises(Refused, match="statement-state"):
        store.withdraw(first.number, actor="user:a", note="", now=NOW)
    third = store.propose(SAID, NOW)
    refused = store.review(third.number, confirm=False, reviewer="user:b", note="证据不足", now=NOW)
    assert (refused.state, refused.review) == ("refused", "证据不足")
    assert store.statements("oa") == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"reason": " 略 "}, "reason"),
        ({"verdict": ""}, "verdict"),
        ({"risk": "low"}, "mitigation"),
        ({"mitigation": "x" * 3000}, "mitigation"),
        ({"valid_until": NOW}, "valid_until"),
    ],
)
def test_a_statement_that_says_too_little(store: GradingStore, change: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput, match="registry-field") as wrong:
        store.propose(msgspec.structs.replace(SAID, **change), NOW)
    assert wrong.value.field == field


def test_what_is_not_there_is_refused(store: GradingStore) -> None:
    with pytest.raises(Refused, match="object-not-found"):
        store.propose(msgspec.structs.replace(SAID, object="host:web-09"), NOW)
    with pytest.raises(Refused, match="system-not-found"):
        store.propose(msgspec.structs.replace(SAID, system="none"), NOW)
    with pytest.raises(Refused, match="statement-not-found"):
        store.statement(7)
    assert store.propose(msgspec.structs.replace(SAID, object="room:机房"), NOW).number == 1


def test_one_score_a_day(store: GradingStore) -> None:
    def scored(time: datetime, rate: float) -> SystemScore:
        return SystemScore(
            system="portal",
            unit=SYSTEM.unit,
            grade="S3A3G3",
            level=3,
            time=time,
            rule="1",
            template="2025",
            items=211,
            results=300,
            counts={"符合": 200, "部分符合": 1, "不符合": 2, "不适用": 3, "未知": 5},
            rate=rate,
            decided=97.6,
            conclusion="符合",
            domains=(),
            layers=(),
            high_risks=0,
            mitigated=0,
            major_risks=(),
        )

    assert store.newest("portal") is None
    day = timedelta(days=1)
    store.keep([scored(NOW, 90.0), scored(NOW + day, 91.0)])
    store.keep([scored(NOW + day + timedelta(hours=3), 92.0)])
    assert [one.rate for one in store.days("portal")] == [90.0, 92.0]
    newest, earlier = store.newest("portal"), store.newest("portal", NOW + day)
    assert newest is not None
    assert earlier is not None
    assert (newest.rate, earlier.rate) == (92.0, 90.0)
