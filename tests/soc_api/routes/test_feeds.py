"""Tests of the changes programs read: in their order, within their units, none lost while others write."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from filled_center import an_order

from compliance.check_store import CheckStore, Kept
from compliance.evaluation import Evaluation
from compliance.incident_desk import NewIncident
from compliance.incident_store import IncidentQuery
from compliance.registry import GradedSystem, Unit
from compliance.registry_store import RegistryStore
from crypto.words import Words

OWN, BELOW, OTHER = "320000-local", "320000-a", "320100"


@pytest.fixture(name="lead")
def _lead(world: Any) -> Any:
    world.registry.plant(world.now)
    for name, unit in (("local", OWN), ("city", OTHER)):
        system = GradedSystem(id=name, unit=unit, name=name, level=3, grade="S3A3G3")
        RegistryStore(world.engine).register(system, unit_name=unit, now=world.now)
    world.registry.registry.put_unit(Unit(code=BELOW, name="下属单位", parent=OWN), world.now, "user:a")
    return world.signed_in("shift_lead")


def opened(world: Any, title: str, unit: str = OWN) -> str:
    order = NewIncident(title=title, unit=unit, category="attack")
    return str(world.casework.incidents.open(order, "user:li", world.now).number)


def judged(world: Any, check: str, verdict: Any, leaf: int, system: str = "local") -> None:
    """A check as an evaluation leaves it; the same leaf again is no change."""
    said = Evaluation(
        check=check,
        system=system,
        verdict=verdict,
        reason=Words("端口 23", "port 23"),
        evaluated=world.now,
        stale_at=None,
        findings=(),
    )
    CheckStore(world.engine).keep([Kept(evaluation=said, leaf=leaf)])
    world.enforcement.orders.work(world.now)


def test_programs_read_changes_in_their_order(world: Any) -> None:
    for number in range(3):
        world.raise_alert(host=f"web-{number}", sequence=number + 1)
    client = world.signed_in("analyst")
    first = client("GET", "/changes/alerts?limit=2").json()
    assert ([row["entity"] for row in first["rows"]], first["more"]) == (["host:web-0", "host:web-1"], True)
    rest = client("GET", f"/changes/alerts?updated_since={first['next']}").json()
    assert ([row["entity"] for row in rest["rows"]], rest["more"]) == (["host:web-2"], False)
    client("POST", f"/alerts/{first['rows'][0]['id']}/acknowledge")
    again = client("GET", f"/changes/alerts?updated_since={rest['next']}").json()
    assert [(row["entity"], row["state"]) for row in again["rows"]] == [("host:web-0", "acknowledged")]
    assert client("GET", "/changes/alerts?updated_since=x").json()["code"] == "changes-cursor"


def test_incidents_come_by_their_last_change_once_each(world: Any, lead: Any) -> None:
    first, second = opened(world, "事件一"), opened(world, "事件二")
    found = lead("GET", "/changes/incidents?limit=1").json()
    assert ([row["number"] for row in found["rows"]], found["more"]) == ([first], True)
    for note in ("电话核实", "再核实"):
        world.casework.incidents.note(first, note, None, "user:li", world.now)
    rest = lead("GET", f"/changes/incidents?updated_since={found['next']}").json()
    assert ([row["number"] for row in rest["rows"]], rest["more"]) == ([second, first], False)
    none = lead("GET", f"/changes/incidents?updated_since={rest['next']}").json()
    assert (none["rows"], none["next"]) == ([], rest["next"])
    city = world.signed_in("analyst", unit=OTHER)
    theirs = opened(world, "市级事件", OTHER)
    assert [row["number"] for row in city("GET", "/changes/incidents").json()["rows"]] == [theirs]


def test_a_receiver_learns_of_a_notice_when_it_is_out(world: Any, lead: Any) -> None:
    below = world.signed_in("analyst", "below", unit=BELOW)
    writer = world.signed_in("analyst", "writer")
    draft = {
        "kind": "rectification",
        "title": "漏洞预警通报",
        "text": "请尽快核查、升级并反馈。",
        "receivers": [BELOW],
    }
    made = writer("POST", "/notices", json=draft).json()["notice"]["id"]
    place = below("GET", "/changes/notices").json()
    assert place["rows"] == []
    desk = world.casework.notices
    for step, actor in (("submit", "user:writer"), ("approve", "user:b"), ("issue", "user:c")):
        desk.step(made, step, "", actor, world.now)
    told = below("GET", f"/changes/notices?updated_since={place['next']}").json()["rows"]
    assert [(row["id"], row["state"]) for row in told] == [(made, "issued")]


def test_checks_come_by_their_last_change(world: Any, lead: Any) -> None:
    judged(world, "PLT-06", "不符合", 1)
    judged(world, "PLT-07", "符合", 2)
    judged(world, "PLT-06", "不符合", 3, "city")
    checks = lead("GET", "/changes/checks").json()
    told = [(row["system"], row["check"]["id"], row["check"]["verdict"]) for row in checks["rows"]]
    assert told == [("local", "PLT-06", "不符合"), ("local", "PLT-07", "符合"), ("city", "PLT-06", "不符合")]
    city = world.signed_in("analyst", unit=OTHER)
    assert [row["system"] for row in city("GET", "/changes/checks").json()["rows"]] == ["city"]
    judged(world, "PLT-06", "不符合", 1)  # evaluated again, as it was
    again = lead("GET", f"/changes/checks?updated_since={checks['next']}").json()
    assert (again["rows"], again["next"]) == ([], checks["next"])
    world.now += timedelta(minutes=1)
    judged(world, "PLT-06", "符合", 4)
    again = lead("GET", f"/changes/checks?updated_since={checks['next']}").json()
    assert [(row["check"]["id"], row["check"]["leaf"]) for row in again["rows"]] == [("PLT-06", 4)]


def test_orders_come_by_their_last_change(world: Any, lead: Any) -> None:
    first, second = an_order(world, "web-01"), an_order(world, "web-02")
    found = lead("GET", "/changes/orders").json()
    assert [row["number"] for row in found["rows"]] == [first, second]
    world.enforcement.orders.answer(first, "已关闭 telnet", (), "user:li", world.now)
    more = lead("GET", f"/changes/orders?updated_since={found['next']}").json()
    assert [(row["number"], row["state"]) for row in more["rows"]] == [(first, "answered")]
    assert world.signed_in("analyst", unit=OTHER)("GET", "/changes/orders").json()["rows"] == []


@pytest.mark.parametrize("what", ["alerts", "incidents", "notices", "orders", "checks"])
def test_a_cursor_of_nothing_is_refused(lead: Any, what: str) -> None:
    answer = lead("GET", f"/changes/{what}?updated_since=2026-11-22T08:00:00Z")
    assert (answer.status_code, answer.json()["code"]) == (422, "changes-cursor")


def test_nothing_is_lost_to_a_reader_while_others_write(world: Any) -> None:
    """Writers change the same incidents at once; a reader goes on from its cursor all the while."""
    desk, rows = world.casework.incidents, world.casework.incident_rows
    numbers = [opened(world, f"事件 {number}") for number in range(4)]
    left = threading.Semaphore(0)

    def write(writer: int) -> None:
        for turn in range(8):
            desk.note(numbers[(writer + turn) % 4], f"记录 {writer}-{turn}", None, "user:li", world.now)
        left.release()

    writers = [threading.Thread(target=write, args=(one,)) for one in range(3)]
    for one in writers:
        one.start()
    seen: dict[str, int] = {}
    place = ended = 0
    while True:
        ended += left.acquire(blocking=False)
        over = ended == len(writers)
        found, place = rows.changed(place, IncidentQuery(limit=2))
        for incident in found:
            assert seen.get(incident.number, -1) < incident.revision  # never again as it was
            seen[incident.number] = incident.revision
        if over and not found:
            break
    for one in writers:
        one.join()
    assert seen == {number: rows.get(number).revision for number in numbers}
    assert sum(seen.values()) == 4 + 3 * 8
