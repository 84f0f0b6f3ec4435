"""Reading one value of an event, whatever is in its place."""

from collections.abc import Callable

from detection.special.reading import host_of, number, shown, text
from sensors.event import Event


def test_values_are_read_by_the_own_name_first(make: Callable[..., Event]) -> None:
    event = make(0, "x", {"a": "field", "n": "12", "l": ["p", "q"], "none": None}, {"a": "native"})
    assert (text(event, "a"), text(event, "l"), text(event, "none"), text(event, "z")) == (
        "native",
        "p",
        "",
        "",
    )
    assert (number(event, "n"), number(event, "a"), number(event, "l")) == (12.0, 0.0, 0.0)
    assert [match.field for match in shown(event, ("a", "none", "z"), "s")] == ["a"]
    assert host_of(event) == "s"
