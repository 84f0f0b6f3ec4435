"""The drill: harmless actions on this machine, each with the alert it must raise, timed end to end.

It acts, then reads the center's own stores; nothing is injected anywhere. An action counts as answered when
an alert of one of its rules, later than its start, rests on an event that carries the action's mark.
"""

import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Final

import msgspec

from crypto.words import LiuheError, Words
from detection.alert import Alert
from detection.store.alert_group import AlertGroup
from detection.store.alert_store import AlertStore
from detection.store.inventory import SensorState, SourceState
from soc_api.drill_actions import Action, Announce

ANSWER_SECONDS_MAX: Final = 45.0  # after the action ends; a polling source and two commits fit many times
_POLL_SECONDS: Final = 0.25
_PAGE: Final = 100
_NOTHING: Final = Words("", "")


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the drill's table; ``seconds`` from the act's begin to the alert being durable."""

    action: str
    title: Words
    sensor: str
    alert: str
    group: str
    seconds: float | None
    note: Words

    @property
    def answered(self) -> bool:
        """Whether the alert came."""
        return self.seconds is not None


def seen_by(todo: Sequence[Action], sensors: Sequence[SensorState]) -> list[Action]:
    """The actions, each of which says at once where no sensor online can see it, and why."""
    sources = [source for sensor in sensors if sensor.state == "online" for source in sensor.sources]
    return [replace(action, needs=partial(_unseen, action, sources)) for action in todo]


def _unseen(action: Action, sources: Sequence[SourceState]) -> Words | None:
    own = action.needs()
    if own is not None:
        return own
    watching = [source for source in sources if source.name.startswith(action.source)]
    # One still starting, failed and about to be tried again, or not told of yet may well see it.
    if not watching or any(source.state != "missing" for source in watching):
        return None
    name, why = watching[0].name, watching[0].detail
    return Words(f"来源 {name} 未运行:{why.zh}", f"source {name} is not running: {why.en}")


def run(todo: Sequence[Action], alerts: AlertStore, announce: Announce) -> list[Outcome]:
    """Do every action, announced, and wait for its alert; all at once, as each has a mark of its own."""
    turn = threading.Lock()

    def one_by_one(words: Words) -> None:
        with turn:
            announce(words)

    with ThreadPoolExecutor(max_workers=max(1, len(todo))) as pool:
        return list(pool.map(lambda action: _one(action, alerts, one_by_one), todo))


def _one(action: Action, alerts: AlertStore, announce: Announce) -> Outcome:
    missing = action.needs()
    if missing is not None:
        announce(Words(f"跳过:{action.title.zh}({missing.zh})", f"skipped: {action.title.en} ({missing.en})"))
        return _outcome(action, note=missing)
    announce(Words(f"动作:{action.title.zh}", f"action: {action.title.en}"))
    # Some sources (btmp among them) tell time in whole seconds.
    started = datetime.now(UTC).replace(microsecond=0)
    began = datetime.now(UTC)
    try:
        action.act()
    except (OSError, subprocess.SubprocessError, LiuheError) as error:
        return _outcome(action, note=Words(f"动作失败:{error}", f"the action failed: {error}"))
    deadline = time.monotonic() + (action.answer_seconds or ANSWER_SECONDS_MAX)
    while time.monotonic() < deadline:
        found = _answer(action, alerts, started)
        if found is not None:
            alert, group, detected = found
            seconds = (detected - began).total_seconds()
            announce(
                Words(
                    f"告警:{alert.title.zh}({seconds:.1f} 秒)", f"alert: {alert.title.en} ({seconds:.1f} s)"
                )
            )
            return _outcome(action, alert=alert, group=group, seconds=seconds)
        time.sleep(_POLL_SECONDS)
    return _outcome(action, note=Words("未见告警", "no alert seen"))


def _answer(action: Action, alerts: AlertStore, started: datetime) -> tuple[Alert, str, datetime] | None:
    """The first alert of the action's rules since ``started`` whose events carry the mark."""
    for group in _groups_since(alerts, started):
        if group.rule not in action.rules:
            continue
        for record in alerts.detail(group.id).alerts:
            if record.alert.time >= started and _marked(record.alert, action.marker):
                return record.alert, group.id, record.detected
    return None


def _groups_since(alerts: AlertStore, started: datetime) -> Iterator[AlertGroup]:
    cursor = ""
    while True:
        page = alerts.page(state="all", cursor=cursor, limit=_PAGE)
        for group in page.rows:
            if group.last_seen < started:
                return  # rows come newest first
            yield group
        cursor = page.next
        if not cursor:
            return


def _marked(alert: Alert, marker: str) -> bool:
    return any(_holds(msgspec.json.encode(event).decode(), marker) for event in alert.events)


def _holds(text: str, marker: str) -> bool:
    """Whether the marker stands in the text, and not as the beginning of a longer number."""
    parts = text.split(marker)
    return any(not (marker[-1].isdigit() and rest[:1].isdigit()) for rest in parts[1:])


def _outcome(
    action: Action,
    *,
    alert: Alert | None = None,
    group: str = "",
    seconds: float | None = None,
    note: Words = _NOTHING,
) -> Outcome:
    return Outcome(
        action=action.name,
        title=action.title,
        sensor=alert.sensor if alert else "",
        alert=str(alert.title) if alert else "",
        group=group,
        seconds=seconds,
        note=note,
    )
