"""Tests of soc_api.audit and soc_api.audit_store: append-only, chained, refusing when it cannot write."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from crypto.words import BadInput, LiuheError
from detection.store.state import open_state, writing
from soc_api.audit import GENESIS, Entry, chained, entry
from soc_api.audit_store import AuditStore
from soc_api.migrate import upgrade

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def said(about: str = "x") -> Entry:
    return entry(time=NOW, actor="user:a", source="127.0.0.1", action="test.do", about=about)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    made = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}")
    upgrade(made)
    return made


def test_lines_chain_from_genesis(engine: Engine) -> None:
    store = AuditStore(engine)
    first, second = store.record(said("1")), store.record(said("2"))
    assert first.digest == chained(GENESIS, 1, said("1"))
    assert second.digest == chained(first.digest, 2, said("2"))
    assert store.since(0) == [first, second]
    assert store.since(1) == [second]
    assert store.broken_at() is None
    engine.dispose()


def test_writers_side_by_side_leave_no_hole(engine: Engine) -> None:
    store = AuditStore(engine)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: store.record(said(str(number))), range(24)))
    assert [line.sequence for line in store.since(0)] == list(range(1, 25))
    assert store.broken_at() is None
    engine.dispose()


@pytest.mark.parametrize("statement", ["UPDATE audit_log SET result = 'x'", "DELETE FROM audit_log"])
def test_lines_can_be_neither_changed_nor_deleted(engine: Engine, statement: str) -> None:
    store = AuditStore(engine)
    store.record(said())
    with pytest.raises(IntegrityError, match="append-only"), writing(engine) as connection:
        connection.execute(text(statement))
    assert store.broken_at() is None
    engine.dispose()


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE audit_log SET object = 'y' WHERE sequence = 2", 2),
        ("DELETE FROM audit_log WHERE sequence = 2", 2),
        ("DELETE FROM audit_log WHERE sequence = 3", 3),
    ],
)
def test_what_gets_around_the_triggers_breaks_the_chain(engine: Engine, statement: str, broken: int) -> None:
    store = AuditStore(engine)
    for number in range(3):
        store.record(said(str(number)))
    with writing(engine) as connection:
        connection.execute(text("DROP TRIGGER audit_log_no_update"))
        connection.execute(text("DROP TRIGGER audit_log_no_delete"))
        connection.execute(text(statement))
    assert store.broken_at() == broken
    engine.dispose()


def test_pages_run_from_the_newest_to_the_oldest(engine: Engine) -> None:
    store = AuditStore(engine)
    for number in range(5):
        store.record(said(str(number)))
    first = store.page(limit=3)
    rest = store.page(cursor=first.next, limit=3)
    assert [line.entry.object for line in (*first.rows, *rest.rows)] == ["4", "3", "2", "1", "0"]
    assert rest.next == ""
    with pytest.raises(BadInput, match="audit-cursor"):
        store.page(cursor="1 OR 1=1")
    engine.dispose()


def test_where_it_cannot_be_written_the_caller_is_told(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("DROP TABLE audit_head"))
    with pytest.raises(LiuheError, match="audit-unwritable"):
        AuditStore(engine).record(said())
    engine.dispose()


def test_hostile_text_stays_one_bounded_line() -> None:
    made = entry(time=NOW, actor="a\nb", source="s" * 500, action="x", about="\x1b[31m" + "y" * 9000)
    assert made.actor == "a\N{REPLACEMENT CHARACTER}b"
    assert len(made.source) == 64
    assert len(made.object) == 512
    assert "\x1b" not in made.object
