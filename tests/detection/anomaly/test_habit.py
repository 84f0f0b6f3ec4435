"""Habits: a calm day teaches, the stranger deed is told with its reason, cut and restart change nothing."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from detection.alert import Alert
from detection.anomaly.deeds import deeds_of, registered, spoken
from detection.anomaly.entities import EntityParameters, entity_parameters
from detection.anomaly.habit import HabitDetector
from detection.calendar import site_calendar
from detection.special.durable import Durable
from sensors.event import Event, LogSource, Observation, Value, stamp

START = datetime(2026, 3, 2, tzinfo=UTC)
SHIPPED = entity_parameters()
PARAMETERS = msgspec.structs.replace(
    SHIPPED,
    rarity=msgspec.structs.replace(SHIPPED.rarity, settling_hours=4.0),
    habit=msgspec.structs.replace(SHIPPED.habit, learning_hours=4.0, alert_one_in=100.0),
)


def event(number: int, minutes: float, dataset: str, **fields: Value) -> Event:
    named = {name.replace("__", "."): value for name, value in fields.items()}
    seen = Observation(
        time=START + timedelta(minutes=minutes),
        logsource=LogSource(),
        fields={"event.dataset": dataset, **named},
    )
    return stamp(seen, unit="u", sensor="s", epoch=0, sequence=number)


def _run(number: int, minutes: float, host: str, program: str) -> Event:
    return event(number, minutes, "process.start", host__name=host, process__executable=program)


def _day() -> list[Event]:
    """Eight hours of four hosts with three programs each; at 6:40 one starts what nobody ever did."""
    made: list[Event] = []
    for ten in range(48):
        for host in range(4):
            for at, program in enumerate(("/bin/sh", "/usr/sbin/cron", "/usr/bin/ssh")):
                for again in range(1 + (ten + host + at) % 3):
                    minutes = ten * 10 + host + at * 0.2 + again * 0.01
                    made.append(_run(len(made), minutes, f"web-{host}", program))
        if ten == 40:
            made.append(_run(len(made), ten * 10 + 5, "web-2", "/tmp/.x/nc"))
            made.append(_run(len(made), ten * 10 + 5.1, "web-2", "/tmp/.x/scan"))
    return sorted(made, key=lambda one: (one.time, one.id))


@pytest.fixture(scope="module")
def day() -> list[Event]:
    return _day()


def detector(parameters: EntityParameters = PARAMETERS) -> HabitDetector:
    return HabitDetector(parameters, site_calendar())


def test_the_strange_deed_is_told_with_its_reason(day: list[Event]) -> None:
    (alert,) = detector().feed(day)
    assert (alert.rule, alert.entity) == ("anomaly.host-habit", "host:web-2")
    assert "运行程序 /tmp/.x/" in alert.reason.zh
    assert "此前没有过(另有 0 个对象有过)" in alert.reason.zh
    assert "never before (done by 0 others)" in alert.reason.en
    first = alert.matched[0]
    assert (first.field, first.value) == ("program", 1.0)
    assert isinstance(first.usual, tuple)
    assert isinstance(first.peers, tuple)
    assert alert.events[-1].time >= START + timedelta(minutes=400)


def test_nothing_is_told_while_learning_or_beyond_the_budget(day: list[Event]) -> None:
    longer = msgspec.structs.replace(PARAMETERS.habit, learning_hours=9.0)
    assert detector(msgspec.structs.replace(PARAMETERS, habit=longer)).feed(day) == []
    none = msgspec.structs.replace(PARAMETERS.habit, budget_per_day=0)
    assert detector(msgspec.structs.replace(PARAMETERS, habit=none)).feed(day) == []


def test_the_cut_into_batches_changes_nothing(day: list[Event]) -> None:
    whole, cut = detector(), detector()
    alerts = whole.feed(day)
    parts: list[Alert] = []
    for at in range(0, len(day), 7):
        parts += cut.feed(day[at : at + 7])
    assert parts == alerts
    assert msgspec.msgpack.encode(cut.memory()) == msgspec.msgpack.encode(whole.memory())


@pytest.mark.parametrize("minute", [30, 395, 406, 411])
def test_a_restart_from_a_snapshot_goes_on_as_if_nothing_was(day: list[Event], minute: int) -> None:
    whole = detector().feed(day)
    killed = START + timedelta(minutes=minute)
    first = Durable(detector(), seconds=60)
    alerts = first.feed([one for one in day if one.time < killed])
    kept = first.snapshot()
    assert kept is not None
    second = Durable(detector(), seconds=60)
    second.recall(kept)
    since = second.replay_since()
    assert since is not None
    second.feed([one for one in day if since <= one.time < killed])  # replayed, and known already
    alerts += second.feed([one for one in day if one.time >= killed])
    assert alerts == whole


def test_deeds_of_each_kind_of_event() -> None:
    login: dict[str, Value] = {
        "event__category": "authentication",
        "host__name": "web",
        "user__name": "li",
        "source__ip": "10.0.0.9",
    }
    flow: dict[str, Value] = {
        "source__ip": "10.0.0.1",
        "destination__ip": "10.0.0.2",
        "destination__port": 443,
    }
    cases = {
        ("host", "web", "folder:/etc"): event(
            1, 0, "file.change", host__name="web", file__path="/etc/passwd"
        ),
        ("host", "web", "listener:22"): event(
            2, 0, "listener.change", host__name="web", event__action="listener-added", server__port=22
        ),
        ("source", "10.0.0.1", "service:10.0.0.2:443"): event(
            3, 0, "net.flow", event__action="flow-end", **flow
        ),
        ("source", "10.0.0.1", "domain:nanjing.gov.cn"): event(
            4,
            0,
            "net.dns",
            source__ip="10.0.0.1",
            dns__question__name="A.www.nanjing.gov.cn",
            dns__type="query",
        ),
        ("user", "li@web", "from:10.0.0.9"): event(5, 0, "login", event__outcome="success", **login),
        ("host", "web", "login-failed:li"): event(6, 0, "login", event__outcome="failure", **login),
    }
    for deed, seen in cases.items():
        assert deed in [tuple(one) for one in deeds_of(seen)]
    assert list(deeds_of(event(7, 0, "liuhe.heartbeat", host__name="web"))) == []
    assert list(deeds_of(event(8, 0, "net.flow", event__action="flow-start", **flow))) == []
    assert registered("www.example.com.") == "example.com"
    assert registered("") == ""
    assert spoken("program:/bin/sh").zh == "运行程序 /bin/sh"
    assert spoken("what").zh == "其他行为"
