"""Feeding one by one: what the failing event costs, and what it does not."""

from datetime import UTC, datetime

import pytest

from crypto.words import Words
from detection.alert import Alert, Claim, claim
from detection.detector import FeedFailed, feed_each
from sensors.event import Event, LogSource, Observation, stamp

SAID = Claim(rule="r", detector="special", title=Words("a", "a"), severity="low")


def event(number: int) -> Event:
    seen = Observation(time=datetime(2026, 1, 1, tzinfo=UTC), logsource=LogSource(), fields={"n": number})
    return stamp(seen, unit="u", sensor="s", epoch=0, sequence=number)


def take(one: Event) -> list[Alert]:
    if one.fields["n"] == 2:
        raise KeyError("two")
    return [claim(SAID, entity="host:x", reason=SAID.title, events=(one,), matched=())]


def test_all_alerts_in_order() -> None:
    assert [alert.events[0].fields["n"] for alert in feed_each(take, [event(0), event(1)])] == [0, 1]


def test_a_failure_carries_what_came_before_and_where_it_was() -> None:
    with pytest.raises(FeedFailed) as caught:
        feed_each(take, [event(0), event(1), event(2), event(3)])
    assert caught.value.index == 2
    assert len(caught.value.alerts) == 2
    assert isinstance(caught.value.cause, KeyError)
