"""Rows, fields and cells of the hunt page."""

from datetime import UTC, datetime

import pytest

from crypto.words import BadInput
from sensors.event import Event, LogSource, Observation, Value, stamp
from soc_api.hunt_view import cell_of, cursor_of, field_rows, place_of

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def event(number: int, **fields: Value) -> Event:
    named: dict[str, Value] = {name.replace("__", "."): value for name, value in fields.items()}
    seen = Observation(time=NOW, logsource=LogSource(product="linux"), fields=named, native={"Image": "/x"})
    return stamp(seen, unit="u", sensor="s", epoch=1, sequence=number)


def test_fields_by_how_many_events_have_them() -> None:
    events = [event(1, user__name="root", n=[1, 2]), event(2, user__name="adm"), event(3, user__name="adm")]
    rows = {row["name"]: row for row in field_rows(events)}
    assert list(rows)[:2] == ["user.name", "Image"]
    assert rows["user.name"]["values"] == [{"value": "adm", "count": 2}, {"value": "root", "count": 1}]
    assert rows["n"]["values"] == [{"value": "1", "count": 1}, {"value": "2", "count": 1}]
    assert rows["user.name"]["zh"] == "用户名"


def test_cells() -> None:
    one = event(1, user__name="root", n=[1, True, None])
    assert [cell_of(one, name) for name in ("n", "unit", "logsource", "Image", "nothing")] == [
        "1; true",
        "u",
        "linux",
        "/x",
        "",
    ]
    assert cell_of(one, "time").startswith("2026-11-22T08:00")


def test_places_come_back() -> None:
    one = event(1)
    assert place_of(cursor_of(one)) == (one.time, one.id)
    assert place_of("") is None
    for wrong in ("x", "2026-11-22~a", "2026-11-22T08:00:00Z~", "2026-11-22T08:00:00Z~a b"):
        with pytest.raises(BadInput):
            place_of(wrong)
