"""``liuhe center init|run|stop|status|check|account``: make, run and look after a center."""

import argparse
import contextlib
import getpass
import json
import os
import select
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final

from crypto.words import LiuheError, Refused, Words
from soc_api import account_commands, registry_commands, sensor_commands
from soc_api.arguments import folder

if TYPE_CHECKING:
    from soc_api.run import FirstLogin
    from soc_api.settings import Settings

STOP_SECONDS_MAX: Final = 40.0
DETACH_SECONDS_MAX: Final = 90.0


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``center`` to the command line."""
    top = subparsers.add_parser("center", help=str(Words("监管中心", "the center")))
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    init = _verb(verbs, "init", Words("在目录中建立监管中心", "make a center in a folder"), run_init)
    run = _verb(verbs, "run", Words("运行监管中心", "run the center"), run_run)
    for parser in (init, run):
        parser.add_argument("--console-port", type=int, metavar="PORT", help="8600")
        parser.add_argument("--ingest-port", type=int, metavar="PORT", help="8610")
    run.add_argument(
        "--init", action="store_true", help=str(Words("没有则先建立", "make it first if absent"))
    )
    run.add_argument("--detach", action="store_true", help=str(Words("在后台运行", "run in the background")))
    run.add_argument(
        "--local-sensors",
        action="store_true",
        help=str(Words("登记并运行本机主机与网络传感器", "enrol and run host and network sensors here")),
    )
    run.add_argument(
        "--drill",
        action="store_true",
        help=str(Words("首次启动后运行演练", "run the drill after the first start")),
    )
    run.add_argument(
        "--roles", help=str(Words("只在前台运行这些角色(逗号分隔)", "run only these roles, comma-separated"))
    )
    stop = _verb(verbs, "stop", Words("停止后台运行的中心", "stop the center"), run_stop)
    stop.add_argument(
        "--wipe-keys",
        default="",
        metavar="CENTER",
        help=str(
            Words(
                "停用:随后清除全部密钥,密文再不可读;须写出中心编号",
                "decommission: then wipe every key, sealed data is lost for good; name the center's id",
            )
        ),
    )
    status = _verb(verbs, "status", Words("运行状态", "whether and how it runs"), run_status)
    status.add_argument("--json", action="store_true")
    _verb(
        verbs,
        "check",
        Words("检查配置、密钥、规则与清单", "check configuration, keys, rules, checklist"),
        run_check,
    )
    _register_desk(verbs)
    sensor_commands.register(verbs)
    registry_commands.register(verbs)
    account_commands.register(verbs)


def _register_desk(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Letting sensors in and out."""
    token = _verb(
        verbs,
        "token",
        Words("发放传感器一次性登记令牌", "give a one-time token that enrols a sensor"),
        run_token,
    )
    token.add_argument("--unit", default="", help=str(Words("传感器所属单位", "the sensor's unit")))
    token.add_argument("--hours", type=int, default=24, help=str(Words("有效小时数", "hours it is valid")))
    token.add_argument(
        "--address",
        action="append",
        default=[],
        metavar="HOST:PORT",
        help=str(Words("传感器用来连接的地址,可多次给出", "how the sensor reaches the center; repeatable")),
    )
    revoke = _verb(verbs, "revoke", Words("吊销传感器", "revoke a sensor"), run_revoke)
    revoke.add_argument("sensor")
    revoke.add_argument(
        "--reason", default="", metavar="TEXT", help=str(Words("吊销原因", "why it is revoked"))
    )
    move = _verb(verbs, "move", Words("把传感器移到另一单位或分组", "move a sensor elsewhere"), run_move)
    move.add_argument("sensor")
    move.add_argument("--unit", required=True, help=str(Words("新的单位", "the unit it belongs to now")))
    move.add_argument("--group", default="", help=str(Words("新的分组", "the group it belongs to now")))
    drain = _verb(
        verbs,
        "drain",
        Words("收完余下的事件后不再接收", "take what a sensor still has, then nothing more"),
        run_drain,
    )
    drain.add_argument("sensor")
    resume = _verb(
        verbs, "resume", Words("恢复接收已排空的传感器", "take a drained sensor up again"), run_resume
    )
    resume.add_argument("sensor")


