"""The drill: an alert counts only if it is later, of the right rule, and carries the action's mark."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crypto.words import LiuheError, Words
from detection.alert import Alert, Claim, claim
from detection.store.alert_store import AlertStore
from detection.store.inventory import SensorState, SourceState
from sensors.event import LogSource, Observation, stamp
from soc_api import drill, drill_actions, drill_steps
from soc_api.drill_actions import Action


def nothing() -> None:
    """An act without an effect."""


def action(**given: Any) -> Action:
    plain: dict[str, Any] = {
        "name": "n",
        "title": Words("动作", "act"),
        "rules": ("r1", "r2"),
        "marker": "mark-7f",
        "source": "processes",
    }
    return Action(**(plain | {"act": nothing} | given))


class Center:
    """An alert store, filled as the pipeline would."""

    def __init__(self, store: AlertStore) -> None:
        self.store = store
        self.number = 0

    def alert(self, rule: str, time: datetime, text: str, *, port: int = 0) -> Alert:
        self.number += 1
        fields: dict[str, Any] = {"host.name": "web", "process.command_line": text, "server.port": port}
        seen = Observation(time=time, logsource=LogSource(product="linux"), fields=fields)
        event = stamp(seen, unit="u", sensor="host-1", epoch=1, sequence=self.number)
        raised = claim(
            Claim(rule=rule, detector="sigma", title=Words("告警", "Alert"), severity="high"),
            entity=f"host:web-{self.number}",
            reason=Words("因", "because"),
            events=(event,),
            matched=(),
        )
        self.store.commit([raised], [event], self.number, datetime.now(UTC))
        return raised


@pytest.fixture
def alerts(world: Any) -> Center:
    return Center(world.alerts)


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drill, "ANSWER_SECONDS_MAX", 0.05)
    monkeypatch.setattr(drill, "_POLL_SECONDS", 0.01)


def test_only_a_later_alert_of_the_rule_with_the_mark_is_an_answer(alerts: Center) -> None:
    started = datetime.now(UTC)
    later = started + timedelta(seconds=1)
    alerts.alert("r1", started - timedelta(seconds=1), "mark-7f")
    alerts.alert("other", later, "mark-7f")
    alerts.alert("r1", later, "another mark")
    assert drill._answer(action(), alerts.store, started) is None
    wanted = alerts.alert("r2", later, "x mark-7f y")
    found = drill._answer(action(), alerts.store, started)
    assert found is not None
    assert found[0].id == wanted.id
    assert found[1]


def test_a_group_that_goes_on_is_answered_by_its_new_alert(alerts: Center, monkeypatch: Any) -> None:
    monkeypatch.setattr(drill, "_PAGE", 2)
    started = datetime.now(UTC)
    for number in range(5):  # newer groups fill pages of their own
        alerts.alert("other", started + timedelta(seconds=9 + number), "noise")
    alerts.alert("r1", started + timedelta(seconds=1), "mark-7f")
    found = drill._answer(action(), alerts.store, started)
    assert found is not None
    assert found[0].rule == "r1"


@pytest.mark.parametrize(("port", "answered"), [(4000, True), (40001, False), (14000, False)])
def test_a_number_is_not_part_of_a_longer_one(alerts: Center, port: int, answered: bool) -> None:
    started = datetime.now(UTC)
    alerts.alert("r1", started, "x", port=port)
    found = drill._answer(action(marker='"server.port":4000'), alerts.store, started)
    assert (found is not None) is answered


def test_an_answered_action_is_timed(alerts: Center) -> None:
    said: list[Words] = []
    act = action(act=lambda: alerts.alert("r1", datetime.now(UTC), "mark-7f"))
    (outcome,) = drill.run([act], alerts.store, said.append)
    assert outcome.answered
    assert outcome.seconds is not None
    assert 0 <= outcome.seconds < 5
    assert (outcome.sensor, outcome.note) == ("host-1", Words("", ""))
    assert outcome.group
    assert [words.en.split(":")[0] for words in said] == ["action", "alert"]


def test_an_action_without_an_answer_is_told(alerts: Center) -> None:
    (outcome,) = drill.run([action()], alerts.store, lambda _: None)
    assert not outcome.answered
    assert outcome.note.en == "no alert seen"


def failing(error: Exception) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def test_what_cannot_be_done_is_told_and_the_next_is_done(alerts: Center) -> None:
    done: list[str] = []
    refused = LiuheError("drill-folder", Words("不可写", "not writable"), Words("查", "check"))
    todo = [
        action(name="skipped", needs=lambda: Words("本机没有 su", "this machine has no su")),
        action(name="os", act=failing(OSError(13, "Permission denied"))),
        action(name="child", act=failing(subprocess.TimeoutExpired("su", 30))),
        action(name="ours", act=failing(refused)),
        action(name="last", act=lambda: done.append("last")),
    ]
    outcomes = {one.action: one for one in drill.run(todo, alerts.store, lambda _: None)}
    assert outcomes["skipped"].note.en == "this machine has no su"
    assert "Permission denied" in outcomes["os"].note.en
    assert all("the action failed" in outcomes[name].note.en for name in ("os", "child", "ours"))
    assert done == ["last"]
    assert not any(one.answered for one in outcomes.values())


def test_a_tool_that_is_missing_skips_its_action(alerts: Center, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    login = next(one for one in drill_steps.actions(Path("/nonexistent")) if one.name == "failed-login")
    login = replace(login, act=failing(AssertionError("must not act")))
    (outcome,) = drill.run([login], alerts.store, lambda _: None)
    assert "su" in outcome.note.en
    assert drill_actions.login_tools_missing() is not None


@pytest.mark.parametrize(
    ("state", "source", "why", "says"),
    [
        ("running", "capture:lo", "", ""),
        ("missing", "capture:lo", "CAP_NET_RAW is missing", "CAP_NET_RAW"),
        ("failed", "capture:lo", "it ended by itself", ""),  # and is tried again
        ("running", "listeners", "", ""),  # the other sensor has not told its sources yet
    ],
)
def test_what_no_sensor_can_see_is_skipped_with_the_reason(
    state: Any, source: str, why: str, says: str
) -> None:
    capture = SourceState(name=source, state=state, detail=Words(why, why))
    plain: dict[str, Any] = dict.fromkeys(("sensor", "kind", "unit", "host", "version"), "x")
    plain |= dict.fromkeys(("last_epoch", "last_sequence", "backlog", "events", "rss_bytes"), 0)
    sensor = SensorState(
        state="online", last_seen=datetime.now(UTC), cpu_percent=0.0, sources=(capture,), **plain
    )
    (act,) = drill.seen_by([action(source="capture:lo")], [sensor])
    missing = act.needs()
    assert says in (missing.en if missing else "")
    assert (missing is None) is (says == "")
