"""Other ways to ask many Sigma rules, for comparison with bench/sigma_engine.py: each takes the same records.

``sqlite``: one SQL per rule over an in-memory table, as Zircolite does. ``duckdb``: the same in DuckDB, one
thread. ``polars``: rules as expressions, sixty in one select, one thread. ``plain``: the product's own tests
one by one, without an index. Texts are compared case-insensitively for ASCII; rules a peer cannot express are
counted and left out for it alone.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import duckdb
import polars

from detection.condition import Always, And, Atom, Condition, Keyword, Not, Or, fields
from detection.evaluate import compiled
from detection.facts import Facts
from detection.pattern import Pattern
from detection.sigma.rule import Rule

SELECTED_AT_ONCE = 60


class Result(NamedTuple):
    """How a peer fared: CPU seconds for loading and asking, hits, rules it cannot express."""

    seconds: float
    hits: int
    refused: int


def flat(lines: Sequence[bytes]) -> list[dict[str, Any]]:
    """Records with text values; lists as their first element."""
    rows = []
    for line in lines:
        row = {}
        for name, value in json.loads(line).items():
            one = value[0] if isinstance(value, list) and value else value
            row[name] = one if isinstance(one, str) or one is None else str(one)
        rows.append(row)
    return rows


def plain(rules: Sequence[Rule], lines: Sequence[bytes]) -> Result:
    """Every rule's own test on every record."""
    tests = [compiled(rule.condition) for rule in rules]
    start = time.process_time()
    hits = 0
    for line in lines:
        facts = Facts(SimpleNamespace(native=json.loads(line), fields={}))
        hits += sum(test(facts) for test in tests)
    return Result(time.process_time() - start, hits, 0)


def sqlite(rules: Sequence[Rule], lines: Sequence[bytes]) -> Result:
    """One SQL per rule over one table."""
    start = time.process_time()
    rows = flat(lines)
    columns = _read(rules, rows)
    database = sqlite3.connect(":memory:")
    patterns: dict[str, Pattern] = {}

    def regexp(pattern: str, text: str | None) -> bool:
        if pattern not in patterns:
            patterns[pattern] = Pattern(pattern)
        return text is not None and patterns[pattern].found(text)

    database.create_function("regexp", 2, regexp, deterministic=True)
    database.execute(
        f"CREATE TABLE events ({', '.join(f'{_name(one)} TEXT COLLATE NOCASE' for one in columns)})"
    )
    marks = ", ".join("?" * len(columns))
    database.executemany(
        f"INSERT INTO events VALUES ({marks})", [[row.get(one) for one in columns] for row in rows]
    )
    return _asked(start, rules, set(columns), "LIKE", "{} REGEXP {}", lambda query: database.execute(query))


def in_duckdb(rules: Sequence[Rule], lines: Sequence[bytes]) -> Result:
    """One SQL per rule over one table, one thread."""
    start = time.process_time()
    rows = flat(lines)
    columns = _read(rules, rows)
    database = duckdb.connect(":memory:", config={"threads": 1})
    frame = polars.DataFrame({one: [row.get(one) for row in rows] for one in columns}).to_arrow()
    database.register("frame", frame)
    database.execute("CREATE TABLE events AS SELECT * FROM frame")
    return _asked(start, rules, set(columns), "ILIKE", "regexp_matches({}, {})", database.execute)


def in_polars(rules: Sequence[Rule], lines: Sequence[bytes]) -> Result:
    """Sixty rules to a select, on lowered columns, one thread (POLARS_MAX_THREADS=1)."""
    start = time.process_time()
    rows = flat(lines)
    columns = _read(rules, rows)
    frame = polars.DataFrame({one: [row.get(one) for row in rows] for one in columns})
    frame = frame.with_columns([polars.col(one).str.to_lowercase().alias(f"~{one}") for one in columns])
    expressions, refused = [], 0
    for rule in rules:
        try:
            expressions.append(_expression(rule.condition, set(columns)).sum().alias(rule.id))
        except NotImplementedError:
            refused += 1
    hits = 0
    for first in range(0, len(expressions), SELECTED_AT_ONCE):
        hits += sum(frame.select(expressions[first : first + SELECTED_AT_ONCE]).row(0))
    return Result(time.process_time() - start, hits, refused)


