"""Habits: a calm day teaches, the stranger deed is told with its reason, cut and restart change nothing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from detection.alert import Alert
from detection.anomaly.entities import EntityParameters, entity_parameters
from detection.anomaly.habit import HabitDetector
from detection.anomaly.peers import open_peers
from detection.calendar import site_calendar
from detection.special.durable import Durable
from sensors.event import Event, LogSource, Observation, Value, stamp

START = datetime(2026, 3, 2, tzinfo=UTC)
SHIPPED = entity_parameters()


def eager(hours: float, one_in: float, **others: float) -> EntityParameters:
    """What is shipped, told sooner: after so many hours, and where it is so rare."""
    lengths = tuple(
        msgspec.structs.replace(one, learning_hours=hours, alert_one_in=one_in, **others)
        for one in SHIPPED.lengths
    )
    rarity = msgspec.structs.replace(SHIPPED.rarity, settling_hours=hours)
    return msgspec.structs.replace(SHIPPED, rarity=rarity, lengths=lengths)


PARAMETERS = eager(4.0, 50.0)


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
    """Six hours of four hosts with three programs each; at 5:00 one starts what nobody ever did."""
    made: list[Event] = []
    for ten in range(36):
        for host in range(4):
            for at, program in enumerate(("/bin/sh", "/usr/sbin/cron", "/usr/bin/ssh")):
                for again in range(1 + (ten + host + at) % 3):
                    minutes = ten * 10 + host + at * 0.2 + again * 0.01
                    made.append(_run(len(made), minutes, f"web-{host}", program))
        if ten == 30:
            made.append(_run(len(made), ten * 10 + 5, "web-2", "/tmp/.x/nc"))
            made.append(_run(len(made), ten * 10 + 5.1, "web-2", "/tmp/.x/scan"))
    return sorted(made, key=lambda one: (one.time, one.id))


@pytest.fixture(scope="module")
def day() -> list[Event]:
    return _day()


def detector(parameters: EntityParameters = PARAMETERS) -> HabitDetector:
    return HabitDetector(parameters, site_calendar(), open_peers())


def test_the_strange_deed_is_told_with_its_reason(day: list[Event]) -> None:
    (alert,) = detector().feed(day)
    assert (alert.rule, alert.entity) == ("anomaly.host-habit", "host:web-2")
    assert "运行程序 /tmp/.x/" in alert.reason.zh
    assert "在 10 分钟内的行为少见" in alert.reason.zh
    assert "within 10 minutes" in alert.reason.en
    assert "此前没有过（另有 0 个对象有过" in alert.reason.zh
    assert "never before (done by 0 others" in alert.reason.en
    assert alert.attack == ("T1059",)
    first = alert.matched[0]
    assert (first.field, first.value) == ("program", 1.0)
    assert isinstance(first.usual, tuple)
    assert isinstance(first.peers, tuple)
    assert alert.events[-1].time >= START + timedelta(minutes=300)


def test_nothing_is_told_while_learning_or_beyond_the_bound_of_a_day(day: list[Event]) -> None:
    assert detector(eager(7.0, 50.0)).feed(day) == []
    none = msgspec.structs.replace(PARAMETERS.habit, kept_per_day=0)
    assert detector(msgspec.structs.replace(PARAMETERS, habit=none)).feed(day) == []


def test_the_cut_into_batches_changes_nothing(day: list[Event]) -> None:
    whole, cut = detector(), detector()
    alerts = whole.feed(day)
    parts: list[Alert] = []
    for at in range(0, len(day), 7):
        parts += cut.feed(day[at : at + 7])
    assert parts == alerts
    assert msgspec.msgpack.encode(cut.memory()) == msgspec.msgpack.encode(whole.memory())


@pytest.mark.parametrize("minute", [30, 306])
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


def process(
    host: str = "web-1", user: str = "li", program: str = "/bin/sh", parent: str = "/sbin/cron"
) -> dict[str, Value]:
    return {
        "event.dataset": "process.start",
        "host.name": host,
        "user.name": user,
        "process.executable": program,
        "process.parent.executable": parent,
    }


def login(user: str, host: str, origin: str) -> dict[str, Value]:
    return {
        "event.dataset": "login",
        "event.category": "authentication",
        "event.outcome": "success",
        "host.name": host,
        "user.name": user,
        "source.ip": origin,
    }


def flow(source: str, target: str, port: int, much: int = 1_000) -> dict[str, Value]:
    return {
        "event.dataset": "net.flow",
        "event.action": "flow-end",
        "source.ip": source,
        "destination.ip": target,
        "destination.port": port,
        "source.bytes": much,
        "destination.bytes": 500,
    }


def line(host: str, message: str) -> dict[str, Value]:
    return {"event.dataset": "log", "host.name": host, "process.name": "app", "message": message}


def stream(days: float, every: float, usual: Callable[[int], list[dict[str, Value]]]) -> list[Event]:
    """The usual of each ``every`` minutes."""
    made: list[Event] = []
    for step in range(int(days * 1_440 / every)):
        made += [told(len(made) + more, step * every, each) for more, each in enumerate(usual(step))]
    return made


def told(number: int, minutes: float, fields: dict[str, Value], sensor: str = "s") -> Event:
    seen = Observation(time=START + timedelta(minutes=minutes), logsource=LogSource(), fields=fields)
    return stamp(seen, unit="u", sensor=sensor, epoch=0, sequence=number)


HOSTS, PEOPLE = [f"web-{at}" for at in range(4)], ["li", "wang", "zhao"]
ODD: dict[str, tuple[str, str, list[dict[str, Value]]]] = {
    "host": ("host:web-2", "10 分钟", [process("web-2", program="/tmp/.x/nc")]),
    "source": ("source:10.0.0.2", "10 分钟", [flow("10.0.0.2", "10.9.0.77", 445)]),
    "user": ("user:li", "1 小时", [login("li", "vault", "10.0.0.1"), login("li", "db", "10.0.0.1")]),
    "user-host": ("user:li@web-2", "1 分钟", [login("li", "web-2", "203.0.113.9")]),
    "service": ("address:10.9.0.1", "1 分钟", [flow("10.0.0.200", "10.9.0.1", 80)]),
    "pair": ("source:10.0.0.2", "1 小时", [flow("10.0.0.2", "10.9.0.1", 3389)]),
    "process": ("host:vault", "1 分钟", [process("vault", "root"), process("vault", "nobody")]),
    "template": ("host:vault", "1 分钟", [line("vault", "request 1 served")]),
}


def _usual(step: int) -> list[dict[str, Value]]:
    at = step % 4
    return [
        *(process(host, PEOPLE[step % 3]) for host in HOSTS),
        *(login(one, HOSTS[(at + place) % 4], f"10.0.0.{place}") for place, one in enumerate(PEOPLE)),
        *(flow(f"10.0.0.{one}", "10.9.0.1", (80, 443)[step % 2], 900 + step % 300) for one in range(4)),
        *(line(host, f"request {step} served") for host in HOSTS),
    ]


@pytest.fixture(scope="module")
def calm() -> list[Event]:
    return stream(0.3, 6.0, _usual)


@pytest.mark.parametrize("kind", list(ODD))
def test_every_kind_of_entity_is_watched(kind: str, calm: list[Event]) -> None:
    entity, span, odd = ODD[kind]
    only = tuple(one for one in PARAMETERS.kinds if one.name == kind)
    watcher = detector(msgspec.structs.replace(eager(2.0, 10.0, score_min=1.0), kinds=only))
    first = START + timedelta(days=0.3)
    rest = [*odd, *(process("x", "x", "x", "x") for _ in range(3))]
    watcher.feed(calm)
    number, minutes = len(calm), 0.3 * 1_440
    alerts = watcher.feed(
        [told(number + at, minutes + 0.1 * at, each) for at, each in enumerate(rest[: len(odd)])]
    )
    alerts += watcher.feed([told(number + 50, minutes + 80, {"event.dataset": "liuhe.heartbeat"})])
    found = [one for one in alerts if one.entity == entity and one.events[-1].time >= first]
    assert found, [one.reason.en for one in alerts]
    assert f"在 {span}内" in found[0].reason.zh
    assert found[0].rule.startswith("anomaly.")
    assert 1 <= len(found[0].matched) <= 3
    assert all(one.selection in found[0].reason.zh for one in found[0].matched)
    assert "—" not in found[0].reason.zh


def test_all_lengths_of_all_kinds_are_judged(calm: list[Event]) -> None:
    watcher = detector()
    watcher.feed(calm[:150])
    watcher.feed([told(len(calm), 2_000, {"event.dataset": "liuhe.heartbeat"})])
    judged = {name for name, kept in watcher.memory().watched.items() if kept.first}
    assert judged == {f"{kind.name}/{one}" for kind in SHIPPED.kinds for one in kind.seconds}
    assert {60, 3_600, 86_400} <= {one for kind in SHIPPED.kinds for one in kind.seconds}


def test_order_within_the_lateness_changes_no_window(calm: list[Event]) -> None:
    calm = calm[:300]
    swapped = list(calm)
    for at in range(0, len(swapped) - 1, 2):
        if swapped[at].time == swapped[at + 1].time:
            swapped[at], swapped[at + 1] = swapped[at + 1], swapped[at]
    plain, other = detector(), detector()
    assert plain.feed(calm) == other.feed(swapped)
    assert plain.memory().behaviours == other.memory().behaviours
    assert (plain.late, other.late) == (0, 0)


def test_all_kinds_go_on_to_the_bit_after_a_restart_and_in_any_batches(calm: list[Event]) -> None:
    events = calm[:330]
    whole = Durable(detector(), seconds=60)
    whole.feed(events)
    first = Durable(detector(), seconds=60)
    for at in range(0, 200, 9):
        first.feed(events[at : min(at + 9, 200)])
    kept = first.snapshot()
    assert kept is not None
    second = Durable(detector(), seconds=60)
    second.recall(kept)
    second.feed(events[150:200])  # replayed, and known already
    second.feed(events[200:])
    both = [msgspec.msgpack.encode(one.detector.memory()) for one in (whole, second)]
    assert both[0] == both[1]


def test_a_sensor_behind_has_windows_of_its_own_and_what_is_too_late_is_counted() -> None:
    watcher = detector()
    steady = [told(at, at, line("web", f"request {at} served")) for at in range(120)]
    watcher.feed(steady)
    slow = [told(at, 30 + at, line("old", f"request {at} served"), sensor="slow") for at in range(60)]
    watcher.feed(slow)
    assert watcher.late == 0
    lanes = watcher.memory().lanes
    assert list(lanes) == ["slow"]
    kept = msgspec.msgpack.encode(watcher.memory())
    again = detector()
    again.remember(msgspec.msgpack.decode(kept, type=type(watcher.memory())))
    for one in (watcher, again):
        one.feed([told(60, 31, line("old", "request 1 served"), sensor="slow")])  # behind even its own
        one.feed([told(61, 300, line("old", "request 2 served"), sensor="slow")])  # caught up
        assert (one.late, one.memory().lanes) == (1, {})
    assert msgspec.msgpack.encode(again.memory()) == msgspec.msgpack.encode(watcher.memory())


def test_windows_of_a_sensor_that_fell_silent_while_behind_are_closed_in_the_end() -> None:
    watcher = detector()
    watcher.feed([told(at, 300 + at, line("web", "request served")) for at in range(9)])
    watcher.feed([told(at, at, line("old", "request served"), sensor="slow") for at in range(9)])
    assert list(watcher.memory().lanes) == ["slow"]
    watcher.feed([told(20 + at, 1_000 + at * 1_000, line("web", "request served")) for at in range(3)])
    kept = watcher.memory()
    assert (kept.lanes, kept.heard, watcher.late) == ({}, {}, 0)
    assert not any(one.sensor for tally in kept.tallies.values() for one in tally.columns)


@pytest.mark.parametrize(("name", "every", "learned"), [("1 小时", 180, 30), ("1 天", 1_440, 60)])
def test_a_ramp_of_five_percent_a_day_is_told_within_thirty_days(name: str, every: int, learned: int) -> None:
    pairs = tuple(one for one in SHIPPED.kinds if one.name == "pair")
    seconds = 3_600 if name == "1 小时" else 86_400
    parameters = msgspec.structs.replace(
        SHIPPED, kinds=(msgspec.structs.replace(pairs[0], seconds=(seconds,)),)
    )
    watcher = detector(parameters)
    events: list[Event] = []
    for step in range((learned + 30) * 1_440 // every):
        day = step * every / 1_440
        for at in range(3):
            more = 1.05 ** max(day - learned, 0.0) if at == 0 else 1.0
            much = int(100_000 * more * (1 + (step * 7 + at * 3) % 11 / 50))
            events.append(
                told(len(events), step * every + 5 + at, flow(f"10.0.0.{at}", "10.9.0.1", 443, much))
            )
    began = START + timedelta(days=learned)
    alerts = [one for one in watcher.feed(events) if one.entity == "source:10.0.0.0"]
    assert alerts, "the ramp was followed"
    assert all(one.time >= began for one in alerts)
    assert f"在 {name}内" in alerts[0].reason.zh
    assert alerts[0].matched[0].field == "bytes-out"
    assert "字节（平常" in alerts[0].reason.zh
