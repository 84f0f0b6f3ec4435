"""Processes above and below an event, and the session it belongs to."""

from typing import Any

from sqlalchemy import Engine

from detection.store.surroundings import surroundings


def start_of(center: Any, pid: int, parent: int, **more: Any) -> None:
    fields = {"process__pid": pid, "process__parent__pid": parent, "process__executable": f"/bin/p{pid}"}
    center.receive(1, **fields, **more)


def test_ancestors_and_children_are_told_in_order(engine: Engine, center: Any) -> None:
    for pid, parent in ((100, 1), (200, 100), (300, 200), (400, 300), (401, 300), (500, 999)):
        start_of(center, pid, parent)
    found = surroundings(center.store(engine), center.events[2])
    told = [(one.place, one.event.fields["process.pid"]) for one in found.processes]
    assert told == [(-2, 100), (-1, 200), (0, 300), (1, 400), (1, 401)]


def test_a_reused_pid_is_taken_from_before_the_child(engine: Engine, center: Any) -> None:
    start_of(center, 100, 1, process__name="old")
    start_of(center, 200, 100)
    start_of(center, 100, 1, process__name="new")
    found = surroundings(center.store(engine), center.events[1])
    assert found.processes[0].event.fields["process.name"] == "old"


def test_a_flow_is_a_session_on_any_host_and_an_audit_session_on_its_own(engine: Engine, center: Any) -> None:
    center.receive(2, network__community_id="1:x")
    center.receive(1, network__community_id="1:x", host__name="db-01")
    center.receive(1, gov__audit__session="58")
    center.receive(1, gov__audit__session="58", host__name="db-01")
    store = center.store(engine)
    flow = surroundings(store, center.events[0])
    assert (flow.session_field, len(flow.session), flow.processes) == ("network.community_id", 2, ())
    audit = surroundings(store, center.events[3])
    assert (audit.session_field, audit.session) == ("gov.audit.session", ())
