"""The budget: so many entities of a unit a shift, the riskiest; the rest is marked and nothing is lost."""

from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import UNSET

from crypto.words import Words
from detection.alert import Alert, Claim, Detector, Severity, claim
from detection.anomaly.budget import Budget
from sensors.event import LogSource, Observation, stamp

START = datetime(2026, 3, 2, tzinfo=UTC)


def alert(
    number: int,
    entity: str,
    *,
    hours: float = 1.0,
    unit: str = "u",
    detector: Detector = "anomaly",
    rule: str = "anomaly.host-habit",
    severity: Severity = "medium",
) -> Alert:
    seen = Observation(time=START + timedelta(hours=hours), logsource=LogSource(), fields={})
    event = stamp(seen, unit=unit, sensor="s", epoch=0, sequence=number)
    said = Claim(rule=rule, detector=detector, title=Words("题", "title"), severity=severity)
    return claim(said, entity=entity, reason=Words("因", "reason"), events=(event,), matched=())


def budget(per_unit: int = 2) -> Budget:
    return Budget(shift_hours=8, per_unit=per_unit, offset_seconds=28_800)


def withheld(alerts: list[Alert]) -> list[str]:
    return [one.entity for one in alerts if one.withheld is not UNSET]


def test_the_first_few_of_a_unit_are_told_and_all_others_are_marked() -> None:
    given = [alert(at, f"host:{at}", unit="uv"[at % 2]) for at in range(8)]
    sifted = budget().sift(given)
    assert withheld(sifted) == ["host:4", "host:5", "host:6", "host:7"]
    assert [one.id for one in sifted] == [one.id for one in given]


def test_who_was_told_is_told_again_and_the_next_shift_begins_anew() -> None:
    one = budget()
    assert withheld(one.sift([alert(at, f"host:{at}") for at in range(3)])) == ["host:2"]
    assert withheld(one.sift([alert(4, "host:0", hours=2), alert(5, "host:2", hours=2)])) == ["host:2"]
    assert withheld(one.sift([alert(6, "host:2", hours=9)])) == []


def test_twice_the_risk_takes_a_place_and_twice_the_budget_is_the_end() -> None:
    one = budget()
    one.sift([alert(at, f"host:{at}") for at in range(2)])
    graver = [alert(10 + at, f"host:g{at}", severity="high") for at in range(4)]
    assert withheld(one.sift(graver)) == ["host:g2", "host:g3"]  # two places were taken; no more are
    slow = budget()
    slow.sift([alert(at, f"host:{at}") for at in range(2)])
    rules = [f"anomaly.{kind}-habit" for kind in ("host", "user", "process", "template")]
    many = [alert(20 + at, "host:slow", rule=rule) for at, rule in enumerate(rules)]
    assert withheld(slow.sift(many)) == ["host:slow"]  # the second thing makes it twice as risky


def test_rules_special_detectors_and_the_detectors_own_complaints_are_always_told() -> None:
    none = budget(0)
    kinds: list[Detector] = ["sigma", "special", "health", "manual"]
    given = [alert(at, "host:a", detector=kind) for at, kind in enumerate(kinds)]
    given.append(alert(9, "model:host", rule="anomaly.model-drift"))
    assert none.sift(given) == given
    assert withheld(none.sift([alert(10, "host:a")])) == ["host:a"]


def test_it_goes_on_after_a_restart_and_in_any_batches() -> None:
    given = [
        alert(at, f"host:{at * 7 % 11}", hours=at / 6, severity="high" if at % 5 == 0 else "low")
        for at in range(90)
    ]
    whole = budget().sift(given)
    parts: list[Alert] = []
    one = budget()
    for at in range(0, len(given), 7):
        parts += one.sift(given[at : at + 7])
        kept = one.snapshot()
        assert kept is not None
        assert one.snapshot() is None
        one = budget()
        one.recall(kept)
    assert parts == whole
    one.recall(b"of another shape")
    assert 0 < len(withheld(whole)) < len(given)
    assert b"withheld" not in msgspec.json.encode(given[0])
