"""What every state database must do for the alert queue, against a model of it: any order, any repetition.

SQLite always; PostgreSQL where LIUHE_TEST_POSTGRES names an empty database (postgresql+driver://…).
"""

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from crypto.words import Refused, Words
from detection.alert import Alert, Claim, claim
from detection.store.alert_store import AlertStore
from detection.store.state import open_state
from detection.store.tables import metadata
from sensors.event import LogSource, Observation, stamp

START = datetime(2026, 11, 22, tzinfo=UTC)
POSTGRES = os.environ.get("LIUHE_TEST_POSTGRES", "")
BACKENDS = [
    "sqlite",
    pytest.param(
        "postgresql",
        marks=pytest.mark.skipif(not POSTGRES, reason="LIUHE_TEST_POSTGRES names no database"),
    ),
]
ENTITIES = ["host:a", "host:b"]


def engine_of(backend: str, folder: str) -> Engine:
    if backend == "postgresql":
        engine = open_state(POSTGRES)
        metadata.drop_all(engine)
        metadata.create_all(engine)
        return engine
    return open_state(f"sqlite:///{Path(folder) / 'state.sqlite'}", create=True)


def alert(number: int, entity: str) -> Alert:
    seen = Observation(time=START + timedelta(seconds=number), logsource=LogSource(), fields={"n": number})
    event = stamp(seen, unit="u", sensor="s", epoch=1, sequence=number)
    said = Claim(rule="r", detector="sigma", title=Words("题", "title"), severity="low")
    return claim(said, entity=entity, reason=Words(f"{number}", f"{number}"), events=(event,), matched=())


class Queue(RuleBasedStateMachine):
    """The queue and beside it the model: per entity a list of [state, alert ids]."""

    backend = "sqlite"

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.engine = engine_of(self.backend, self.folder.name)
        self.store = AlertStore(self.engine)
        self.model: dict[str, list[tuple[str, set[str]]]] = {entity: [] for entity in ENTITIES}
        self.revision = 0
        self.now = START

    def teardown(self) -> None:
        self.engine.dispose()
        self.folder.cleanup()

    @rule(numbers=st.lists(st.integers(0, 12), min_size=1, max_size=4), entity=st.sampled_from(ENTITIES))
    def arrive(self, numbers: list[int], entity: str) -> None:
        """Alerts come, some of them again; a closed group gives way to a new one."""
        batch = [alert(number, entity) for number in numbers]
        instances = self.model[entity]
        known = {identifier for _, members in instances for identifier in members}
        fresh = {one.id for one in batch} - known
        committed = self.store.commit(batch, [], None, self.now)
        assert {one.id for one in committed.alerts} == fresh
        if fresh:
            if not instances or instances[-1][0] == "closed":
                instances.append(("new", set()))
            instances[-1][1].update(fresh)
        self._moved(changed=bool(fresh))

    @precondition(lambda self: any(self.model.values()))
    @rule(data=st.data(), action=st.sampled_from(["acknowledge", "close", "reopen"]))
    def judge(self, data: st.DataObject, action: str) -> None:
        """A person acts on some instance; the state machine says yes or no."""
        entity = data.draw(st.sampled_from([entity for entity in ENTITIES if self.model[entity]]))
        place = data.draw(st.integers(0, len(self.model[entity]) - 1))
        key = alert(0, entity).group
        group = key if place == 0 else f"{key}-{place + 1}"
        state, members = self.model[entity][place]
        newest = place == len(self.model[entity]) - 1
        after = {
            ("acknowledge", "new"): "acknowledged",
            ("close", "new"): "closed",
            ("close", "acknowledged"): "closed",
            ("reopen", "closed"): "acknowledged" if newest else None,
        }.get((action, state))
        try:
            self._act(action, group)
        except Refused as refused:
            assert after is None
            superseded = (action, state) == ("reopen", "closed")
            assert refused.code == ("alert-superseded" if superseded else "alert-state")  # noqa: PT017
            self._moved(changed=False)
        else:
            assert after is not None
            self.model[entity][place] = after, members
            self._moved(changed=True)

    @invariant()
    def the_queue_is_the_model(self) -> None:
        """States and counts are those of the model, and never two open instances of one entity."""
        page = self.store.page(state="all", limit=500)
        shown = {(row.entity, row.generation): (row.state, row.count) for row in page.rows}
        assert shown == {
            (entity, place): (state, len(members))
            for entity, instances in self.model.items()
            for place, (state, members) in enumerate(instances, start=1)
        }
        assert page.total == len(shown)
        for instances in self.model.values():
            assert all(state == "closed" for state, _ in instances[:-1])

    def _act(self, action: str, group: str) -> None:
        if action == "acknowledge":
            self.store.acknowledge(group, "user:li", self.now)
        elif action == "close":
            self.store.close(group, "user:li", "false_positive", "known job", self.now)
        else:
            self.store.reopen(group, "user:li", self.now)

    def _moved(self, *, changed: bool) -> None:
        revision = self.store.revision()
        assert revision == self.revision + changed
        self.revision = revision
        self.now += timedelta(seconds=1)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_queue_follows_its_model(backend: str) -> None:
    machine = type("QueueOnBackend", (Queue,), {"backend": backend})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=20, stateful_step_count=15, deadline=None)
    )


@pytest.fixture(params=BACKENDS)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    engine = engine_of(request.param, str(tmp_path))
    yield engine
    engine.dispose()


def test_every_store_statement_runs(engine: Engine) -> None:
    store = AlertStore(engine)
    store.commit([alert(number, "host:a") for number in range(150)], [], 7, START, states={"d": b"x"})
    assert store.page(q="HOST:A", severity="low", detector="sigma").rows[0].count == 150
    assert store.counts().open_severities == {"low": 1}
    assert sum(store.per_hour(START + timedelta(hours=1))) == 150
    assert (store.position(), store.detector_state("d")) == (7, b"x")


def test_the_schema_is_sql_of_both_databases() -> None:
    for dialect in (sqlite.dialect(), postgresql.dialect()):
        for table in metadata.sorted_tables:
            assert str(CreateTable(table).compile(dialect=dialect))
            assert all(str(CreateIndex(index).compile(dialect=dialect)) for index in table.indexes)