def _read(rules: Sequence[Rule], rows: Sequence[dict[str, Any]]) -> list[str]:
    """The columns some rule reads; a table of all names is slower still."""
    return sorted(
        {name for row in rows for name in row} & {n for rule in rules for n in fields(rule.condition)}
    )


def _asked(
    start: float, rules: Sequence[Rule], known: set[str], like: str, regex: str, run: Callable[[str], Any]
) -> Result:
    hits = refused = 0
    for rule in rules:
        try:
            where = _sql(rule.condition, known, like, regex)
            hits += run(f"SELECT count(*) FROM events WHERE {where}").fetchone()[0]
        except (NotImplementedError, sqlite3.Error, duckdb.Error):
            refused += 1
    return Result(time.process_time() - start, hits, refused)


def _sql(condition: Condition, known: set[str], like: str, regex: str) -> str:
    if isinstance(condition, Always):
        return str(int(condition.value)) + " = 1"
    if isinstance(condition, Not):
        return f"NOT ({_sql(condition.part, known, like, regex)})"
    if isinstance(condition, And | Or):
        word = " AND " if isinstance(condition, And) else " OR "
        return word.join(f"({_sql(part, known, like, regex)})" for part in condition.parts)
    if isinstance(condition, Keyword):
        raise NotImplementedError
    name = _name(condition.field) if condition.field in known else "NULL"
    if condition.operator == "null":
        return f"{name} IS NULL"
    tests = []
    for value in map(str, condition.values):
        if condition.operator == "regex":
            tests.append(regex.format(name, _text(value)))
        elif condition.operator.startswith("field_"):
            tests.append(f"{name} = {_name(value)}" if value in known else "1 = 0")
        else:
            tests.append(f"{name} {like} {_text(_like(condition, value))} ESCAPE '!'")
    return f"coalesce({' OR '.join(tests)}, 1 = 0)"


def _like(atom: Atom, value: str) -> str:
    if atom.operator not in ("equals", "contains", "startswith", "endswith"):
        raise NotImplementedError(atom.operator)
    body = "".join("!" + one if one in "%_!" else one for one in value)
    before = "%" if atom.operator in ("contains", "endswith") else ""
    after = "%" if atom.operator in ("contains", "startswith") else ""
    return before + body + after


def _expression(condition: Condition, known: set[str]) -> polars.Expr:
    if isinstance(condition, Always):
        return polars.lit(condition.value)
    if isinstance(condition, Not):
        return ~_expression(condition.part, known)
    if isinstance(condition, And):
        return polars.all_horizontal([_expression(part, known) for part in condition.parts])
    if isinstance(condition, Or):
        return polars.any_horizontal([_expression(part, known) for part in condition.parts])
    if isinstance(condition, Keyword) or condition.operator.startswith("field_"):
        raise NotImplementedError
    if condition.field not in known:
        return polars.lit(condition.operator == "null")
    raw, lowered = polars.col(condition.field), polars.col(f"~{condition.field}")
    if condition.operator == "null":
        return raw.is_null()
    values = [str(value) for value in condition.values]
    if condition.operator == "regex":
        tests = [raw.str.contains(value) for value in values]
    else:
        shapes: dict[str, Callable[[str], polars.Expr]] = {
            "equals": lambda value: lowered == value,
            "contains": lambda value: lowered.str.contains(value, literal=True),
            "startswith": lambda value: lowered.str.starts_with(value),
            "endswith": lambda value: lowered.str.ends_with(value),
        }
        if condition.operator not in shapes:
            raise NotImplementedError(condition.operator)
        tests = [shapes[condition.operator](value.lower()) for value in values]
    return polars.any_horizontal(tests).fill_null(value=False)


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
