"""One alert per subject and span, in any order of time, within a bound."""

from detection.special.told import Told


def test_a_subject_is_due_again_after_its_span() -> None:
    told = Told(60, 10)
    assert told.due("a", 0)
    assert not told.due("a", 59)
    assert not told.due("a", -30)
    assert told.due("b", 59)
    assert told.due("a", 60)


def test_the_one_told_longest_ago_is_forgotten() -> None:
    told = Told(60, 2)
    for place, subject in enumerate("abc"):
        assert told.due(subject, place)
    assert "a" not in told
    again = Told(60, 2)
    again.recall(dict(told.times))
    assert not again.due("c", 10)
