"""Bounded memory: the key touched longest ago goes first, by number and by weight, and is counted."""

from detection.special.remembered import Remembered


def test_the_oldest_key_goes_first() -> None:
    known: Remembered[list[int]] = Remembered(list, keys_max=2, weight_max=100)
    known.touch("a").append(1)
    known.touch("b")
    assert known.touch("a") == [1]
    known.touch("c")
    assert "b" not in known
    assert known.touch("a") == [1]
    assert (len(known), known.evicted) == (2, 1)


def test_weight_evicts_others_but_never_the_one_that_grows() -> None:
    known: Remembered[list[int]] = Remembered(list, keys_max=10, weight_max=10)
    for key in "abc":
        known.touch(key)
        known.weigh(key, 4)
    assert "a" not in known
    assert known.weight == 8
    known.touch("c")
    known.weigh("c", 50)
    assert [key for key, _ in known.items()] == ["c"]
    assert known.evicted == 2
    assert len(list(known.values())) == 1
