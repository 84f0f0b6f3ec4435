"""Ranking: what closings taught raises and lowers risks; what is not of the shift is beyond the budget."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from crypto.keys import SigningKey
from crypto.words import Words
from detection.alert import Alert, Claim, Match, claim
from detection.anomaly.feedback import CONTEXT, Reranker, feedback_parameters
from detection.calendar import site_calendar
from detection.store.anomaly_store import AnomalyStore
from sensors.event import LogSource, Observation, stamp
from soc_api.anomaly_desk import AnomalyDesk
from soc_api.rankers import Rankers

SAID = Claim(rule="anomaly.host-window", detector="anomaly", title=Words("异常", "odd"), severity="medium")


def alert(number: int, host: str, one_in: float, now: datetime) -> Alert:
    seen = Observation(time=now, logsource=LogSource(), fields={"host.name": host})
    event = stamp(seen, unit="u", sensor="s", epoch=0, sequence=number)
    match = Match(event=event.id, field="events", value=4.0, one_in=one_in)
    return claim(SAID, entity=f"host:{host}", reason=Words("因", "why"), events=(event,), matched=(match,))


def test_learned_weights_change_the_order(world: Any, tmp_path: Path) -> None:
    rankers = Rankers(tmp_path, SigningKey.generate())
    store, models = AnomalyStore(world.engine), world.center.anomalies.models
    desk = AnomalyDesk(store, rankers, models, site_calendar(), feedback_parameters())
    some = [alert(1, "a", 300.0, world.now), alert(2, "a", 300.0, world.now - timedelta(minutes=1))]
    some.append(alert(3, "b", 300_000.0, world.now))
    world.alerts.commit(some, [], None, world.now)
    assert [one.entity for one in desk.ranked(None, world.now)] == ["host:a", "host:b"]
    assert desk.ranked(None, world.now)[0].odd is None
    zero, one = (0.0,) * len(CONTEXT), (1.0,) * len(CONTEXT)
    by_rarity = (-3.0, 1.0, *zero[1:])
    rankers.keep(
        Reranker(version=1, labels=50, odd=9, context=CONTEXT, center=zero, scale=one, weights=by_rarity)
    )
    first, second = desk.ranked(None, world.now)
    assert (first.entity, second.entity) == ("host:b", "host:a")
    assert first.odd is not None
    assert second.odd is not None
    assert first.odd > 0.8 > second.odd


def test_what_was_not_seen_in_the_shift_is_beyond_the_budget(world: Any) -> None:
    world.alerts.commit([alert(1, "a", 300.0, world.now)], [], None, world.now)
    desk = world.center.anomalies
    assert [one.within for one in desk.ranked(None, world.now)] == [True]
    assert [one.within for one in desk.ranked(None, world.now + timedelta(hours=9))] == [False]
