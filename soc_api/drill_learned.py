"""Steps for detectors that must have learned first: ``liuhe drill --learned``.

Each asks beforehand whether its detector can have learned by now, and says so where it cannot. What is done
is as harmless as the other steps: copies of ``sleep`` in a folder of their own, frames that nobody takes up,
connections between addresses of the loopback.
"""

import secrets
import shutil
import subprocess
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final

from crypto.words import Words
from detection.anomaly.model_acts import last_acts
from detection.special.detectors import SpecialParameters, special_parameters
from rules import ROOT
from soc_api import drill_frames
from soc_api.drill_actions import HOLD_SECONDS, Action, knock_on

ANSWER_SECONDS_MAX: Final = 240.0  # a window of a minute closes late, and is judged after that
_LETTERS: Final = str.maketrans("0123456789", "ghijklmnop")
_ADMINISTRATION: Final = 3_389
_SCREEN: Final = bytes(600)  # more than a refused try answers
_TARGETS: Final = 4
_PORTS: Final = 160
_HOSTS: Final = 6
_STARTS: Final = 70
_ROLLING_SECONDS: Final = 75.0  # a whole window of a minute lies within

Needs = Callable[[], Words | None]
_Act = Callable[[str], None]


def learned_actions(data: Path, since: datetime | None, now: datetime) -> tuple[Action, ...]:
    """The steps of a center whose sensors are known ``since`` then; with marks of their own."""
    parameters = special_parameters(data / "lists" / "special.toml")
    answers: dict[str, Any] = tomllib.loads((ROOT / "playbooks" / "drill.toml").read_text("utf-8"))["learned"]
    nonce = secrets.token_hex(4)
    known = timedelta() if since is None else now - since
    steps = (*_programs(parameters, known), *_network(parameters, known), *_windows(data))
    return tuple(
        _action(step, answers[step[0]], f"{nonce}e{number}", parameters) for number, step in enumerate(steps)
    )


# Name, Chinese title, English title, the source that sees it, act by its mark, what it needs.
_Step = tuple[str, str, str, str, _Act, Needs]


def _programs(parameters: SpecialParameters, known: timedelta) -> Iterator[_Step]:
    needs = _learning(known, timedelta(hours=parameters.rare_process.learning_hours))
    yield (
        "rare-place",
        "运行临时目录中的新程序",
        "a new program in a temporary folder",
        "processes",
        odd,
        needs,
    )
    yield "rare-child", "服务派生新的子进程", "a new child of a service", "processes", child, needs


def _network(parameters: SpecialParameters, known: timedelta) -> Iterator[_Step]:
    lo, frames = "capture:lo", drill_frames.missing
    moved = _either(frames, _learning(known, timedelta(days=parameters.lateral.learning_days)))
    wired = _either(frames, _learning(known, timedelta(days=parameters.control_plane.learning_days)))
    yield "lateral-first", "首次连接一个管理端口", "a first visit to an administration port", lo, visit, moved
    around = partial(visit, targets=_TARGETS)
    yield "lateral-fan-out", "首次连接多个管理端口", "first visits to several of them", lo, around, moved
    yield "rogue-router", "新的 IPv6 路由器公告", "a new router announces itself", lo, router, wired
    yield "rogue-dhcp", "新的 DHCP 服务器", "a new DHCP server answers", lo, server, wired
    other = partial(server, gateways=(1, 2))
    yield "dhcp-settings", "DHCP 下发另一网关", "a DHCP server gives another gateway", lo, other, wired
    isolated = parameters.outside_link.isolated
    leave = partial(_leave, network=isolated[0] if isolated else "")
    needs = _either(frames, lambda: None if isolated else _NOT_ISOLATED)
    yield "isolated-outside", "隔离网段外联", "an isolated network goes outside", lo, leave, needs


def _windows(data: Path) -> Iterator[_Step]:
    lo = "capture:lo"
    yield (
        "source-window",
        "一分钟内异常的网络行为",
        "a minute unlike others on the network",
        lo,
        burst,
        partial(_no_model, data, "source"),
    )
    yield (
        "host-window",
        "一分钟内异常的主机行为",
        "a minute unlike others on the host",
        "processes",
        rolling,
        partial(_no_model, data, "host"),
    )


_NOT_ISOLATED: Final = Words(
    "未配置隔离网段(lists/special.toml 的 outside_link.isolated)",
    "no isolated network is set (outside_link.isolated of lists/special.toml)",
)


def odd(mark: str) -> None:
    """A program that this machine never ran, from a folder of its own below the temporary one."""
    with _copies(mark, letters(mark)) as (program,):
        subprocess.run([program, f"{HOLD_SECONDS:.0f}"], timeout=HOLD_SECONDS * 5, check=False)


