"""Opening the state: settings of SQLite, writers that wait, and clear errors."""

import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import IntegrityError

from crypto.words import BadInput, LiuheError
from detection.store.state import open_state, state_of, writing
from detection.store.tables import alert_history, counters


def test_sqlite_is_durable_and_checks_foreign_keys(engine: Engine) -> None:
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 10_000
    row = {"group_id": "no such", "time": 1, "actor": "a", "action": "closed", "note": ""}
    with pytest.raises(IntegrityError), writing(engine) as connection:
        connection.execute(insert(alert_history), [row])


def test_an_exception_rolls_back(engine: Engine) -> None:
    row = {"name": "x", "value": 1}
    with pytest.raises(IntegrityError), writing(engine) as connection:
        connection.execute(insert(counters), [row, row])
    with engine.connect() as connection:
        assert connection.execute(select(counters)).all() == []


def test_a_second_writer_waits_and_a_reader_does_not(engine: Engine) -> None:
    entered = threading.Event()

    def second() -> None:
        with writing(engine) as connection:
            entered.set()
            connection.execute(insert(counters).values(name="second", value=2))

    with writing(engine) as connection:
        connection.execute(insert(counters).values(name="first", value=1))
        other = threading.Thread(target=second)
        other.start()
        with engine.connect() as reader:
            assert reader.execute(select(counters)).all() == []
        assert not entered.wait(0.1)
    other.join()
    with engine.connect() as connection:
        assert len(connection.execute(select(counters)).all()) == 2


@pytest.mark.parametrize("url", ["mysql://a@b/c", "nonsense", "", "sqlite3:x"])
def test_an_unknown_url_is_refused(url: str) -> None:
    with pytest.raises(BadInput) as caught:
        open_state(url)
    assert caught.value.code == "state-url"


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite").write_bytes(b"this is not a database, but it is long enough" * 100)
    with pytest.raises(LiuheError) as caught:
        state_of(tmp_path)
    assert caught.value.code == "state-open"
    assert "state.sqlite" in caught.value.field


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg2", None)
    with pytest.raises(LiuheError, match="state-driver") as caught:
        open_state("postgresql://user@localhost/liuhe")
    assert caught.value.field == "storage.state"


def test_the_state_of_a_center_lies_where_its_settings_say(tmp_path: Path) -> None:
    data = tmp_path / "中 心?a#b"
    data.mkdir()

    def place() -> str:
        engine = state_of(data)
        engine.dispose()
        return str(engine.url.database)

    assert place() == str(data / "state.sqlite")
    config = data / "center.toml"
    for text, wanted in (
        ('[storage]\nstate = "sqlite:///other.db"', data / "other.db"),
        (f'[storage]\nstate = "sqlite:///{tmp_path}/abs.db"', tmp_path / "abs.db"),
        ('roles = ["api"]', data / "state.sqlite"),
        ("storage = 3", data / "state.sqlite"),
        ("[storage]\nstate = 3", data / "state.sqlite"),
        ("[storage", data / "state.sqlite"),
    ):
        config.write_text(text)
        assert place() == str(wanted), text
