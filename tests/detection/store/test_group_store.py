"""The statements under the queue: what is new, and many groups in one transaction."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Engine

from detection.alert import Alert
from detection.store.group_store import group_of, group_row, keep, unknown
from detection.store.state import writing

MakeAlert = Callable[..., Alert]


def test_unknown_gives_each_new_alert_once_in_order(
    engine: Engine, make_alert: MakeAlert, start: datetime
) -> None:
    one, two, three = (make_alert(number) for number in range(3))
    with writing(engine) as connection:
        keep(connection, [two], 1, start)
        assert unknown(connection, [three, one, two, three]) == [three, one]


def test_more_groups_than_one_statement_takes(engine: Engine, make_alert: MakeAlert, start: datetime) -> None:
    alerts = [make_alert(number, entity=f"host:{number}") for number in range(510)]
    again = [make_alert(2_000 + number, entity=f"host:{number}") for number in range(510)]
    with writing(engine) as connection:
        keep(connection, unknown(connection, alerts), 1, start)
        keep(connection, unknown(connection, alerts + again), 2, start)
        for number in (0, 499, 500, 509):
            group = group_of(group_row(connection, alerts[number].group))
            assert (group.count, group.revision, group.entity) == (2, 2, f"host:{number}")
