"""Closings: what they propose, what they never do, and weights that are the same from the same labels."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from crypto.words import Words
from detection.alert import Alert, Claim, Match, claim
from detection.anomaly.feedback import (
    CONTEXT,
    Label,
    Reranker,
    Verdict,
    context_of,
    feedback_parameters,
    learned,
    proposals,
)
from detection.calendar import site_calendar
from detection.exceptions import condition_of
from sensors.event import LogSource, Observation, stamp

NOW = datetime(2026, 3, 3, 3, tzinfo=UTC)
PARAMETERS = feedback_parameters()
SAID = Claim(rule="anomaly.host-window", detector="anomaly", title=Words("异常", "odd"), severity="medium")


def alert(number: int, entity: str = "host:a", one_in: float = 3_000.0, value: float = 40.0) -> Alert:
    seen = Observation(time=NOW + timedelta(hours=number), logsource=LogSource(), fields={"host.name": "a"})
    event = stamp(seen, unit="u", sensor="s", epoch=0, sequence=number)
    match = Match(event=event.id, field="events", value=value, peers=(0.0, 10.0), one_in=one_in)
    return claim(SAID, entity=entity, reason=Words("因", "why"), events=(event,), matched=(match,))


def label(number: int, verdict: Verdict, **of: float) -> Label:
    return Label(group=f"{number:04d}", verdict=verdict, count=1, alert=alert(number, **of))  # type: ignore[arg-type]


def test_three_closings_as_expected_propose_an_exception_for_that_entity() -> None:
    assert proposals([label(n, "benign_positive") for n in range(2)], PARAMETERS) == []
    (found,) = proposals([label(n, "benign_positive") for n in range(3)], PARAMETERS)
    assert (found.kind, found.unit, found.condition, found.labels) == (
        "entity",
        "u",
        'alert.entity:"host:a"',
        3,
    )
    assert found.days == 90
    condition_of(found.condition)


def test_nothing_is_proposed_about_an_entity_of_which_something_was_true() -> None:
    some = [label(n, "benign_positive") for n in range(5)]
    assert proposals([*some, label(9, "true_positive")], PARAMETERS) == []


def test_many_false_ones_propose_a_rarer_threshold_below_all_that_was_true() -> None:
    wrong = [label(n, "false_positive") for n in range(10)]
    (found,) = proposals(wrong, PARAMETERS)
    assert (found.kind, found.condition) == ("threshold", "alert.one_in<6000")
    condition_of(found.condition)
    (found,) = proposals([*wrong, label(11, "true_positive", one_in=4_000.0)], PARAMETERS)
    assert found.condition == "alert.one_in<4000"
    assert proposals([*wrong, label(11, "true_positive", one_in=2_000.0)], PARAMETERS) == []
    assert proposals(wrong[:9], PARAMETERS) == []


def labels() -> list[Label]:
    """Sixty: those far beyond what is usual were true."""
    made: list[Label] = []
    for n in range(60):
        true = n % 3 == 0
        verdict: Verdict = "true_positive" if true else "false_positive"
        made.append(label(n, verdict, value=900.0 + n if true else 12.0 + n / 10))
    return made


def test_weights_rank_what_was_true_first_and_are_the_same_in_any_order() -> None:
    calendar = site_calendar()
    made = learned(labels(), calendar, PARAMETERS, 1)
    assert made is not None
    assert made == learned(labels()[::-1], calendar, PARAMETERS, 1)
    assert (made.labels, made.odd, made.context) == (60, 20, CONTEXT)
    far, near = (context_of(alert(99, value=value), 1, calendar) for value in (2_000.0, 13.0))
    assert made.probability(far) > 0.8
    assert made.probability(near) < 0.2
    again = msgspec.json.decode(msgspec.json.encode(made), type=Reranker)
    assert again.probability(far) == made.probability(far)


@pytest.mark.parametrize("few", [49, 60])
def test_too_few_or_all_alike_teach_nothing(few: int) -> None:
    some = labels()[:few] if few < 50 else [label(n, "false_positive") for n in range(few)]
    assert learned(some, site_calendar(), PARAMETERS, 1) is None
