"""Generated names: made ones, word lists, shared failures; typing errors and search suffixes are none."""

import itertools
from collections.abc import Callable
from hashlib import sha256

import pytest

from detection.special.detectors import SpecialParameters
from detection.special.durable import Durable
from detection.special.generated_names import GeneratedNamesDetector
from detection.special.name_model import NameModel, open_names
from sensors.event import Event

Make = Callable[..., Event]
WORDS = ["river", "stone", "blue", "house", "garden", "winter", "paper", "silver", "north", "light"]


@pytest.fixture(scope="module")
def names() -> NameModel:
    return open_names()


def answer(make: Make, seconds: float, name: str, code: str = "NXDOMAIN", source: str = "10.0.0.7") -> Event:
    fields = {"dns.type": "answer", "source.ip": source, "dns.question.name": name, "dns.response_code": code}
    return make(seconds, "net.dns", fields)


def made(number: int) -> str:
    letters = "".join(chr(97 + int(digit, 16)) for digit in sha256(str(number).encode()).hexdigest())
    return f"{letters[:14]}.com"


def test_made_names_that_do_not_exist(special: SpecialParameters, names: NameModel, make: Make) -> None:
    detector = GeneratedNamesDetector(special.generated_names, names)
    (alert,) = detector.feed([answer(make, n * 5, made(n)) for n in range(60)])
    assert (alert.rule, alert.entity) == ("special.generated-names", "source:10.0.0.7")
    assert alert.time.second == 45
    assert ".com" in alert.reason.zh
    assert alert.attack == ("T1568.002",)


def test_word_lists_by_their_number_and_a_few_names_where_others_ask_too(
    special: SpecialParameters, names: NameModel, make: Make
) -> None:
    words = [f"{one}{two}.net" for one in WORDS for two in WORDS][:60]
    detector = GeneratedNamesDetector(special.generated_names, names)
    assert detector.feed([answer(make, n * 5, name) for n, name in enumerate(words)])
    shared = GeneratedNamesDetector(special.generated_names, names)
    assert shared.feed([answer(make, n, made(n), source="10.0.0.8") for n in range(6)]) == []
    (alert,) = shared.feed([answer(make, 60 + n, made(n)) for n in range(6)])
    assert alert.entity == "source:10.0.0.7"


def test_word_lists_asked_for_one_by_one_among_names_that_exist(
    special: SpecialParameters, names: NameModel, make: Make
) -> None:
    words = [f"{one}{two}.net" for one in WORDS for two in WORDS]
    slow = [answer(make, n * 60, name) for n, name in enumerate(words[:60])]
    usual = [answer(make, n * 15 + 1, f"usual{n % 200}.cn", "NOERROR") for n in range(240)]
    detector = GeneratedNamesDetector(special.generated_names, names)
    (alert,) = detector.feed(sorted([*slow, *usual], key=lambda event: event.time))
    assert "3600" in alert.reason.en
    crawled = [answer(make, n * 5 + 1, f"found{n}.cn", "NOERROR") for n in range(720)]
    crawler = GeneratedNamesDetector(special.generated_names, names)
    assert crawler.feed(sorted([*slow, *crawled], key=lambda event: event.time)) == []
    slower = [answer(make, n * 120, name) for n, name in enumerate(words)]
    assert GeneratedNamesDetector(special.generated_names, names).feed(slower) == []


def test_harmless_failures_are_none(special: SpecialParameters, names: NameModel, make: Make) -> None:
    detector = GeneratedNamesDetector(special.generated_names, names)
    suffix = [answer(make, n, f"server{n}.corp.example.cn") for n in range(300)]
    lists = [answer(make, n, f"{n}.2.3.4.zen.blocklist.example") for n in range(300)]
    reverse = [answer(make, n, f"{n % 250}.0.0.10.in-addr.arpa") for n in range(300)]
    single = [answer(make, n, made(n).removesuffix(".com")) for n in range(100)]
    slow = [answer(make, n * 400, made(n)) for n in range(60)]
    busy = [answer(make, n, f"{one}{n}.com", "NOERROR") for n, one in enumerate(WORDS * 20)]
    typing = [
        answer(make, n * 9, f"{one}{two}x.com") for n, (one, two) in enumerate(itertools.pairwise(WORDS))
    ]
    for events in (suffix, lists, reverse, single, slow, [*busy, *typing]):
        assert detector.feed(events) == []


def test_what_was_told_is_not_told_again_after_a_restart(
    special: SpecialParameters, names: NameModel, make: Make
) -> None:
    events = [answer(make, n, made(n)) for n in range(40)]
    first = Durable(GeneratedNamesDetector(special.generated_names, names), seconds=0)
    assert len(first.feed(events[:20])) == 1
    kept = first.snapshot()
    assert kept is not None
    second = Durable(GeneratedNamesDetector(special.generated_names, names), seconds=0)
    second.recall(kept)
    assert second.feed(events[10:]) == []
