"""The Alert: same input same id, groups by rule, unit and entity, bounded events."""

from datetime import UTC, datetime, timedelta

import msgspec

from crypto.words import Words
from detection.alert import EVENTS_MAX, Alert, Claim, claim
from sensors.event import Event, LogSource, Observation, stamp

START = datetime(2026, 11, 22, tzinfo=UTC)
SAID = Claim(rule="r1", detector="sigma", title=Words("标题", "title"), severity="high", attack=("T1059",))


def event(number: int) -> Event:
    seen = Observation(time=START + timedelta(seconds=number), logsource=LogSource(), fields={"n": number})
    return stamp(seen, unit="u", sensor="s", epoch=0, sequence=number)


def alert(entity: str, *numbers: int) -> Alert:
    events = tuple(event(number) for number in numbers)
    return claim(SAID, entity=entity, reason=Words("因", "why"), events=events, matched=())


def test_same_input_same_id() -> None:
    assert alert("host:a", 1, 2) == alert("host:a", 1, 2)
    assert alert("host:a", 1).id != alert("host:a", 2).id
    assert alert("host:a", 1).group == alert("host:a", 2).group
    assert alert("host:a", 1).group != alert("host:b", 1).group


def test_only_the_last_events_are_carried() -> None:
    kept = alert("host:a", *range(50)).events
    assert len(kept) == EVENTS_MAX
    assert kept[-1] == event(49)


def test_json_round_trip() -> None:
    said = alert("host:a", 1)
    assert msgspec.json.decode(msgspec.json.encode(said), type=Alert) == said
