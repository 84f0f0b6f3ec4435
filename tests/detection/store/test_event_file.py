"""Sealed files: what goes in comes out, sorted, with its digest."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detection.store.event_file import SCHEMA, events_in, table_of, write_file
from sensors.event import Event

values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.lists(st.one_of(st.none(), st.text(max_size=4), st.integers(0, 9)), max_size=3),
)
tables = st.dictionaries(st.text(max_size=8), values, max_size=5)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies=st.lists(st.tuples(tables, tables, st.integers(0, 9)), min_size=1, max_size=8))
def test_events_come_back_as_they_were(
    tmp_path: Path, make_event: Callable[..., Event], bodies: list
) -> None:
    events = [
        make_event(number, seconds=seconds, native=native, **fields)
        for number, (fields, native, seconds) in enumerate(
            ({f"x{name}": value for name, value in fields.items()}, native, seconds)
            for fields, native, seconds in bodies
        )
    ]
    path = tmp_path / "one.parquet"
    written = write_file(path, [table_of(events[:1]), table_of(events[1:])])
    assert list(events_in(path)) == sorted(events, key=lambda event: (event.time, event.id))
    assert written.rows == len(events)
    assert written.sm3 == hashlib.new("sm3", path.read_bytes()).hexdigest()
    assert written.bytes == path.stat().st_size


def test_columns_for_people(tmp_path: Path, make_event: Callable[..., Event]) -> None:
    event = make_event(
        1,
        native={"Image": "/bin/NC", "both": ["A", None]},
        destination__port=53,
        user__name=7,
        both="ignored",
        none=None,
    )
    write_file(tmp_path / "one.parquet", [table_of([event])])
    table = pq.read_table(tmp_path / "one.parquet")
    assert table.schema.names == SCHEMA.names
    row = table.to_pylist()[0]
    assert (row["host"], row["user"], row["destination_port"]) == ("web-01", None, 53)
    folded = dict(row["folded"])
    assert folded["both"] == ["a", None]
    assert (folded["Image"], folded["user.name"], folded["none"]) == (["/bin/nc"], ["7"], [None])
    assert len(row["folded"]) == len(folded)
