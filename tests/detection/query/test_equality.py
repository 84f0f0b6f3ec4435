"""One language, five readings: the streaming matcher, DuckDB SQL, the evaluator, the DSL and a plain reading.

Random queries over random events, some written as query text. Every reading must give the same events; where
SQL or DSL only promises candidates, none may be missing.
"""

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from detection.condition import Condition
from detection.evaluate import matches
from detection.matcher.matcher import Matcher
from detection.query.dsl import compiled_dsl, document_of
from detection.query.parse import parse_query
from detection.store.event_file import table_of
from detection.store.sql import compiled_sql
from sensors.event import Event

Holds = Callable[[Condition, Any], bool]
Finds = Callable[[dict[str, Any], dict[str, Any]], bool]
EVENTS, QUERIES, TOGETHER = 16, 200, 25


@pytest.fixture(scope="module")
def lots() -> Callable[[int], Any]:
    path = Path(__file__).with_name("random_queries.py")
    spec = importlib.util.spec_from_file_location("random_queries", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Callable[[int], Any] = module.Lots
    return found


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:", config={"threads": "1"}) as connection:
        yield connection


def rows_of(
    database: duckdb.DuckDBPyConnection, conditions: list[Condition], events: list[Event]
) -> Iterator[tuple[set[str], bool]]:
    """What SQL finds for each condition, several asked at once, and whether it claims to be exact."""
    database.register("events", table_of(events))
    for at in range(0, len(conditions), TOGETHER):
        asked = [compiled_sql(condition) for condition in conditions[at : at + TOGETHER]]
        columns = ", ".join(f"({one.text})" for one in asked)
        parameters = [parameter for one in asked for parameter in one.parameters]
        rows = database.execute(f"SELECT id, {columns} FROM events", parameters).fetchall()
        for place, one in enumerate(asked, 1):
            yield {row[0] for row in rows if row[place]}, one.exact
    database.unregister("events")


def prove(seed: int, lots: Any, database: duckdb.DuckDBPyConnection, holds: Holds, finds: Finds) -> int:
    """One event set and QUERIES queries; returns how many of them found something but not everything."""
    drawn = lots(seed)
    events = [drawn.event(number) for number in range(EVENTS)]
    documents = [document_of(event) for event in events]
    meant: list[Condition] = []
    conditions: list[Condition] = []
    texts: list[str] = []
    for number in range(QUERIES):
        if number % 2:
            text, condition = drawn.said()
            meant.append(condition)
            conditions.append(parse_query(text))
            texts.append(text)
        else:
            meant.append(drawn.condition())
            conditions.append(meant[-1])
            texts.append("")
    streamed: list[set[str]] = [set() for _ in conditions]
    for event, answer in zip(events, Matcher(conditions).match(events), strict=True):
        for index in answer:
            streamed[index].add(event.id)
    telling = 0
    selected = rows_of(database, conditions, events)
    for index, condition in enumerate(conditions):
        case = (seed, index, texts[index], condition)
        wanted = {event.id for event in events if holds(meant[index], event)}
        assert {event.id for event in events if matches(condition, event)} == wanted, case
        assert streamed[index] == wanted, case
        found, exact = next(selected)
        assert found == wanted if exact else found >= wanted, case
        dsl = compiled_dsl(condition)
        hits = {document["id"] for document in documents if finds(dsl.query, document)}
        assert hits == wanted if dsl.exact else hits >= wanted, case
        telling += 0 < len(wanted) < EVENTS
    return telling


def test_five_readings_agree(
    lots: Any, database: duckdb.DuckDBPyConnection, holds: Holds, finds: Finds
) -> None:
    telling = sum(prove(seed, lots, database, holds, finds) for seed in range(3))
    assert telling > QUERIES


@pytest.mark.slow
def test_five_readings_agree_on_ten_thousand_queries(
    lots: Any, database: duckdb.DuckDBPyConnection, holds: Holds, finds: Finds
) -> None:
    for seed in range(100, 150):
        prove(seed, lots, database, holds, finds)