def child(mark: str) -> None:
    """A shell by the name of a web server starts a program that this machine never ran."""
    with _copies(mark, letters(mark)) as (program,):
        shell = Path(program).with_name("nginx")
        shutil.copy("/bin/sh", shell)
        # A second command keeps the shell: it would exec a last one away.
        text = f"{program} {HOLD_SECONDS:.0f}; true"
        subprocess.run([str(shell), "-c", text], timeout=HOLD_SECONDS * 5, check=False)


def visit(mark: str, *, targets: int = 1) -> None:
    """Conversations with administration ports that nobody opened."""
    for number in range(targets):
        target = f"127.200.1.{number + 1}"
        said = (b"hello",)
        drill_frames.send(
            drill_frames.conversation(drill_frames.here(mark), target, _ADMINISTRATION, said, _SCREEN)
        )


def router(mark: str) -> None:
    """A router's announcement that no machine takes up."""
    drill_frames.send([drill_frames.announced(mark)])


def server(mark: str, *, gateways: tuple[int, ...] = (1,)) -> None:
    """A DHCP server's answers that no machine takes up."""
    drill_frames.send((drill_frames.leased(mark, gateway) for gateway in gateways), every_seconds=0.2)


def _leave(mark: str, *, network: str) -> None:
    source, target = isolated_address(mark, network), drill_frames.elsewhere(mark)
    drill_frames.send(drill_frames.conversation(source, target, 443, (b"hello",), b"there"))


def burst(mark: str) -> None:
    """Knocks at many closed ports of several addresses, by the kernel's own refusal."""
    for number in range(_HOSTS):
        knock_on(drill_frames.here(mark), f"127.201.0.{number + 1}", range(21_000, 21_000 + _PORTS))


def rolling(mark: str) -> None:
    """New programs one after the other, for a whole window and a little more."""
    with _copies(mark, *(f"{letters(mark)}{letters(f'{number:02d}')}" for number in range(_STARTS))) as all_:
        for program in all_:
            subprocess.run([program, "0.2"], timeout=HOLD_SECONDS, check=False)
            time.sleep(max(0.0, _ROLLING_SECONDS / _STARTS - 0.2))


def letters(mark: str) -> str:
    """The mark without digits, which a detector of programs takes for version numbers."""
    return f"drill{mark.translate(_LETTERS)}"


def isolated_address(mark: str, network: str) -> str:
    """An address of the network, made from the mark."""
    whole = ip_network(network)
    place = int.from_bytes(mark.encode(), "big") % max(1, whole.num_addresses - 2)
    return str(whole[min(1 + place, whole.num_addresses - 1)])


@contextmanager
def _copies(mark: str, *names: str) -> Iterator[list[str]]:
    """Copies of ``sleep`` under other names, gone when the block ends."""
    sleep = shutil.which("sleep") or "/bin/sleep"
    with tempfile.TemporaryDirectory(prefix=f"liuhe-drill-{mark}-", dir="/tmp") as folder:
        made = [str(shutil.copy(sleep, Path(folder) / name)) for name in names]
        yield made


def _learning(known: timedelta, needed: timedelta) -> Needs:
    def missing() -> Words | None:
        if known >= needed:
            return None
        have, wanted = known / timedelta(hours=1), needed / timedelta(hours=1)
        return Words(
            f"检测器学习 {wanted:.0f} 小时后才会告警,传感器至今 {have:.1f} 小时",
            f"the detector tells after {wanted:.0f} h of learning; the sensors are known for {have:.1f} h",
        )

    return missing


def _no_model(data: Path, kind: str) -> Words | None:
    _, acts = last_acts(data / "models", 10_000)
    if any(act.kind == kind and act.act == "promoted" for act in acts):
        return None
    return Words("该类模型仍在学习", "the model of this kind is still learning")


def _either(*needs: Needs) -> Needs:
    return lambda: next((why for need in needs if (why := need()) is not None), None)


def _action(step: _Step, rules: list[str], mark: str, parameters: SpecialParameters) -> Action:
    name, chinese, english, source, act, needs = step
    return Action(
        name=name,
        source=source,
        title=Words(chinese, english),
        rules=tuple(rules),
        marker=_marker(name, source, mark, parameters),
        act=partial(act, mark),
        needs=needs,
        answer_seconds=ANSWER_SECONDS_MAX,
    )


def _marker(name: str, source: str, mark: str, parameters: SpecialParameters) -> str:
    if source == "processes":
        return letters(mark)
    if name == "rogue-router":
        return f'"{drill_frames.router_address(mark)}"'
    if name == "isolated-outside" and parameters.outside_link.isolated:
        return f'"{isolated_address(mark, parameters.outside_link.isolated[0])}"'
    return f'"{drill_frames.here(mark)}"'
