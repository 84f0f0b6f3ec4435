"""Unrest: news of a unit raises what happens there for a while, beyond what is usual there; nowhere else."""

from detection.anomaly.entities import entity_parameters
from detection.anomaly.unrest import Unrest

PARAMETERS = entity_parameters().unrest
MINUTE = 60


def test_news_raises_the_others_of_the_unit_and_fades() -> None:
    unrest = Unrest(PARAMETERS)
    for number in range(100):
        assert unrest.around(number * 600, ["a", "a", "b"], [1.0, 0.5, 2.0]) == [0.0, 0.0, 0.0]
    storm, calm, other = unrest.around(60_000, ["a", "a", "b"], [9.0, 0.5, 0.5])
    assert (storm, other) == (0.0, 0.0)  # nothing beside the window itself
    assert calm > 1.5
    (soon,) = unrest.around(60_600, ["a"], [0.5])
    (later,) = unrest.around(60_600 + 12 * 3_600, ["a"], [0.5])
    assert calm > soon > 1.0
    assert later < 0.1


def test_a_unit_where_much_is_always_new_raises_nothing() -> None:
    unrest = Unrest(PARAMETERS)
    for number in range(500):
        around = unrest.around(number * 600, ["a", "a", "a"], [6.0, 6.0, 0.0])
    assert max(around) < 0.1


def test_recall_goes_on_to_the_bit_and_other_shapes_are_left_aside() -> None:
    first, second = Unrest(PARAMETERS), Unrest(PARAMETERS)
    first.around(600, ["a", "b"], [9.0, 4.0])
    assert second.from_bytes(first.to_bytes())
    assert first.around(1_200, ["a"], [0.0]) == second.around(1_200, ["a"], [0.0])
    assert not second.from_bytes(b"x")


def test_units_are_bounded() -> None:
    unrest = Unrest(PARAMETERS)
    for number in range(PARAMETERS.units_max + 10):
        unrest.around(number, [f"unit{number}"], [9.0])
    assert Unrest(PARAMETERS).from_bytes(unrest.to_bytes())
