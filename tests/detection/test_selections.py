"""Selections found again in a joined condition."""

from datetime import UTC, datetime

import pytest

from detection.condition import Always
from detection.evaluate import compiled
from detection.facts import Facts
from detection.selections import selections
from detection.sigma.load import parse_condition
from sensors.event import LogSource, Observation, stamp

PARTS = {
    "one": {"a|contains": "x", "b": 1},
    "two": [{"c": "y"}, {"d": "z"}],
    "three": {"e|endswith": ["1", "2"]},
}


def holds(condition: object, **native: object) -> bool:
    event = stamp(
        Observation(time=datetime(2026, 11, 22, tzinfo=UTC), logsource=LogSource(), fields={}, native=native),  # type: ignore[arg-type]
        unit="u",
        sensor="s",
        epoch=1,
        sequence=1,
    )
    return compiled(condition)(Facts(event))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "one and two and three",
        "one or two or three",
        "one and not (two or three)",
        "one and not two and not three",
        "(one or two) and three",
        "not one and (two and three)",
        "1 of them",
        "all of them",
        "three and 1 of t* and one",
    ],
)
@pytest.mark.parametrize(
    "native",
    [
        {},
        {"a": "axe", "b": 1},
        {"a": "axe", "b": 2, "c": "y"},
        {"d": "z", "e": "41"},
        {"a": "x", "b": 1, "c": "y", "d": "z", "e": "2"},
        {"a": "x", "e": "3"},
    ],
)
def test_each_selection_says_what_it_says_alone(text: str, native: dict[str, object]) -> None:
    found = selections(parse_condition(PARTS, text))
    assert set(found) == set(PARTS)
    for name in PARTS:
        assert holds(found[name], **native) == holds(parse_condition(PARTS, name), **native), name


def test_a_condition_that_asks_nothing_has_none() -> None:
    assert selections(Always(False)) == {}