def _verb(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, words: Words, run: object
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=str(words), description=str(words))
    parser.add_argument(
        "--data", type=folder, default=Path("var/center"), help=str(Words("数据目录", "data folder"))
    )
    parser.set_defaults(run=run)
    return parser


def run_init(options: argparse.Namespace) -> int:
    """Make a center and print its first login."""
    from soc_api.folders import FIRST_ACCOUNT, create

    password = create(options.data, _chosen_settings(options))
    print(Words(f"监管中心已建立:{options.data}", f"center made: {options.data}"), file=sys.stderr)
    again = f"liuhe center setup --data {options.data}"
    print(Words(f"指定三员:{again}", f"to name the three administrators: {again}"), file=sys.stderr)
    print(f"{FIRST_ACCOUNT} {password}")
    return 0


def run_run(options: argparse.Namespace) -> int:
    """Run in the foreground, in the background, or one process's roles."""
    from soc_api.run import run_center, run_roles

    if options.roles:
        return run_roles(options.data, options.roles)
    first_login = None
    if options.init:
        first_login = _init_if_absent(options)
    if first_login is None:
        _tell_unheard_ports(options)
    if options.detach:
        return _detach(options, first_login)
    return run_center(
        options.data, local_sensors=options.local_sensors, drill=options.drill, first_login=first_login
    )


def run_stop(options: argparse.Namespace) -> int:
    """Ask the running center to stop and wait until it has."""
    from soc_api.supervisor import running_pid

    pid = running_pid(options.data / "run")
    if pid is None and options.wipe_keys:
        return _wipe_keys(options)
    if pid is None:
        raise Refused(
            "center-not-running",
            Words("监管中心没有在运行", "the center is not running"),
            Words("无需停止", "nothing to stop"),
            field=str(options.data),
        )
    with contextlib.suppress(ProcessLookupError):  # it ended by itself just now
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS_MAX
    while running_pid(options.data / "run") == pid:
        if time.monotonic() > deadline:
            raise LiuheError(
                "center-not-stopping",
                Words(f"进程 {pid} 未在限时内停止", f"process {pid} did not stop in time"),
                Words("请查看日志后再试", "read the log and try again"),
                field=str(options.data / "logs"),
            )
        time.sleep(0.1)
    print(Words("已停止", "stopped"), file=sys.stderr)
    return _wipe_keys(options) if options.wipe_keys else 0


def _wipe_keys(options: argparse.Namespace) -> int:
    """Crypto-erase: what is sealed stays sealed for ever."""
    from soc_api.decommission import wipe_keys

    for name in wipe_keys(options.data, options.wipe_keys, actor=f"local:{getpass.getuser()}"):
        print(name)
    print(Words("密钥已清除,中心不可恢复", "keys are wiped, the center cannot come back"), file=sys.stderr)
    return 0


def run_status(options: argparse.Namespace) -> int:
    """Whether it runs, where, and what it holds; exit 1 where it does not run."""
    from soc_api.status import status_of

    status = status_of(options.data)
    if options.json:
        print(json.dumps(status, ensure_ascii=False))
    else:
        for key, value in status.items():
            print(f"{key}: {value}")
    return 0 if status["running"] else 1


def run_check(options: argparse.Namespace) -> int:
    """Everything a start would stumble over, all of it at once; exit 1 where there is something."""
    from soc_api.status import problems_of

    problems = problems_of(options.data)
    for problem in problems:
        print(problem)
    print(Words(f"{len(problems)} 个问题", f"{len(problems)} problems"), file=sys.stderr)
    return 1 if problems else 0


def run_token(options: argparse.Namespace) -> int:
    """Print a one-time enrolment token; the sensor's side is ``liuhe sensor enroll --token-file -``."""
    from soc_api.desk import give_token

    actor = f"local:{getpass.getuser()}"
    print(
        give_token(
            options.data, unit=options.unit, addresses=options.address, hours=options.hours, actor=actor
        )
    )
    return 0


def run_revoke(options: argparse.Namespace) -> int:
    """Refuse a sensor from now on; its open connection ends within a minute."""
    from soc_api.desk import revoke

    revoke(options.data, options.sensor, reason=options.reason, actor=f"local:{getpass.getuser()}")
    print(Words(f"已吊销 {options.sensor}", f"revoked {options.sensor}"), file=sys.stderr)
    return 0


