"""Deeds: what each class of event says, for every kind of entity at once, and what nobody is asked."""

from datetime import UTC, datetime

import msgspec
import pytest

from crypto.words import BadInput
from detection.anomaly.deeds import Reader, amount_of, classes_of, registered, worded
from detection.anomaly.entities import KindParameters, entity_parameters
from sensors.event import Event, LogSource, Observation, Value, stamp

KINDS = entity_parameters().kinds


def event(dataset: str, **fields: Value) -> Event:
    named = {name.replace("__", "."): value for name, value in fields.items()}
    seen = Observation(
        time=datetime(2026, 3, 2, tzinfo=UTC),
        logsource=LogSource(),
        fields={"event.dataset": dataset, **named},
    )
    return stamp(seen, unit="u", sensor="s", epoch=0, sequence=1)


def read(seen: Event) -> set[tuple[str, str, str]]:
    """(kind, entity, deed) of an event."""
    reader = Reader(KINDS, programs_max=9, templates_max=9)
    found = set()
    for reading, facts in reader.read(seen):
        for plan in reading.plans:
            entity = [facts[at] for at in plan.entity]
            for step in plan.steps if all(entity) else ():
                detail = facts[step.detail] if step.detail >= 0 else ""
                if detail or step.detail < 0:
                    found.add(
                        (KINDS[plan.kind].name, KINDS[plan.kind].join.join(entity), f"{step.deed}:{detail}")
                    )
    return found


WHO: dict[str, Value] = {
    "event__category": "authentication",
    "host__name": "web",
    "user__name": "li",
    "source__ip": "10.0.0.9",
}
FLOW: dict[str, Value] = {"source__ip": "10.0.0.1", "destination__ip": "10.0.0.2", "destination__port": 443}


def test_deeds_of_each_class_of_event() -> None:
    assert read(event("file.change", host__name="web", file__path="/etc/passwd")) == {
        ("host", "web", "folder:/etc"),
        ("host", "web", "files:"),
    }
    listener = event("listener.change", host__name="web", event__action="listener-added", server__port=22)
    assert read(listener) == {("host", "web", "listener:22")}
    assert read(event("net.flow", event__action="flow-end", **FLOW)) >= {
        ("source", "10.0.0.1", "service:10.0.0.2:443"),
        ("source", "10.0.0.1", "bytes-out:"),
        ("service", "10.0.0.2:443", "client:10.0.0.1"),
        ("pair", "10.0.0.1 → 10.0.0.2", "port:443"),
    }
    asked = event(
        "net.dns", source__ip="10.0.0.1", dns__question__name="A.www.nanjing.gov.cn", dns__type="query"
    )
    assert read(asked) == {("source", "10.0.0.1", "domain:nanjing.gov.cn")}
    assert read(event("login", event__outcome="success", **WHO)) == {
        ("host", "web", "login:li"),
        ("user", "li", "on:web"),
        ("user", "li", "from:10.0.0.9"),
        ("user-host", "li@web", "from:10.0.0.9"),
    }
    assert read(event("login", event__outcome="failure", **WHO)) == {
        ("host", "web", "login-failed:li"),
        ("user", "li", "failed-on:web"),
        ("user-host", "li@web", "login-failed:10.0.0.9"),
    }
    started = event(
        "process.start",
        host__name="web",
        user__name="li",
        process__executable="/bin/sh",
        process__parent__executable="/usr/sbin/nginx",
    )
    assert read(started) == {
        ("host", "web", "program:/bin/sh"),
        ("user-host", "li@web", "program:/bin/sh"),
        ("process", "/bin/sh ← /usr/sbin/nginx", "on:web"),
        ("process", "/bin/sh ← /usr/sbin/nginx", "as:li"),
    }


def test_a_template_is_named_by_its_words() -> None:
    reader = Reader(KINDS, programs_max=9, templates_max=9)
    line = event("log", host__name="web", process__name="app", message="request 17 served")
    ((reading, facts),) = reader.read(line)
    (plan,) = reading.plans
    entity = facts[plan.entity[0]]
    assert reader.said(entity) == "app: request <*> served"
    again = Reader(KINDS, programs_max=9, templates_max=9)
    again.recall(reader.lines.state())
    assert again.said(entity) == "app: request <*> served"
    assert again.read(line)[0][1] == facts
    assert reader.said("web-1") == "web-1"


def test_what_the_product_tells_of_itself_and_what_merely_is_counts_for_nobody() -> None:
    assert classes_of(event("liuhe.heartbeat", host__name="web")) == ()
    assert classes_of(event("probe", host__name="web")) == ()
    assert classes_of(event("net.flow", event__action="flow-start", **FLOW)) == ()
    assert classes_of(event("net.dns", dns__type="answer")) == ()
    assert classes_of(event("login", message="x", event__outcome="failure", **WHO)) == (
        "login-failed",
        "line",
    )


def test_names_and_amounts() -> None:
    assert registered("www.example.com.") == "example.com"
    assert registered("") == ""
    assert worded(KINDS[0], "program:/bin/sh").zh == "运行程序 /bin/sh"
    assert worded(KINDS[0], "what").zh == "其他行为"
    assert [amount_of(event("x", n=one), "n") for one in (7, -3, 1e300, "many")] == [7, 0, 1 << 42, 0]


def _with(**changed: object) -> KindParameters:
    return msgspec.structs.replace(KINDS[0], **changed)


def test_a_kind_that_counts_what_no_event_is_is_refused() -> None:
    strange = msgspec.structs.replace(KINDS[0].deeds[0], on=("dream",))
    for kind in (_with(deeds=(strange,)), _with(entity=("mood",))):
        with pytest.raises(BadInput, match=r"dream|mood"):
            Reader([kind], programs_max=9, templates_max=9)
    everything = entity_parameters()
    for bad in (_with(seconds=(60, 90)), _with(seconds=(7,)), _with(deeds=KINDS[0].deeds[:1] * 2)):
        with pytest.raises(BadInput):
            msgspec.structs.replace(everything, kinds=(bad,)).__post_init__()
