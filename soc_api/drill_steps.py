"""The drill's steps: what is done, which rule must answer, and the mark that its events carry."""

import secrets
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from crypto.words import Words
from rules import ROOT
from soc_api import drill_actions, drill_frames, drill_traffic
from soc_api.drill_actions import Action, ask_names

Step = tuple[str, str, str, Callable[[str], None]]  # name, Chinese title, English title, act by its mark
Needs = Callable[[], Words | None]

_LOOPBACK: Final = "capture:lo"
# Real connections and questions between addresses of the loopback.
_CONVERSATIONS: Final[tuple[Step, ...]] = (
    (
        "password-guessing",
        "猜测一个账号的口令(FTP)",
        "guess one account's password (FTP)",
        drill_traffic.guessing,
    ),
    (
        "password-spray",
        "同一来源猜测多个账号(FTP)",
        "guess at several accounts (FTP)",
        partial(drill_traffic.guessing, users=3),
    ),
    (
        "guessed-password",
        "多次猜错后登录成功(FTP)",
        "log in after wrong guesses (FTP)",
        partial(drill_traffic.guessing, right_at_last=True),
    ),
    (
        "shared-password",
        "多个账号共用一个明文口令",
        "one clear-text password of several accounts",
        drill_traffic.shared_password,
    ),
    (
        "dns-tunnel",
        "DNS 隐蔽隧道",
        "a tunnel in DNS",
        partial(drill_traffic.tunnel, send=ask_names),
    ),
    (
        "generated-names",
        "查询程序生成的域名",
        "ask for generated names",
        partial(drill_traffic.generated, send=ask_names),
    ),
    ("sm-downgrade", "国密服务退回非国密算法", "a service falls back from SM", drill_traffic.fall_back),
    (
        "shared-address",
        "一个地址之后有多种终端",
        "several kinds of machines behind one address",
        drill_traffic.many_machines,
    ),
)
# Frames put on the loopback, which need the right to send them.
_FRAMES: Final[tuple[Step, ...]] = (
    ("neighbour-sweep", "以 ARP 探测存活主机", "sweep for neighbours by ARP", drill_traffic.sweep),
    (
        "foreign-address",
        "内部链路上出现外部地址",
        "an outside address on an inner wire",
        drill_traffic.foreign_address,
    ),
    ("address-fight", "两块网卡争用一个地址", "two cards fight over an address", drill_traffic.address_fight),
    ("canary-address", "访问诱饵地址", "a visit to the canary address", drill_traffic.canary),
)
_SLOW: Final[tuple[Step, ...]] = (
    ("weak-tls", "服务采用已破译的密码套件", "a server chooses a broken suite", drill_traffic.weak),
    ("upload", "向外传出 210 MB", "210 MB leave for the outside", drill_traffic.upload),
    ("beacon", "每分钟一次的周期性外联(33 分钟)", "a call-back once a minute (33 min)", drill_traffic.beacon),
    ("slow-scan", "慢速扫描(29 分钟)", "a slow scan (29 min)", drill_traffic.slow_scan),
)


def actions(watched: Path, *, slow: bool = False) -> tuple[Action, ...]:
    """The drill's actions with marks of their own; ``watched`` is a folder the host sensor watches.

    ``slow`` are those that take half an hour, weigh on the machine or, as ``weak-tls`` does, raise an alert
    that shuts the gate of transfers (NET-08) until it is closed; they come instead of the others.
    """
    nonce = secrets.token_hex(4)
    answers: dict[str, Any] = tomllib.loads((ROOT / "playbooks" / "drill.toml").read_text("utf-8"))
    if slow:
        return tuple(_loopback(step, answers["slow"], nonce, drill_frames.missing) for step in _SLOW)
    return (
        *_plain(watched, nonce, answers),
        *(_loopback(step, answers, nonce) for step in _CONVERSATIONS),
        *(_loopback(step, answers, nonce, drill_frames.missing) for step in _FRAMES),
    )


def _loopback(step: Step, answers: dict[str, Any], nonce: str, needs: Needs = lambda: None) -> Action:
    name, chinese, english, act = step
    mark = f"{nonce}{name[0]}{len(name)}"
    address = drill_frames.elsewhere(mark) if name == "foreign-address" else drill_frames.here(mark)
    return Action(
        name=name,
        source=_LOOPBACK,
        title=Words(chinese, english),
        rules=_rules(answers, name),
        marker=f'"{address}"',
        act=partial(act, mark),
        needs=needs,
    )


def _plain(watched: Path, nonce: str, answers: dict[str, Any]) -> tuple[Action, ...]:
    port = drill_actions.free_port()
    return (
        Action(
            name="failed-login",
            source="logins:btmp",
            title=Words("登录失败(nobody,错误口令)", "failed login (nobody, wrong password)"),
            rules=_rules(answers, "failed-login"),
            marker="nobody",
            act=drill_actions.failed_login,
            needs=drill_actions.login_tools_missing,
        ),
        Action(
            name="connection-burst",
            source="capture:lo",
            title=Words("对本机关闭端口的连接突发", "a burst of connections to closed loopback ports"),
            rules=_rules(answers, "connection-burst"),
            marker=f'"{drill_frames.here(nonce)}"',
            act=partial(drill_actions.connection_burst, drill_frames.here(nonce)),
        ),
        Action(
            name="tunnel-names",
            source="capture:lo",
            title=Words("形似 DNS 隧道的域名查询", "names that look like a DNS tunnel"),
            rules=_rules(answers, "tunnel-names"),
            marker="t.drill.invalid",
            act=lambda: drill_actions.tunnel_names(nonce),
        ),
        Action(
            name="new-listener",
            source="listeners",
            title=Words("新增监听端口", "a new listening port"),
            rules=_rules(answers, "new-listener"),
            marker=f'"server.port":{port}',
            act=lambda: drill_actions.new_listener(port),
        ),
        Action(
            name="changed-file",
            source="file-integrity",
            title=Words("受监视文件被改动", "a watched file is changed"),
            rules=_rules(answers, "changed-file"),
            marker=f"drill-{nonce}",
            act=lambda: drill_actions.changed_file(watched, nonce),
        ),
        Action(
            name="suspicious-command",
            source="processes",
            title=Words("可疑但无害的命令行", "a suspicious-looking but harmless command line"),
            rules=_rules(answers, "suspicious-command"),
            marker=nonce,
            act=lambda: drill_actions.suspicious_command(nonce),
        ),
    )


def _rules(answers: dict[str, Any], name: str) -> tuple[str, ...]:
    return tuple(answers[name])