def run_move(options: argparse.Namespace) -> int:
    """Let what a sensor sends from now on belong to another unit."""
    from soc_api.desk import move

    actor = f"local:{getpass.getuser()}"
    move(options.data, options.sensor, unit=options.unit, group=options.group, actor=actor)
    print(Words(f"已移到 {options.unit}", f"moved to {options.unit}"), file=sys.stderr)
    return 0


def run_drain(options: argparse.Namespace) -> int:
    """Take the rest of a sensor; once nothing waits there, everything is refused."""
    from soc_api.desk import drain

    drain(options.data, options.sensor, actor=f"local:{getpass.getuser()}")
    print(Words(f"正在排空 {options.sensor}", f"draining {options.sensor}"), file=sys.stderr)
    return 0


def run_resume(options: argparse.Namespace) -> int:
    """End draining."""
    from soc_api.desk import resume

    resume(options.data, options.sensor, actor=f"local:{getpass.getuser()}")
    print(Words(f"恢复接收 {options.sensor}", f"{options.sensor} is taken up again"), file=sys.stderr)
    return 0


def _chosen_settings(options: argparse.Namespace) -> "Settings":
    import msgspec

    from soc_api.settings import Settings, parse_settings, render_settings

    settings = Settings()
    for name in ("console", "ingest"):
        port = getattr(options, f"{name}_port")
        if port is not None:
            section = msgspec.structs.replace(getattr(settings, name), port=port)
            settings = msgspec.structs.replace(settings, **{name: section})
    # Through the strict reader, so that a port from the command line is checked like one from the file.
    return parse_settings(render_settings(settings).encode(), "--console-port/--ingest-port")


def _tell_unheard_ports(options: argparse.Namespace) -> None:
    """Ports on the command line are for making a center; one that exists has its own in center.toml."""
    from soc_api.settings import load_settings

    settings = load_settings(options.data)
    for name, found in (("console", settings.console.port), ("ingest", settings.ingest.port)):
        if getattr(options, f"{name}_port") not in (None, found):
            print(
                Words(
                    f"--{name}-port 只用于新建;现用 {found},请改 center.toml 的 {name}.port",
                    f"--{name}-port is for a new center; this one has {found}, set in center.toml",
                ),
                file=sys.stderr,
            )


def _init_if_absent(options: argparse.Namespace) -> "FirstLogin | None":
    from soc_api.folders import FIRST_ACCOUNT, Folders, create
    from soc_api.run import FirstLogin

    if Folders(options.data).config.exists():
        return None
    password = create(options.data, _chosen_settings(options))
    return FirstLogin(FIRST_ACCOUNT, password, account_commands.setup_token(options.data))


def _detach(options: argparse.Namespace, first_login: "FirstLogin | None") -> int:
    """Run in the background and return once it serves; the parent prints what the child would have."""
    from soc_api.run import login_line, summary, wait_until_serving
    from soc_api.supervisor import already_running, running_pid

    run = options.data / "run"
    if running_pid(run) is not None:  # asked before the fork: that one would pass for the one started here
        raise already_running(run)
    reading, writing = os.pipe()  # the center holds the other end for as long as it lives
    if os.fork() == 0:
        code = LiuheError.exit_code
        try:
            os.setsid()
            if os.fork():
                os._exit(0)
            os.close(reading)
            _become_background(options.data / "logs" / "center.log")
            code = run_run_quietly(options)
        finally:
            os._exit(code)
    os.wait()
    os.close(writing)
    try:
        wait_until_serving(
            options.data,
            seconds_max=DETACH_SECONDS_MAX,
            alive=lambda: not select.select([reading], [], [], 0)[0],
        )
    except LiuheError:
        if first_login:
            print(login_line(first_login))  # the center was made all the same, and nobody can ask again
        raise
    finally:
        os.close(reading)
    for line in summary(options.data, first_login):
        print(line)
    return 0


def run_run_quietly(options: argparse.Namespace) -> int:
    """The background half of --detach: errors become one line in the log."""
    from soc_api.run import run_center

    try:
        return run_center(
            options.data, local_sensors=options.local_sensors, drill=options.drill, first_login=None
        )
    except LiuheError as error:
        print(error, file=sys.stderr, flush=True)
        return error.exit_code
    except Exception:  # noqa: BLE001 -- the last line of defence of a process of its own
        traceback.print_exc()
        return LiuheError.exit_code


def _become_background(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file, Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
