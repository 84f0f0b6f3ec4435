"""``liuhe sensor install | uninstall | upgrade``: the sensor as a service of its machine."""

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from crypto.words import Words

PREFIX = "/opt/liuhe"


def register(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add the verbs to ``liuhe sensor``."""
    install = _verb(commands, "install", Words("装为 systemd 服务并启动", "install it as a systemd service"))
    install.add_argument(
        "--print", action="store_true", help=str(Words("只打印单元文件", "print the unit, change nothing"))
    )
    _add_prefix(install)
    install.set_defaults(run=_install)
    uninstall = _verb(commands, "uninstall", Words("停止并移除服务", "stop and remove the service"))
    uninstall.add_argument(
        "--purge",
        action="store_true",
        help=str(
            Words(
                "同时删除数据目录(密钥、证书、未发送的事件)与程序目录",
                "remove the data folder (key, certificate, unsent events) and the releases too",
            )
        ),
    )
    _add_prefix(uninstall)
    uninstall.set_defaults(run=_uninstall)
    upgrade = _verb(
        commands,
        "upgrade",
        Words("由签名升级包升级,失败自动退回", "upgrade from a signed bundle, taken back if it fails"),
    )
    upgrade.add_argument("bundle", type=Path, metavar="BUNDLE")
    upgrade.add_argument(
        "--older",
        action="store_true",
        help=str(Words("允许装更旧的版本", "allow an older release")),
    )
    upgrade.add_argument(
        "--seconds",
        type=float,
        default=90.0,
        metavar="N",
        help=str(Words("等新版本恢复心跳的时间", "how long the new release may take to come to life")),
    )
    _add_prefix(upgrade)
    upgrade.set_defaults(run=_upgrade)


def again_command(original: Sequence[str]) -> list[str]:
    """How to start this program once more: by its launcher, whose release may have changed, else as it was.

    ``original`` is ``sys.orig_argv``.
    """
    for at, word in enumerate(original[1:], start=1):
        if word.startswith("-"):
            continue
        path = Path(word)
        if path.is_absolute() and path.is_file() and os.access(path, os.X_OK):
            return [word, *original[at + 1 :]]
        break
    return [sys.executable, *original[1:]]


def _verb(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, words: Words
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=str(words))
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help=str(Words("传感器的数据目录", "the sensor's data folder")),
    )
    return parser


def _add_prefix(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--prefix",
        type=Path,
        default=PREFIX,
        metavar="DIR",
        help=str(Words("各版本程序所在目录", "where the releases of the program lie")),
    )


def _install(options: argparse.Namespace) -> int:
    from importlib.metadata import version

    from sensors.service import Placement, install, unit_text
    from sensors.settings import load_settings
    from sensors.upgrade import adopt, launcher

    data, prefix = options.data.absolute(), options.prefix.absolute()
    settings = load_settings(data)
    place = Placement(data, (str(launcher(prefix)),))
    if options.print:
        print(unit_text(settings, place), end="")
        return 0
    unit_text(settings, place)
    adopt(prefix, version("liuhe"))
    path = install(settings, place)
    print(Words(f"已安装并启动 {path.name}", f"installed and started {path.name}"), file=sys.stderr)
    return 0


def _uninstall(options: argparse.Namespace) -> int:
    import shutil

    from sensors.service import Placement, uninstall
    from sensors.settings import load_settings
    from sensors.upgrade import launcher, owned

    data, prefix = options.data.absolute(), options.prefix.absolute()
    settings = load_settings(data)
    place = Placement(data, (str(launcher(prefix)),))
    removed = uninstall(settings, place, purge=options.purge)
    if options.purge and owned(prefix):
        shutil.rmtree(prefix)
        removed.append(prefix)
    for path in removed:
        print(Words(f"已移除 {path}", f"removed {path}"), file=sys.stderr)
    for path in (data, prefix):
        if path.exists():
            print(Words(f"保留 {path}", f"kept {path}"), file=sys.stderr)
    return 0


def _upgrade(options: argparse.Namespace) -> int:
    from crypto.link_trust import LinkTrust
    from sensors.link import TRUST_NAME
    from sensors.service import UNIT_FOLDER, systemctl, unit_name
    from sensors.settings import load_settings
    from sensors.upgrade import check, take_into_use, unpack

    data, prefix = options.data.absolute(), options.prefix.absolute()
    settings = load_settings(data)
    trust = LinkTrust(data / "keys" / TRUST_NAME).store()
    manifest = unpack(options.bundle, prefix, trust, older=options.older, now=datetime.now(UTC))
    check(prefix, data, manifest.version)
    unit = unit_name(settings)

    def revive() -> None:
        if (UNIT_FOLDER / unit).exists():
            systemctl(["restart", unit])

    done = take_into_use(prefix, data, manifest.version, seconds=options.seconds, revive=revive)
    if done.restarted:
        words = Words(
            f"已由 {done.before} 升级到 {done.version},传感器运行正常",
            f"upgraded from {done.before} to {done.version}; the sensor runs",
        )
    else:
        words = Words(
            f"已由 {done.before} 升级到 {done.version};传感器未在运行,下次启动生效",
            f"upgraded from {done.before} to {done.version}, in effect at the next start: no sensor runs",
        )
    print(words, file=sys.stderr)
    return 0
