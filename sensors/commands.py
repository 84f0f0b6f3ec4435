"""``liuhe sensor enroll | run | status | read``; packets, spool and service have files of their own."""

import argparse
import fcntl
import getpass
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any, Final

import msgspec

from crypto.words import BadInput, Words
from sensors import service_commands
from sensors.network.packet_commands import register_packets
from sensors.spool_commands import register_spool

_TOKEN_CHARS_MAX: Final = 4_096


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the sub-command; what runs it is imported when it runs."""
    sensor = subparsers.add_parser(
        "sensor",
        help=str(Words("传感器:注册、运行、服务、升级", "sensor: enrol, run, service, upgrade")),
    )
    commands = sensor.add_subparsers(dest="sensor_command", metavar="COMMAND", required=True)
    _register_enroll(commands)
    run = commands.add_parser("run", help=str(Words("运行到收到 SIGTERM 为止", "run until SIGTERM")))
    _add_data(run)
    run.set_defaults(run=_run)
    status = commands.add_parser(
        "status", help=str(Words("状态;未在运行时退出码为 1", "its state; exit 1 where it does not run"))
    )
    _add_data(status)
    status.add_argument("--json", action="store_true", help=str(Words("输出 JSON", "print JSON")))
    status.set_defaults(run=_status)
    register_spool(commands)
    read = commands.add_parser(
        "read",
        help=str(
            Words("离线读 pcap、evtx 或日志,输出 NDJSON", "read a pcap, evtx or log file, print NDJSON")
        ),
    )
    read.add_argument("file", type=Path, metavar="FILE")
    read.set_defaults(run=_read)
    register_packets(commands)
    service_commands.register(commands)


def _register_enroll(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    why = Words(
        "令牌是一次性秘密。请用 --token-file 或标准输入给出:"
        "命令行参数会留在 shell 历史中,本机其他用户也能用 ps 看到。",
        "The token is a one-time secret. Give it by --token-file or on stdin: an argument stays in the "
        "shell's history, and other users of this machine see it in ps.",
    )
    enroll = commands.add_parser(
        "enroll", help=str(Words("向中心注册本机", "enrol this machine at a center")), description=str(why)
    )
    _add_data(enroll)
    enroll.add_argument(
        "--center",
        default="",
        metavar="HOST:PORT",
        help=str(Words("中心地址,默认取自令牌", "the center's address; default: the token's")),
    )
    given = enroll.add_mutually_exclusive_group()
    given.add_argument(
        "--token-file",
        metavar="FILE",
        help=str(Words("含令牌的文件,- 为标准输入(默认)", "a file with the token, - is stdin (default)")),
    )
    given.add_argument(
        "--token", help=str(Words("令牌本身;不建议,见上", "the token itself; not advised, see above"))
    )
    enroll.add_argument("--kind", choices=["host", "network"], required=True)
    enroll.add_argument(
        "--id",
        default="",
        metavar="NAME",
        help=str(Words("传感器名字,默认 主机名-类型", "the sensor's id; default: hostname-kind")),
    )
    enroll.set_defaults(run=_enroll)


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help=str(Words("传感器的数据目录", "the sensor's data folder")),
    )


def _enroll(options: argparse.Namespace) -> int:
    from sensors.enrol import enrol

    settings = enrol(
        options.data,
        _token(options.token, options.token_file),
        kind=options.kind,
        sensor=options.id,
        center=options.center,
    )
    done = Words(
        f"已注册为 {settings.id},单位 {settings.unit}。运行:liuhe sensor run --data {options.data}",
        f"enrolled as {settings.id} of {settings.unit}. Next: liuhe sensor run --data {options.data}",
    )
    print(done, file=sys.stderr)
    return 0


def _token(given: str | None, file: str | None) -> str:
    """The token's text from where the user put it."""
    if given is not None:
        return given
    if file is None and sys.stdin.isatty():
        return getpass.getpass(str(Words("令牌:", "token: ")))
    if file is None or file == "-":
        return sys.stdin.read(_TOKEN_CHARS_MAX)
    try:
        with Path(file).open(encoding="utf-8") as source:
            return source.read(_TOKEN_CHARS_MAX)
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            "token-file",
            Words("令牌文件读不出", "the token file cannot be read"),
            Words("请检查路径和权限", "check path and permissions"),
            field=file,
        ) from error


def _run(options: argparse.Namespace) -> int:
    """Until SIGTERM or SIGINT, or SIGUSR1 of the center whose child it is.

    SIGHUP, a new configuration or the sensor's own limits start it anew.
    """
    from sensors.sensor import run

    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(message)s")
    stop, restart, with_center = threading.Event(), threading.Event(), threading.Event()

    def end(number: int, _: object) -> None:
        if number == signal.SIGUSR1:
            with_center.set()
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        signal.signal(number, end)
    signal.signal(signal.SIGHUP, lambda *_: restart.set())
    if run(options.data, stop, restart, with_center) and not stop.is_set():
        again = service_commands.again_command(sys.orig_argv)
        logging.getLogger(__name__).info("starting anew")
        os.execv(again[0], again)  # noqa: S606 - our own program with its own arguments
    return 0


def _status(options: argparse.Namespace) -> int:
    from sensors.heartbeat import read_status
    from sensors.settings import load_settings

    settings = load_settings(options.data)
    running = _is_running(options.data)
    status = read_status(options.data / "run")
    facts: dict[str, Any] = {
        "id": settings.id,
        "unit": settings.unit,
        "kind": settings.kind,
        "center": settings.center,
        "running": running,
        "certificate_expires": _expiry(options.data / "keys" / "sensor.pem"),
    }
    if status is not None:
        facts |= {key: value for key, value in msgspec.to_builtins(status).items() if key not in facts}
    if options.json:
        print(msgspec.json.encode(facts).decode())
        return 0 if running else 1
    for key, value in facts.items():
        if key in {"uplink", "trouble"} and value is not None:
            print(f"{key}: {Words(*value)}")
        elif key != "sources":
            print(f"{key}: {_plain(value)}")
    for one in status.sources if status is not None else []:
        print(f"source {one.name}: {one.state} {one.detail}".rstrip())
    return 0 if running else 1


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{key}={one}" for key, one in value.items())
    return "-" if value is None else str(value)


def _expiry(certificate: Path) -> str:
    from crypto.x509 import read_certificates

    try:
        return read_certificates(certificate.read_bytes())[0].not_after.isoformat()
    except FileNotFoundError:
        return ""


def _is_running(data: Path) -> bool:
    """Whether a process holds the spool's lock."""
    try:
        with (data / "spool" / "alerts" / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def _read(options: argparse.Namespace) -> int:
    from sensors.event import encode, stamp
    from sensors.read import read_file

    counts: dict[str, int] = {}
    out = sys.stdout.buffer
    for sequence, seen in enumerate(read_file(options.file), start=1):
        event = stamp(seen, unit="file", sensor="file", epoch=1, sequence=sequence)
        out.write(encode(event) + b"\n")
        dataset = str(seen.fields.get("event.dataset", "-"))
        counts[dataset] = counts.get(dataset, 0) + 1
    out.flush()
    total = sum(counts.values())
    parts = ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "-"
    print(Words(f"{total} 个事件:{parts}", f"{total} events: {parts}"), file=sys.stderr)
    return 0
