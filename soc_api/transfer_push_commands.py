"""``liuhe transfer push`` and ``liuhe transfer peer``: carry an exported package over the network."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from crypto.keys_commands import say
from crypto.words import BadInput, Refused, Words
from soc_api.arguments import folder

if TYPE_CHECKING:
    from soc_api.transfer_desk import Parts
    from soc_api.transfer_push import Progress

_PORT_MAX = 65535


def add_push(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add both to the commands of transfers."""
    text = Words("在线推送已导出的数据包,取回回执", "push an exported package online, bring its receipt back")
    made = actions.add_parser("push", help=str(text))
    made.add_argument(
        "--data",
        type=folder,
        required=True,
        metavar="DIR",
        help=str(Words("监管中心的数据目录", "the center's data folder")),
    )
    made.add_argument(
        "--to",
        required=True,
        metavar="HOST:PORT",
        help=str(Words("接收中心的传输端口", "the receiver's transfer port")),
    )
    made.add_argument(
        "--package",
        type=Path,
        required=True,
        metavar="FILE",
        help=str(Words("已导出的数据包", "the exported package")),
    )
    made.set_defaults(run=_push)
    text = Words("为一个中心签发传输证书", "issue the certificates of a center for online transfers")
    made = actions.add_parser("peer", help=str(text))
    made.add_argument("center", metavar="NAME", help=str(Words("中心名称,同通道登记", "as channels name it")))
    made.add_argument(
        "--authority",
        type=Path,
        required=True,
        metavar="DIR",
        help=str(Words("传输 CA 目录,没有则新建", "the transfer CA, made where there is none")),
    )
    made.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="DIR",
        help=str(Words("证书与密钥的目录", "where keys and certificates go")),
    )
    made.set_defaults(run=_peer)


def push_package(parts: "Parts", package: Path, to: str, progress: "Progress | None" = None) -> str:
    """Push an exported package of this center and take its receipt up; the transfer's state after it.

    For the command and for the console. Raises Refused, BadInput, LiuheError (transfer-interrupted).
    """
    from soc_api.transfer_ferry import glance, opened
    from soc_api.transfer_peers import FOLDER, client_link
    from soc_api.transfer_push import Target, push
    from soc_api.transfer_road import RoadService

    host, port = address(to)
    with opened(package) as file:
        name = glance(file).package
    with parts.store.reading() as acts:
        transfer = acts.outgoing(name)
    if not transfer.exports:
        raise _not_exported(name)
    channel = parts.channels.find("out", transfer.request.channel)
    link = client_link(parts.ferry.folder / FOLDER)
    pushed = push(package, Target(host, port, channel.receiver), link, progress=progress)
    _, state = RoadService(parts).take_receipt(channel, pushed.receipt, datetime.now(UTC))
    return state


def address(text: str) -> tuple[str, int]:
    """Host and port of ``HOST:PORT``. Raises BadInput."""
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit() and len(port) < 6 and 0 < int(port) <= _PORT_MAX):
        raise BadInput(
            "transfer-address",
            Words("地址应为 主机:端口", "the address must be HOST:PORT"),
            Words("例如 10.0.0.2:8620", "such as 10.0.0.2:8620"),
            field="to",
        )
    return host.strip("[]"), int(port)


def _push(chosen: argparse.Namespace) -> int:
    from soc_api.transfer_commands import parts_of

    with parts_of(chosen.data) as parts:
        state = push_package(parts, chosen.package, chosen.to, _Shown())
    print(f"{chosen.package.name}\t{state}")
    return 1 if state == "rejected" else 0


def _peer(chosen: argparse.Namespace) -> int:
    from soc_api.transfer_peers import issue_peer

    issue_peer(chosen.authority, chosen.center, chosen.output, datetime.now(UTC))
    print(chosen.output)
    return 0


class _Shown:
    """Tenths of long work on stderr, where a person watches."""

    def __init__(self) -> None:
        self._tenth = 0

    def __call__(self, done: int, total: int) -> None:
        tenth = 10 * done // total if total else 0
        if tenth > self._tenth and sys.stderr.isatty():
            self._tenth = tenth
            say(Words(f"推送 {tenth}0%", f"pushed {tenth}0%"))


def _not_exported(name: str) -> Refused:
    return Refused(
        "transfer-not-exported",
        Words("尚未导出,或已确认送达而清除", "not exported yet, or confirmed and cleared away"),
        Words("请先导出", "export it first"),
        field=name,
    )
