"""The sensor as a systemd service: the text of its unit, putting it in, taking it out.

The unit takes away what a sensor has no use for. It runs as the owner of the data folder, which need not be
root: the network sensor is given CAP_NET_RAW alone, the host sensor the three powers that let it read what
only root may read. Nothing but the data folder can be written.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from crypto.words import BadInput, LiuheError, Refused, Words
from sensors.limits import CPU_PERCENT, RSS_BYTES, LimitSettings
from sensors.segment_checkpoint import write_durably
from sensors.settings import Kind, Settings

UNIT_FOLDER: Final = Path("/etc/systemd/system")
WATCHDOG_SECONDS: Final = 60
_MIB: Final = 1024 * 1024
_SPARE: Final = 2  # the kernel's limit over our own: ours acts first and says why
_PLAIN: Final = re.compile(r"[A-Za-z0-9_./:@+,=-]+")
# What of root's powers a sensor of this kind uses, and for what.
CAPABILITIES: Final[dict[Kind, tuple[str, ...]]] = {
    # read any file, read any process's executable and sockets, take the kernel's process events
    "host": ("CAP_DAC_READ_SEARCH", "CAP_SYS_PTRACE", "CAP_NET_ADMIN"),
    "network": ("CAP_NET_RAW",),
}

Run = Callable[[Sequence[str]], int]


class Placement(NamedTuple):
    """Where a sensor lies and how it is started."""

    data: Path
    command: tuple[str, ...]
    folder: Path = UNIT_FOLDER


def unit_name(settings: Settings) -> str:
    """The unit's file name; two sensors of one machine have two."""
    return f"liuhe-sensor-{settings.id}.service"


def unit_text(settings: Settings, place: Placement) -> str:
    """The unit. Raises BadInput where a path holds what systemd would read otherwise."""
    words = [*place.command, "sensor", "run", "--data", str(place.data)]
    for word in words:
        if _PLAIN.fullmatch(word) is None:
            raise _bad_path(word)
    limits = settings.limits
    rss = (limits.rss_bytes_max or RSS_BYTES[settings.kind]) * _SPARE // _MIB
    return "\n".join(
        [
            f"# {unit_name(settings)}: written by liuhe sensor install; changes are lost at the next one.",
            "[Unit]",
            f"Description=Liuhe sensor {settings.id} ({settings.kind})",
            "After=network-online.target",
            "Wants=network-online.target",
            "StartLimitIntervalSec=600",
            "StartLimitBurst=20",
            "",
            "[Service]",
            "Type=notify",
            "NotifyAccess=main",
            f"ExecStart={' '.join(words)}",
            "ExecReload=/bin/kill -HUP $MAINPID",
            f"WatchdogSec={WATCHDOG_SECONDS}",
            "Restart=always",
            "RestartSec=5",
            "TimeoutStartSec=120",
            "TimeoutStopSec=15",
            "KillMode=mixed",
            "",
            f"User={_account(place)}",
            f"ReadWritePaths={place.data}",
            "UMask=0077",
            f"MemoryMax={rss}M",
            f"CPUQuota={round(_quota(limits, settings.kind))}%",
            "TasksMax=256",
            "LimitNOFILE=16384",
            "LimitCORE=0",
            "Nice=5",
            "OOMScoreAdjust=-200",
            "",
            *_hardening(settings.kind),
            *_by_kind(settings.kind),
            "",
            "[Install]",
            "WantedBy=multi-user.target",
            "",
        ]
    )


def install(settings: Settings, place: Placement, run: Run | None = None) -> Path:
    """Write the unit, and start it now and at every boot. Raises LiuheError, Refused."""
    call = run or systemctl
    path = place.folder / unit_name(settings)
    text = unit_text(settings, place)
    _need_root(place)
    try:
        write_durably(path, text.encode(), 0o644)
        path.chmod(0o644)
    except OSError as error:
        raise _failed(f"{path}: {error.strerror}") from error
    for arguments in (["daemon-reload"], ["enable", "--now", path.name], ["restart", path.name]):
        if call(arguments):
            raise _failed(f"systemctl {' '.join(arguments)}")
    return path


