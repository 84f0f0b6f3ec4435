"""The drill: harmless actions on this machine, each with the alert it must raise, timed end to end.

It acts, then reads the center's own stores; nothing is injected anywhere. An action counts as answered when
an alert of one of its rules, later than its start, rests on an event that carries the action's mark.
"""

import secrets
import subprocess
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from crypto.words import LiuheError, Words
from detection.alert import Alert
from detection.store.alert_group import AlertGroup
from detection.store.alert_store import AlertStore
from detection.store.inventory import SensorState, SourceState
from rules import ROOT
from soc_api import drill_actions
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


def actions(watched: Path) -> tuple[Action, ...]:
    """The drill's actions with marks of their own; ``watched`` is a folder the host sensor watches."""
    nonce = secrets.token_hex(4)
    port = drill_actions.free_port()
    answers: dict[str, list[str]] = tomllib.loads((ROOT / "playbooks" / "drill.toml").read_text("utf-8"))

    def rule_of(name: str) -> tuple[str, ...]:
        return tuple(answers[name])

    return (
        Action(
            name="failed-login",
            source="logins:btmp",
            title=Words("登录失败(nobody,错误口令)", "failed login (nobody, wrong password)"),
            rules=rule_of("failed-login"),
            marker="nobody",
            act=drill_actions.failed_login,
            needs=drill_actions.login_tools_missing,
        ),
        Action(
            name="connection-burst",
            source="capture:lo",
            title=Words("对本机关闭端口的连接突发", "a burst of connections to closed loopback ports"),
            rules=rule_of("connection-burst"),
            marker="127.0.0.1",
            act=drill_actions.connection_burst,
        ),
        Action(
            name="tunnel-names",
            source="capture:lo",
            title=Words("形似 DNS 隧道的域名查询", "names that look like a DNS tunnel"),
            rules=rule_of("tunnel-names"),
            marker="t.drill.invalid",
            act=lambda: drill_actions.tunnel_names(nonce),
        ),
        Action(
            name="new-listener",
            source="listeners",
            title=Words("新增监听端口", "a new listening port"),
            rules=rule_of("new-listener"),
            marker=f'"server.port":{port}',
            act=lambda: drill_actions.new_listener(port),
        ),
        Action(
            name="changed-file",
            source="file-integrity",
            title=Words("受监视文件被改动", "a watched file is changed"),
            rules=rule_of("changed-file"),
            marker=f"drill-{nonce}",
            act=lambda: drill_actions.changed_file(watched, nonce),
        ),
        Action(
            name="suspicious-command",
            source="processes",
            title=Words("可疑但无害的命令行", "a suspicious-looking but harmless command line"),
            rules=rule_of("suspicious-command"),
            marker=nonce,
            act=lambda: drill_actions.suspicious_command(nonce),
        ),
    )


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
    """Do every action, announced, and wait for its alert."""
    return [_one(action, alerts, announce) for action in todo]


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
    deadline = time.monotonic() + ANSWER_SECONDS_MAX
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
