"""Own ranges: unknown at first, then the entity's own, with the last time a count was seen; kept."""

from datetime import UTC, datetime

import msgspec
import numpy as np

from detection.anomaly.entities import entity_parameters
from detection.anomaly.own import OwnMemory, OwnRanges
from detection.calendar import site_calendar

BASELINE = msgspec.structs.replace(entity_parameters().baseline, entities_max=50, own_windows=5)


def ranges() -> OwnRanges:
    return OwnRanges(("calls", "failed"), BASELINE, site_calendar())


def taught(minutes: int) -> OwnRanges:
    """Two entities, one of about ten calls a minute and one of a thousand; a failure in the third minute."""
    made = ranges()
    for minute in range(minutes):
        rows = np.array([[10.0 + minute % 3, float(minute == 3)], [1_000.0, 0.0]])
        made.learn(minute * 60, ["a", "b"], ["", ""], rows)
    return made


def test_an_unknown_entity_has_no_range() -> None:
    assert ranges().before("a", 0, ["calls"])[0].usual is None
    assert taught(3).before("a", 180, ["calls"])[0].usual is None


def test_each_entity_has_its_own_range_and_last_time() -> None:
    made = taught(60)
    calls, failed = made.before("a", 3_600, ["calls", "failed"])
    assert calls.usual is not None
    assert calls.usual[0] < 10 < calls.usual[1] < 500
    assert calls.last == datetime.fromtimestamp(59 * 60, UTC)
    assert failed.last == datetime.fromtimestamp(180, UTC)
    busy = made.before("b", 3_600, ["failed", "calls"])
    assert busy[0].last is None
    assert busy[1].usual is not None
    assert busy[1].usual[0] > 100


def test_memory_is_taken_up_and_another_shape_left_aside() -> None:
    made = taught(20)
    kept = msgspec.msgpack.decode(msgspec.msgpack.encode(made.memory()), type=OwnMemory)
    again = ranges()
    again.recall(kept)
    assert again.before("a", 1_200, ["calls", "failed"]) == made.before("a", 1_200, ["calls", "failed"])
    other = OwnRanges(("calls",), BASELINE, site_calendar())
    other.recall(kept)
    assert other.before("a", 1_200, ["calls"])[0].usual is None


def test_entities_are_bounded() -> None:
    made = ranges()
    for at in range(120):
        made.learn(at * 60, [f"e{at}"], [""], np.array([[1.0, 0.0]]))
    assert len(made.memory().last) == BASELINE.entities_max
