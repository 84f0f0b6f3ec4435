"""Tests of soc_api.webhooks and its store: signed, durable, repeated, within the units, nobody named."""

import json
import threading
from datetime import timedelta
from typing import Any

import pytest

from compliance.incident_desk import NewIncident
from crypto.sm3 import hmac_sm3
from crypto.words import BadInput, Refused, Words
from detection.store.changed_groups import START, changed_groups
from detection.store.group_query import GroupFilter
from soc_api.case_feed import CaseFeed
from soc_api.secret_box import SecretBox
from soc_api.webhook_store import WEBHOOKS_MAX, WebhookStore
from soc_api.webhooks import EVENTS, GIVEN_UP_AFTER, Webhooks

URL = "https://siem.example/in"


class Wire:
    """The other end: answers as it is told, or with an error; keeps what came."""

    def __init__(self) -> None:
        self.answers: list[int | OSError] = []
        self.got: list[tuple[bytes, dict[str, str]]] = []

    def __call__(self, target: Any, body: bytes, headers: dict[str, str], authority: Any) -> int:
        self.got.append((body, headers))
        answer = self.answers.pop(0) if self.answers else 204
        if isinstance(answer, OSError):
            raise answer
        return answer


@pytest.fixture(name="wire")
def _wire() -> Wire:
    return Wire()


@pytest.fixture(name="hooks")
def _hooks(world: Any, wire: Wire) -> Webhooks:
    return desk(world, wire)


def desk(world: Any, wire: Wire) -> Webhooks:
    return Webhooks(
        WebhookStore(world.engine),
        world.alerts,
        CaseFeed(world.casework.acts, lambda _system: "320000-local"),
        SecretBox(bytes(32), "webhook"),
        center="local",
        units_of=lambda unit: None if unit == "320000-local" else frozenset({unit}),
        send=wire,
        resolve=lambda host, port: ["93.184.216.34"],
    )


def made(hooks: Webhooks, world: Any, **given: Any) -> tuple[Any, str]:
    values = {"events": ["alerts"], "query": "", "unit": "320000-local"} | given
    return hooks.make("siem", URL, values["events"], values["query"], values["unit"], "user:a", world.now)


def test_a_change_is_sent_once_signed(world: Any, hooks: Webhooks, wire: Wire) -> None:
    world.raise_alert(host="before")
    _, secret = made(hooks, world)
    alert = world.raise_alert(host="web-02", sequence=2)
    hooks.beat(world.now)
    hooks.beat(world.now)
    ((body, headers),) = wire.got
    said = json.loads(body)
    assert (said["event"], said["center"]) == ("alerts", "local")
    assert (said["data"]["id"], said["data"]["entity"]) == (alert.group, "host:web-02")
    signed = headers["X-Liuhe-Timestamp"].encode() + b"." + body
    assert headers["X-Liuhe-Signature"] == f"hmac-sm3={hmac_sm3(secret.encode(), signed).hex()}"
    assert "events" not in said["data"]


def test_what_fails_is_repeated_later_and_given_up_in_the_end(
    world: Any, hooks: Webhooks, wire: Wire
) -> None:
    hook, _ = made(hooks, world)
    world.raise_alert()
    wire.answers = [OSError("no route"), 500, 204]
    hooks.beat(world.now)
    hooks.beat(world.now)
    assert len(wire.got) == 1
    hooks.beat(world.now + timedelta(seconds=10))
    (waiting,) = hooks.store.deliveries(hook.id, 10)
    assert (waiting.state, waiting.attempts, waiting.problem) == ("waiting", 2, "HTTP 500")
    desk(world, wire).beat(
        world.now + timedelta(seconds=30)
    )  # another process goes on where this one stopped
    (done,) = hooks.store.deliveries(hook.id, 10)
    assert (done.state, done.attempts, done.status) == ("delivered", 3, 204)
    assert len({headers["X-Liuhe-Delivery"] for _, headers in wire.got}) == 1
    world.raise_alert(host="web-09", sequence=9)
    wire.answers = [OSError("down")] * 9
    hooks.beat(world.now)
    hooks.beat(world.now + GIVEN_UP_AFTER)
    assert hooks.store.deliveries(hook.id, 1)[0].state == "given-up"


