"""The preview counts what would have been held back, and says what it could not ask."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from detection.alert import Alert
from detection.exceptions import Exemption
from detection.store.alert_store import AlertStore
from detection.store.exception_preview import Previews


def exemption(start: datetime, condition: str, *rules: str) -> Exemption:
    return Exemption(
        kind="exception",
        title="t",
        rules=rules,
        unit="nanjing",
        units=("nanjing",),
        condition=condition,
        reason="r",
        owner="o",
        asked=start,
        asked_by="user:a",
        begins=start,
        expires=start + timedelta(days=1),
    )


def test_alerts_and_events_of_a_week_are_counted(
    engine: Engine, center: Any, start: datetime, make_alert: Callable[..., Alert]
) -> None:
    alerts = AlertStore(engine)
    for n in range(3):
        alerts.commit([make_alert(n, entity=f"host:h{n % 2}")], [], None, start)
    alerts.commit([make_alert(9, rule="rule-2", severity="critical")], [], None, start)
    center.receive(5, process__name="nc")
    center.receive(2, process__name="ssh")
    previews, now = Previews(engine, center.store(engine)), start + timedelta(hours=1)
    found = previews.of(exemption(start, "process.name:nc", "rule-1"), now)
    assert (found.asked, found.unasked, found.alerts, found.groups, found.critical) == (3, 0, 3, 2, 0)
    assert (found.per_day[-1], [one.alerts for one in found.shown]) == (3, [2, 1])
    assert found.names >= {"h0", "h1", "web-01"}
    assert (found.events, found.events_more) == (5, False)
    wide = previews.of(exemption(start, "", *()), now)
    assert (wide.alerts, wide.critical, wide.events) == (4, 1, None)
    none = previews.of(exemption(start, "process.name:ssh", "rule-1"), now)
    assert (none.alerts, none.shown) == (0, ())
    old = previews.of(exemption(start, "process.name:nc", "rule-1"), start + timedelta(days=8))
    assert (old.asked, old.alerts) == (0, 0)