def uninstall(settings: Settings, place: Placement, *, purge: bool, run: Run | None = None) -> list[Path]:
    """Stop the service and remove its unit; with ``purge`` the data folder too. What was removed.

    Without ``purge`` the data folder stays whole, with the key, the certificate and what was not sent.
    """
    call = run or systemctl
    path = place.folder / unit_name(settings)
    _need_root(place)
    removed: list[Path] = []
    if path.exists():
        call(["disable", "--now", path.name])
        path.unlink()
        removed.append(path)
        call(["daemon-reload"])
        call(["reset-failed", path.name])
    if purge:
        shutil.rmtree(place.data)
        removed.append(place.data)
    return removed


def systemctl(arguments: Sequence[str]) -> int:
    """Run systemctl; its exit code. Raises LiuheError where there is none."""
    try:
        return subprocess.run(["systemctl", *arguments], check=False, timeout=120).returncode
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _failed(str(error)) from error


def _account(place: Placement) -> str:
    """Who owns the data folder runs the sensor: it could not write there otherwise."""
    try:
        return place.data.owner()
    except (OSError, KeyError):
        return "root"


def _hardening(kind: Kind) -> list[str]:
    """What is taken away from either kind."""
    capabilities = " ".join(CAPABILITIES[kind])
    return [
        f"CapabilityBoundingSet={capabilities}",
        f"AmbientCapabilities={capabilities}",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "PrivateTmp=yes",
        "ProtectKernelTunables=yes",
        "ProtectKernelModules=yes",
        "ProtectControlGroups=yes",
        "ProtectClock=yes",
        "ProtectHostname=yes",
        "RestrictSUIDSGID=yes",
        "RestrictRealtime=yes",
        "RestrictNamespaces=yes",
        "LockPersonality=yes",
        "SystemCallArchitectures=native",
        "SystemCallFilter=@system-service",
        "SystemCallFilter=~@privileged @resources @mount @swap @reboot @module @clock @obsolete",
        "SystemCallFilter=setpriority sched_setaffinity fanotify_init fanotify_mark",
        "SystemCallErrorNumber=EPERM",
    ]


def _by_kind(kind: Kind) -> list[str]:
    if kind == "network":
        return [
            "ProtectHome=yes",
            "ProtectProc=invisible",
            "PrivateDevices=yes",
            "ProtectKernelLogs=yes",
            "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_PACKET AF_NETLINK",
        ]
    return [
        "ProtectHome=read-only",
        "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK",
    ]


def _quota(limits: LimitSettings, kind: Kind) -> float:
    return max(10.0, (limits.cpu_percent_max or CPU_PERCENT[kind]) * _SPARE)


def _need_root(place: Placement) -> None:
    if place.folder == UNIT_FOLDER and os.geteuid() != 0:
        raise Refused(
            "service-root",
            Words("安装或卸载服务需要 root", "installing or removing the service needs root"),
            Words("请以 root 运行,或用 --print 取得单元文件", "run it as root, or take the unit by --print"),
        )


def _bad_path(word: str) -> BadInput:
    return BadInput(
        "service-path",
        Words("路径含 systemd 会另作解释的字符", "a path holds characters systemd reads otherwise"),
        Words("请用字母、数字与 _./:@+,=- 组成的路径", "use letters, digits and _./:@+,=- only"),
        field=word[:200],
    )


def _failed(reason: str) -> LiuheError:
    return LiuheError(
        "service-failed",
        Words(f"服务未能设置:{reason}", f"the service could not be set up: {reason}"),
        Words("请查看 systemctl status 与 journalctl -u", "see systemctl status and journalctl -u"),
    )
