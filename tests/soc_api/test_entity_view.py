"""Lines of a timeline: in order, and cut where there are too many."""

from datetime import UTC, datetime, timedelta

from detection.store.host_change_store import HostChange
from sensors.event import LogSource, Observation, stamp
from soc_api.entity_view import change_row, event_row, merged

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def test_an_event_says_who_where_and_what() -> None:
    fields = {
        "event.dataset": "login",
        "user.name": "root",
        "source.ip": "10.0.0.1",
        "destination.ip": "10.0.0.2",
        "message": "hello",
    }
    seen = Observation(time=NOW, logsource=LogSource(product="linux"), fields=fields, native={})
    row = event_row(stamp(seen, unit="u", sensor="s", epoch=1, sequence=1))
    assert (row.kind, row.title.en, row.detail) == (
        "event",
        "login",
        "user:root@  10.0.0.1 → 10.0.0.2  hello",
    )


def test_changes_and_the_newest_of_all() -> None:
    def change(minute: int) -> HostChange:
        return HostChange(
            event=f"e{minute}",
            unit="u",
            host="h",
            time=NOW + timedelta(minutes=minute),
            kind="ports",
            action="changed",
            item="22",
            before="a",
            after="b",
            while_down=False,
        )

    rows = [change_row(change(minute)) for minute in (1, 3, 2)]
    assert rows[0].detail == "22  a → b"
    shown, cut = merged(rows, 2)
    assert ([row.event for row in shown], cut) == (["e3", "e2"], NOW + timedelta(minutes=2))
    assert merged(rows, 3)[1] is None
