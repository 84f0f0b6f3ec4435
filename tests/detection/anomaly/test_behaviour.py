"""Behaviour: the window with new and many things first, with reasons that name usual and peers."""

from functools import cache

from detection.anomaly.behaviour import Behaviour, Did
from detection.anomaly.entities import entity_parameters

PARAMETERS = entity_parameters()
WINDOW = 600


@cache
def two_days() -> bytes:
    behaviour = Behaviour(PARAMETERS.baseline, PARAMETERS.rarity, PARAMETERS.unrest)
    for number in range(288):
        windows = [Did(f"host{n}", {"sh": 5.0 + (number + n) % 3, "cron": 1.0}) for n in range(6)]
        behaviour.observe(number * WINDOW, 9, windows)
    return behaviour.to_bytes()


def taught() -> Behaviour:
    """Six hosts that did the same for two days."""
    behaviour = Behaviour(PARAMETERS.baseline, PARAMETERS.rarity, PARAMETERS.unrest)
    assert behaviour.from_bytes(two_days())
    return behaviour


def test_news_and_amounts_come_first_and_say_why() -> None:
    quiet, news, many = taught().observe(
        288 * WINDOW,
        9,
        [
            Did("host0", {"sh": 6.0, "cron": 1.0}),
            Did("host1", {"sh": 6.0, "nc": 1.0}),
            Did("host2", {"sh": 500.0, "cron": 1.0}),
        ],
    )
    assert quiet.score < 1
    assert news.score > quiet.score + 1
    assert many.score > quiet.score + 1
    assert news.reasons[0].value == "nc"
    assert news.reasons[0].new
    assert news.reasons[0].last == 0
    top = many.reasons[0]
    assert (top.value, top.times, top.new) == ("sh", 500.0, False)
    assert top.usual[1] < 50
    assert top.peers[1] < 50
    assert top.others == 5
    assert top.last == 287 * WINDOW


def test_an_empty_window_is_nothing() -> None:
    (one,) = taught().observe(288 * WINDOW, 9, [Did("host0", {})])
    assert (one.score, one.reasons) == (0.0, ())


def test_recall_goes_on_to_the_bit() -> None:
    first, second = taught(), Behaviour(PARAMETERS.baseline, PARAMETERS.rarity, PARAMETERS.unrest)
    assert second.from_bytes(first.to_bytes())
    windows = [Did("host0", {"sh": 9.0, "new": 2.0})]
    assert first.observe(288 * WINDOW, 9, windows) == second.observe(288 * WINDOW, 9, windows)
    assert not second.from_bytes(b"x")


def test_windows_rank_by_what_goes_on_around_them_too() -> None:
    behaviour = taught()
    windows = [Did(f"host{n}", {"sh": 6.0, "cron": 1.0}, unit="bureau") for n in range(5)]
    strange = Did("host5", dict.fromkeys(("nc", "nmap", "socat", "tcpdump"), 1.0), unit="bureau")
    calm = behaviour.observe(288 * WINDOW, 9, windows)
    beside = behaviour.observe(289 * WINDOW, 9, [*windows, strange])
    assert calm[0].risk == calm[0].score
    assert beside[0].around > 0.5
    assert beside[0].risk == beside[0].score + beside[0].around
    assert beside[5].around == 0.0
    assert max(beside, key=lambda one: one.risk).entity == "host5"


def test_reasons_are_worked_out_from_a_score_on_and_change_nothing_else() -> None:
    windows = [Did("host0", {"sh": 6.0, "cron": 1.0}), Did("host1", {"sh": 6.0, "nc": 1.0})]
    every = taught().observe(288 * WINDOW, 9, windows)
    some = taught().observe(288 * WINDOW, 9, windows, least=every[1].score)
    assert some[0] == every[0]._replace(reasons=())
    assert some[1] == every[1]
