"""What rules led to, counted from alerts and from how people judged them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from crypto.words import Words
from detection.alert import Alert, Claim, claim
from detection.store.alert_store import AlertStore
from detection.store.hit_store import HitStore
from detection.store.state import open_state
from sensors.event import LogSource, Observation, stamp

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def raised(rule: str, host: str, ago: timedelta, sequence: int) -> Alert:
    seen = Observation(time=NOW - ago, logsource=LogSource(), fields={"host.name": host})
    event = stamp(seen, unit="u", sensor="s", epoch=1, sequence=sequence)
    said = Claim(rule=rule, detector="sigma", title=Words("规则", "rule"), severity="high")
    return claim(said, entity=f"host:{host}", reason=Words("因", "why"), events=(event,), matched=())


def test_hits_and_judgements_of_each_rule(tmp_path: Path) -> None:
    engine = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}", create=True)
    alerts, hits = AlertStore(engine), HitStore(engine)
    assert hits.hits(NOW) == {}
    ages = [("a", "h1", 0.5), ("a", "h1", 1), ("a", "h2", 30), ("b", "h1", 9), ("a", "h3", 2), ("a", "h4", 2)]
    batch = [raised(rule, host, timedelta(days=days), n) for n, (rule, host, days) in enumerate(ages)]
    alerts.commit(batch, [], 1, NOW)
    found = hits.hits(NOW - timedelta(days=7))
    assert {rule: (one.recent, one.precision) for rule, one in found.items()} == {
        "a": (4, None),
        "b": (0, None),
    }
    assert found["a"].last == NOW - timedelta(days=0.5)
    assert found["b"].last == NOW - timedelta(days=9)
    judged = zip(
        ("h1", "h2", "h3", "h4"), ("true_positive", "false_positive", "benign_positive", "test"), strict=True
    )
    for host, classification in judged:
        group = next(one.id for one in hits.latest("a", 10) if one.entity == f"host:{host}")
        alerts.close(group, "user:li", classification, "核对过", NOW)
    after = hits.hits(NOW)["a"]
    assert after.judged == dict.fromkeys(after.judged, 1)
    assert len(after.judged) == 4
    assert after.precision == 2 / 3
    assert [group.entity for group in hits.latest("a", 2)] == ["host:h1", "host:h3"] or [
        group.entity for group in hits.latest("a", 2)
    ] == ["host:h1", "host:h4"]
    engine.dispose()
