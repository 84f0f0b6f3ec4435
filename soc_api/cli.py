"""The one command ``liuhe``: finds the sub-command, runs it, turns errors into one line and an exit code.

Exit 0 done, 1 the answer is no, 2 usage, 3 the system failed. Data goes to stdout, words to stderr.
Sub-command modules are imported only when named, so that ``liuhe sensor`` stays small.
"""

import argparse
import contextlib
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from crypto.release import release
from crypto.words import LiuheError, Words

# word on the command line -> modules that register it
COMMANDS: Final[dict[str, tuple[str, ...]]] = {
    "center": ("soc_api.center_commands",),
    "sensor": ("sensors.commands",),
    "rules": ("detection.commands",),
    "detect": ("detection.commands",),
    "hunt": ("detection.hunt_commands",),
    "models": ("detection.anomaly.model_commands",),
    "audit": ("soc_api.audit_commands",),
    "evidence": ("compliance.evidence_commands",),
    "report": ("compliance.report_commands",),
    "drill": ("soc_api.drill_commands",),
    "keys": ("crypto.keys_commands",),
    "cert": ("crypto.cert_commands",),
    "transfer": ("soc_api.transfer_commands",),
}

OWN: Final = ("crypto", "sensors", "detection", "compliance", "soc_api", "rules")

EPILOG: Final = Words(
    "退出码:0 完成,1 结论为否,2 用法错误,3 系统故障。数据写标准输出,文字写标准错误。",
    "Exit codes: 0 done, 1 the answer is no, 2 usage, 3 the system failed. Data on stdout, words on stderr.",
)


def parser(modules: Sequence[str] | None = None) -> argparse.ArgumentParser:
    """The parser with the sub-commands of ``modules``; all of them where None."""
    top = argparse.ArgumentParser(
        prog="liuhe",
        description=str(Words("六合安全监管中心", "Liuhe security supervision center")),
        epilog=str(EPILOG),
    )
    top.add_argument("--version", action="version", version=f"liuhe {release()}")
    subparsers = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    wanted = (
        modules if modules is not None else sorted({name for names in COMMANDS.values() for name in names})
    )
    for name in wanted:
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if modules is not None or (error.name or "").split(".")[0] in OWN:
                raise
            continue  # a machine with a sensor alone lists what it can do
        module.register(subparsers)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; the console script's entry point."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    modules = COMMANDS.get(given[0]) if given else None
    try:
        options = parser(modules).parse_args(given)
        code = int(options.run(options))
        sys.stdout.flush()  # a reader that went away shall be noticed here, not when Python ends
        return code
    except LiuheError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # The reader of stdout went away (``liuhe … | head``): that is not a failure of ours.
        with contextlib.suppress(OSError), Path(os.devnull).open("wb") as nothing:
            os.dup2(nothing.fileno(), sys.stdout.fileno())
        return 0
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] in OWN:
            raise
        print(part_missing(error.name), file=sys.stderr)
        return LiuheError.exit_code
    except OSError as error:
        print(system_failure(error), file=sys.stderr)
        return LiuheError.exit_code


def system_failure(error: OSError) -> LiuheError:
    """An operating-system refusal as one clear line that names the path and the next step."""
    reason = error.strerror or str(error)
    return LiuheError(
        "system-failed",
        Words(f"系统调用失败:{reason}", f"the system refused: {reason}"),
        Words(
            "请检查磁盘空间、权限与端口占用后重试", "check disk space, permissions and ports, then try again"
        ),
        field=str(error.filename or ""),
    )


def part_missing(name: str) -> LiuheError:
    """A library that this installation was made without."""
    return LiuheError(
        "part-missing",
        Words("此安装不含该命令所需的组件", "this installation lacks a part that the command needs"),
        Words("请安装 liuhe[center](传感器:liuhe[sensor])", "install liuhe[center] (sensor: liuhe[sensor])"),
        field=name,
    )


if __name__ == "__main__":
    sys.exit(main())
