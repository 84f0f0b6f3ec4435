"""How the like of a group was closed, and what else happened around it."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from crypto.words import Refused
from detection.alert import Alert
from detection.store.alert_store import AlertStore
from detection.store.precedents import PrecedentStore


def test_closed_groups_of_the_rule_are_precedents(
    engine: Engine, start: datetime, make_alert: Callable[..., Alert]
) -> None:
    alerts, store = AlertStore(engine), PrecedentStore(engine)
    first, other, foreign = make_alert(1), make_alert(2, entity="host:db-01"), make_alert(3, rule="rule-2")
    alerts.commit([first, other, foreign], [], None, start)
    alerts.close(first.group, "user:zhang", "false_positive", "备份脚本", start)
    alerts.close(other.group, "user:li", "true_positive", "已处置", start)
    alerts.close(foreign.group, "user:li", "test", "演练", start)
    alerts.commit([make_alert(60)], [], None, start)
    found = store.of(f"{first.group}-2", None)
    assert [one.group.id for one in found.same] == [first.group]
    assert (found.same[0].closed_by, found.same[0].closed) == ("user:zhang", start)
    assert [one.group.entity for one in found.others] == ["host:db-01"]
    assert found.judged == {"false_positive": 1, "true_positive": 1}
    assert store.of(f"{first.group}-2", ["suzhou"]).judged == {}
    with pytest.raises(Refused, match="alert-not-found"):
        store.of("0" * 32, None)


def test_groups_about_the_same_host_within_a_day_are_around(
    engine: Engine, start: datetime, make_alert: Callable[..., Alert]
) -> None:
    alerts, store = AlertStore(engine), PrecedentStore(engine)
    mine = make_alert(1)
    user = make_alert(2, rule="login", entity="user:Zhang@WEB-01")
    elsewhere = make_alert(3, rule="login", entity="user:zhang@web-011")
    late = make_alert(int(timedelta(days=3).total_seconds()), rule="rule-9")
    alerts.commit([mine, user, elsewhere, late], [], None, start)
    assert [one.entity for one in store.around(mine.group, None)] == ["user:Zhang@WEB-01"]
    assert [one.entity for one in store.around(user.group, ["nanjing"])] == ["host:web-01"]
    assert store.around(user.group, ["suzhou"]) == []
