"""Judged anomaly groups as labels, open ones with their newest alert; other detectors' are neither."""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Engine

from detection.alert import Alert
from detection.store.alert_store import AlertStore
from detection.store.anomaly_store import AnomalyStore


def test_only_judged_and_open_anomalies_are_found(
    engine: Engine, start: datetime, make_alert: Callable[..., Alert]
) -> None:
    alerts, store = AlertStore(engine), AnomalyStore(engine)

    def odd(number: int, entity: str) -> Alert:
        return msgspec.structs.replace(make_alert(number, entity=entity), detector="anomaly")

    judged, tested, waiting = odd(1, "host:a"), odd(2, "host:b"), odd(3, "host:C-50%")
    later = odd(40, "host:C-50%")
    alerts.commit([judged, tested, waiting, later, make_alert(5, entity="host:d")], [], None, start)
    alerts.close(judged.group, "user:a", "benign_positive", "备份", start)
    alerts.close(tested.group, "user:a", "test", "演练", start)
    (label,) = store.labels(start)
    assert (label.group, label.verdict, label.alert) == (judged.group, "benign_positive", judged)
    assert store.labels(start, ["elsewhere"]) == []
    assert store.labels(start + timedelta(days=400)) == []
    (found,) = store.open(None)
    assert (found.group.entity, found.alert) == ("host:C-50%", later)
    assert store.open(None, "c-50%") == [found]
    assert store.open(None, "b") == []
    assert store.open(["elsewhere"]) == []
