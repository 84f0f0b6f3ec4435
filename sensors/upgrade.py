"""Upgrading a sensor from a signed bundle: beside the old release, checked, taken back where it fails.

    PREFIX/releases/VERSION/lib, liuhe, manifest.msgpack     one release, never changed
    PREFIX/current -> releases/VERSION                       what the service starts

1. The bundle is verified and unpacked beside; the new program must tell its version and read the settings.
2. ``current`` is replaced by one rename, and the running sensor asked (SIGHUP) to start itself anew.
3. It must send a heartbeat of the new version and reach what it reached before, within a time.
4. Else ``current`` goes back and the old release is started.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from crypto.chain import TrustStore
from crypto.words import LiuheError, Refused, Words
from sensors.bundle import ANY_MACHINE, Manifest, contents, open_manifest, order
from sensors.heartbeat import Status, read_status
from sensors.lifecycle import running_pid
from sensors.segment_checkpoint import sync_folder, write_durably

PREFIX: Final = Path("/opt/liuhe")
HEALTHY_SECONDS: Final = 90.0
CHECK_SECONDS_MAX: Final = 60
_POLL_SECONDS: Final = 0.3
_RELEASES: Final = "releases"
_CURRENT: Final = "current"


class Outcome(NamedTuple):
    """What an upgrade did."""

    version: str
    before: str
    restarted: bool
    """False where no sensor ran: it will start as the new release."""


def launcher(prefix: Path) -> Path:
    """What starts the current release; the service and the shell use this path."""
    return prefix / _CURRENT / "liuhe"


def adopt(prefix: Path, version: str) -> Path:
    """Make the program that runs now the first release, where there is none; its launcher."""
    if not (prefix / _CURRENT).is_symlink():
        release = prefix / _RELEASES / version
        release.mkdir(parents=True, exist_ok=True, mode=0o755)
        _write_launcher(release, None)
        _switch(prefix, version)
    return launcher(prefix)


def owned(prefix: Path) -> bool:
    """Whether the folder holds releases and nothing else, so that it may be removed whole."""
    return prefix.is_dir() and {path.name for path in prefix.iterdir()} == {_RELEASES, _CURRENT}


def current_version(prefix: Path) -> str:
    """Which release is current; '' where none is."""
    path = prefix / _CURRENT
    return path.readlink().name if path.is_symlink() else ""


def unpack(bundle: Path, prefix: Path, trust: TrustStore, *, older: bool, now: datetime) -> Manifest:
    """Verify a bundle and lay it out beside the current release. Raises Refused, BadInput, LiuheError."""
    try:
        with bundle.open("rb") as source:
            manifest = open_manifest(source, trust, now)
            _fits(manifest, current_version(prefix), older=older)
            partial = prefix / _RELEASES / f".{manifest.version}.partial"
            shutil.rmtree(partial, ignore_errors=True)
            for file, data in contents(source, manifest):
                path = partial / "lib" / file.name
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
                with path.open("wb") as out:
                    out.write(data)
                    os.fsync(out.fileno())
    except OSError as error:
        raise LiuheError(
            "upgrade-failed",
            Words(f"升级包读写失败:{error.strerror}", f"the bundle cannot be laid out: {error.strerror}"),
            Words("请检查磁盘空间和权限", "check disk space and permissions"),
            field=str(error.filename or bundle),
        ) from error
    release = prefix / _RELEASES / manifest.version
    write_durably(partial / "manifest.msgpack", msgspec.msgpack.encode(manifest), 0o644)
    if release.exists():
        shutil.rmtree(release)  # an attempt that was taken back, or died
    partial.rename(release)
    sync_folder(release.parent)
    _write_launcher(release, release / "lib")
    return manifest


def check(prefix: Path, data: Path, version: str) -> None:
    """Raise Refused where the new release cannot even tell its version and read this sensor's settings."""
    program = str(prefix / _RELEASES / version / "liuhe")
    for arguments, good in (([program, "--version"], (0,)), ([program, *_status(data)], (0, 1))):
        try:
            done = subprocess.run(
                arguments, capture_output=True, timeout=CHECK_SECONDS_MAX, check=False, cwd="/"
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _unfit(str(error)) from error
        if done.returncode not in good:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise _unfit(said[-1][:300] if said else f"exit {done.returncode}")
        if arguments[1] == "--version" and version not in done.stdout.decode("utf-8", "replace").split():
            raise _unfit(f"it calls itself {done.stdout.decode('utf-8', 'replace').strip()[:80]}")


def take_into_use(
    prefix: Path,
    data: Path,
    version: str,
    *,
    seconds: float = HEALTHY_SECONDS,
    revive: Callable[[], None] | None = None,
) -> Outcome:
    """Switch to a release that lies there and was checked; back again where the sensor does not live on it.

    ``revive`` starts the service where the process has died. Raises Refused (upgrade-rolled-back).
    """
    before, pid, then = current_version(prefix), running_pid(data / "run"), read_status(data / "run")
    if pid is not None and not _started_by(pid, launcher(prefix)):
        raise Refused(
            "upgrade-launcher",
            Words("运行中的传感器不是由本目录启动的", "the running sensor was not started from this prefix"),
            Words(
                f"请改用 {launcher(prefix)} 启动传感器(liuhe sensor install)后再升级",
                f"start it by {launcher(prefix)} (liuhe sensor install), then upgrade",
            ),
            field=str(pid),
        )
    _switch(prefix, version)
    if pid is None:
        return Outcome(version, before, restarted=False)
    began = datetime.now(UTC)
    _ask_to_restart(pid)
    reached = then is not None and then.connected
    if _lives(data, version, since=began, connected=reached, seconds=seconds):
        return Outcome(version, before, restarted=True)
    _switch(prefix, before)
    again = datetime.now(UTC)
    alive = running_pid(data / "run")
    if alive is not None:
        _ask_to_restart(alive)
    elif revive is not None:
        revive()
    back = _lives(data, "", since=again, connected=False, seconds=seconds)
    raise _rolled_back(version, before, lives=back)


def _fits(manifest: Manifest, current: str, *, older: bool) -> None:
    here = f"3.{sys.version_info.minor}"
    if manifest.machine not in (ANY_MACHINE, os.uname().machine) or manifest.python != here:
        raise Refused(
            "bundle-machine",
            Words(
                f"升级包适用于 {manifest.machine}、Python {manifest.python},"
                f"本机为 {os.uname().machine}、{here}",
                f"the bundle is for {manifest.machine} and Python {manifest.python}; here: "
                f"{os.uname().machine}, {here}",
            ),
            Words("请取得适用于本机的升级包", "get the bundle for this machine"),
        )
    if not older and current and order(manifest.version) <= order(current):
        raise Refused(
            "bundle-older",
            Words(
                f"升级包版本 {manifest.version} 不新于现有的 {current}",
                f"version {manifest.version} is not newer than {current}",
            ),
            Words("如确要降级,请加 --older", "add --older to go back on purpose"),
            field="version",
        )


def _lives(data: Path, version: str, *, since: datetime, connected: bool, seconds: float) -> bool:
    """Whether a heartbeat of this version ('' any), made since, is as well connected as before."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        status = read_status(data / "run")
        if status is not None and _is_well(status, version, since, connected=connected):
            pid = running_pid(data / "run")
            if pid is not None:
                return True
        time.sleep(_POLL_SECONDS)
    return False


def _is_well(status: Status, version: str, since: datetime, *, connected: bool) -> bool:
    fresh = status.time >= since and version in ("", status.version)
    return fresh and (status.connected or not connected)


def _started_by(pid: int, program: Path) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return str(program).encode() in words


def _ask_to_restart(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGHUP)
    except ProcessLookupError:
        return
    except PermissionError as error:
        raise LiuheError(
            "upgrade-failed",
            Words("无权通知运行中的传感器", "not allowed to signal the running sensor"),
            Words("请以 root 或传感器的账号运行", "run it as root or as the sensor's account"),
            field=str(pid),
        ) from error


def _switch(prefix: Path, version: str) -> None:
    partial = prefix / f".{_CURRENT}.partial"
    partial.unlink(missing_ok=True)
    partial.symlink_to(Path(_RELEASES) / version)
    partial.replace(prefix / _CURRENT)
    sync_folder(prefix)


def _write_launcher(release: Path, lib: Path | None) -> None:
    """A few lines of Python: children of the sensor find the release by the same variable."""
    lines = [
        f"#!{sys.executable} -P",
        '"""Starts this release of Liuhe."""',
        "",
        "import os",
        "import sys",
        "",
    ]
    if lib is None:
        lib = Path(__file__).resolve().parents[1]
    lines += [
        f"sys.path.insert(0, {str(lib)!r})",
        f'os.environ["PYTHONPATH"] = {str(lib)!r}',
        "from soc_api.cli import main",
        "",
        "sys.exit(main())",
        "",
    ]
    write_durably(release / "liuhe", "\n".join(lines).encode(), 0o755)
    (release / "liuhe").chmod(0o755)


def _status(data: Path) -> list[str]:
    return ["sensor", "status", "--data", str(data)]


def _unfit(reason: str) -> Refused:
    return Refused(
        "upgrade-unfit",
        Words(f"新版本在本机不能运行,未作切换:{reason}", f"the new release does not run here: {reason}"),
        Words("现有版本照常运行;请核对升级包", "the present one goes on; check the bundle"),
    )


def _rolled_back(version: str, before: str, *, lives: bool) -> Refused:
    return Refused(
        "upgrade-rolled-back",
        Words(
            f"新版本 {version} 未能正常工作,已退回 {before}" + ("" if lives else ",但传感器尚未恢复心跳"),
            f"release {version} did not come to life; {before} is back"
            + ("" if lives else ", but the sensor has no heartbeat yet"),
        ),
        Words("请查看传感器的日志", "see the sensor's log"),
        field=version,
    )
