"""What happened around an event: the processes it came from and led to, and the session it belongs to."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from detection.condition import Atom, Condition, all_of
from detection.facts import texts_of
from detection.store.event_store import EventStore
from sensors.event import Event

BEFORE: Final = timedelta(hours=6)
AFTER: Final = timedelta(hours=1)
ANCESTORS_MAX: Final = 6
CHILDREN_MAX: Final = 20
SESSION_MAX: Final = 50
# Fields that name a session, the most telling first.
SESSIONS: Final = ("network.community_id", "gov.audit.session")


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """A process beside the one of the event; ``place`` -1 is its parent, 1 a child of it, 0 itself."""

    place: int
    event: Event


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """``session`` are the events that share ``session_field``, newest first."""

    processes: tuple[Process, ...] = ()
    session_field: str = ""
    session: tuple[Event, ...] = ()


def surroundings(store: EventStore, event: Event) -> Surroundings:
    """Read around an event: some hours before it, one after."""
    processes = _processes(store, event)
    for field in SESSIONS:
        texts = texts_of(event.fields.get(field))
        if texts and texts[0]:
            wanted = all_of([_is(field, texts[0]), *_same_host(event, field)])
            found = _search(store, wanted, event.time - BEFORE, event.time + AFTER, SESSION_MAX, event.unit)
            others = tuple(one for one in found if one.id != event.id)
            return Surroundings(processes=processes, session_field=field, session=others)
    return Surroundings(processes=processes)


def _processes(store: EventStore, event: Event) -> tuple[Process, ...]:
    pid, host = _text(event, "process.pid"), _text(event, "host.name")
    if not pid or not host:
        return ()
    found = [Process(place=0, event=event)]
    here, until = event, event.time
    for step in range(1, ANCESTORS_MAX + 1):
        parent = _text(here, "process.parent.pid")
        if not parent or parent == _text(here, "process.pid"):
            break
        wanted = all_of(
            [_is("event.dataset", "process.start"), _is("host.name", host), _is("process.pid", parent)]
        )
        above = _search(store, wanted, event.time - BEFORE, until, 1, event.unit)
        if not above:
            break
        here, until = above[0], above[0].time
        found.insert(0, Process(place=-step, event=here))
    wanted = all_of(
        [_is("event.dataset", "process.start"), _is("host.name", host), _is("process.parent.pid", pid)]
    )
    below = _search(store, wanted, event.time, event.time + AFTER, CHILDREN_MAX, event.unit)
    return (*found, *(Process(place=1, event=one) for one in reversed(below)))


def _same_host(event: Event, field: str) -> list[Condition]:
    """Only a flow's id means the same on every host."""
    host = _text(event, "host.name")
    return [_is("host.name", host)] if host and not field.startswith("network.") else []


def _search(
    store: EventStore, wanted: Condition, since: datetime, until: datetime, limit: int, unit: str
) -> list[Event]:
    found = store.search(wanted, since=since, until=until, limit=limit).events
    return [one for one in found if one.unit == unit]


def _is(field: str, value: str) -> Atom:
    return Atom(field, "equals", (value,))


def _text(event: Event, field: str) -> str:
    texts = texts_of(event.fields.get(field))
    return texts[0] if texts else ""
