"""The Event: identity, order, strict parsing."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.words import BadInput
from sensors.event import (
    EVENT_BYTES_MAX,
    LogSource,
    Observation,
    decode,
    encode,
    event_id,
    lookup,
    sequence_of,
    stamp,
)

NOW = datetime(2026, 11, 22, 1, 2, 3, 456789, tzinfo=UTC)
SEEN = Observation(
    time=NOW,
    logsource=LogSource(product="linux"),
    fields={"host.name": "a", "n": 1, "list": ["x", None], "both": "ecs"},
    native={"both": "own"},
)
values = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20)


def test_round_trip() -> None:
    event = stamp(SEEN, unit="u", sensor="s", epoch=3, sequence=9)
    assert decode(encode(event)) == event
    assert sequence_of(event.id) == (3, 9)


@given(st.dictionaries(st.text(max_size=10), values | st.lists(values, max_size=4), max_size=6))
def test_any_fields_survive(fields: dict) -> None:  # type: ignore[type-arg]
    seen = Observation(time=NOW, logsource=LogSource(), fields=fields)
    event = stamp(seen, unit="u", sensor="s", epoch=0, sequence=0)
    assert decode(encode(event)).fields == fields


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_ids_sort_by_time(first: int, second: int) -> None:
    a, b = (NOW + timedelta(milliseconds=n) for n in (first, second))
    assert (event_id(a, "s", 1, 1) < event_id(b, "s", 1, 1)) == (first < second)


@settings(deadline=None)
@given(st.data())
def test_mutated_bytes_are_an_event_or_bad_input(data: st.DataObject) -> None:
    line = bytearray(encode(stamp(SEEN, unit="u", sensor="s", epoch=3, sequence=9)))
    for _ in range(data.draw(st.integers(1, 4))):
        line[data.draw(st.integers(0, len(line) - 1))] = data.draw(st.integers(0, 255))
    try:
        decode(bytes(line))
    except BadInput:
        pass


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (b'{"id":1}', "id"),
        (b"{", "event"),
        (b"[" * 100_000, "event"),
        (b" " * (EVENT_BYTES_MAX + 1), "event"),
        (
            encode(stamp(SEEN, unit="u", sensor="s", epoch=3, sequence=9)).replace(b"456789Z", b"456789"),
            "time",
        ),
        (encode(stamp(SEEN, unit="u", sensor="s", epoch=3, sequence=9)).replace(b'"id":"0', b'"id":"'), "id"),
        (encode(stamp(SEEN, unit="u", sensor="s", epoch=3, sequence=9))[:-1] + b',"extra":1}', "event"),
    ],
)
def test_the_field_at_fault_is_named(line: bytes, field: str) -> None:
    with pytest.raises(BadInput) as caught:
        decode(line)
    assert caught.value.field == field


def test_native_names_come_first() -> None:
    event = stamp(SEEN, unit="u", sensor="s", epoch=0, sequence=0)
    assert lookup(event, "both") == (True, "own")
    assert lookup(event, "n") == (True, 1)
    assert lookup(event, "absent") == (False, None)