def test_a_filter_and_the_units_hold(world: Any, hooks: Webhooks, wire: Wire) -> None:
    made(hooks, world, query="severity:critical")
    made(hooks, world, unit="320100")
    world.raise_alert()
    hooks.beat(world.now)
    assert wire.got == []


def test_nobody_is_named_and_the_secret_is_sealed(world: Any, hooks: Webhooks, wire: Wire) -> None:
    hook, secret = made(hooks, world)
    assert secret not in hook.secret
    group = world.alerts.page(state="all").rows
    assert group == ()
    world.raise_alert()
    hooks.beat(world.now)
    assert b"user:" not in wire.got[0][0]


def test_an_ended_one_gets_nothing_more(world: Any, hooks: Webhooks, wire: Wire) -> None:
    hook, _ = made(hooks, world)
    world.raise_alert()
    wire.answers = [500]
    hooks.beat(world.now)
    hooks.store.end(hook.id, world.now)
    hooks.beat(world.now + timedelta(minutes=5))
    assert len(wire.got) == 1
    assert hooks.store.deliveries(hook.id, 1)[0].problem == "ended"


def test_cases_are_sent_by_the_events_chosen_their_filter_and_the_units(
    world: Any, hooks: Webhooks, wire: Wire
) -> None:
    cases = [*EVENTS[1:]]
    every, _ = made(hooks, world, events=cases)
    made(hooks, world, events=["orders"])
    made(hooks, world, events=cases, query="act:overdue")
    made(hooks, world, events=cases, unit="320100")
    world.raise_alert()
    world.casework.incidents.open(
        NewIncident(title="网页被改", unit="320000-local", grade=2), "user:li", world.now
    )
    hooks.beat(world.now)
    hooks.beat(world.now)
    ((body, headers),) = wire.got
    assert headers["X-Liuhe-Event"] == "incidents"
    said = json.loads(body)
    assert (said["event"], said["data"]["act"], said["data"]["number"]) == (
        "incidents",
        "opened",
        "2026-000001",
    )
    world.casework.work(world.now + timedelta(hours=5))
    wire.answers = [500]
    hooks.beat(world.now)
    (first, second), (_, headers) = [json.loads(one) for one, _ in wire.got[1:]], wire.got[1]
    assert (first["data"]["act"], second) == ("overdue", first)  # to the first hook and to the one that asks
    desk(world, wire).beat(world.now + timedelta(seconds=10))  # what was not taken is kept by the outbox
    assert wire.got[3][1]["X-Liuhe-Delivery"] == headers["X-Liuhe-Delivery"]
    assert [one.event for one in hooks.store.deliveries(every.id, 9)] == ["incidents", "incidents"]


def test_bad_orders_are_refused(world: Any, hooks: Webhooks) -> None:
    orders: list[dict[str, Any]] = [
        {"events": ["weather"]},
        {"events": []},
        {"query": "severity:("},
        {"events": ["alerts", "incidents"], "query": "severity:high"},
    ]
    for given in orders:
        with pytest.raises(BadInput):
            made(hooks, world, **given)
    for _ in range(WEBHOOKS_MAX):
        made(hooks, world)
    with pytest.raises(Refused, match="webhook-full"):
        made(hooks, world)


def test_changes_are_read_in_their_order_without_a_gap(world: Any) -> None:
    for number in range(5):
        world.raise_alert(host=f"web-{number}", sequence=number + 1)
    found, place = [], START
    while (changes := changed_groups(world.engine, place, GroupFilter(state="all"), world.now, 2)).rows:
        found += [group.entity for group in changes.rows]
        place = changes.place
    assert found == [f"host:web-{number}" for number in range(5)]


def test_a_broken_beat_is_said_and_the_next_one_goes_on(
    hooks: Webhooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, beats = threading.Event(), list[int]()
    said: list[Words] = []

    def beat(_now: object) -> None:
        beats.append(1)
        if len(beats) == 1:
            raise ValueError("no such column")
        stop.set()

    monkeypatch.setattr("soc_api.webhooks.BEAT_SECONDS", 0.0)
    monkeypatch.setattr(hooks, "beat", beat)
    hooks.run(stop, said.append)
    assert len(beats) == 2
    assert "no such column" in said[0].en
