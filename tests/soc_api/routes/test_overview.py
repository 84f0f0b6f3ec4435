"""Tests of the overview route."""

from typing import Any


def test_the_overview_counts(world: Any) -> None:
    world.raise_alert()
    world.record_evidence(3)
    body = world.signed_in("wall_display")("GET", "/overview").json()
    assert body["open_alerts"] == {"informational": 0, "low": 0, "medium": 0, "high": 1, "critical": 0}
    assert len(body["alerts_last_day"]) == 24
    assert sum(body["alerts_last_day"]) == 1
    assert (body["sensors_online"], body["sensors_total"]) == (1, 2)
    assert body["verdicts"] == {"符合": 1, "部分符合": 0, "不符合": 0, "不适用": 0, "未知": 0}
    assert body["ledger_size"] == 3
    assert len(body["ledger_root"]) == 64
    assert body["anomaly_state"]["en"] == "learning"
