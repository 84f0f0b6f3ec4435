"""What the end-to-end tests share: a running center, its command line, waiting."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

START_SECONDS_MAX = 120.0


@dataclass
class RunningCenter:
    """The center's supervisor process and how to reach it."""

    data: Path
    url: str
    user: str
    password: str
    process: subprocess.Popen[str]
    output: Path
    arguments: list[str]
    token: str = ""  # of the set-up page

    def cli(self, *arguments: str, seconds_max: float = 180.0) -> subprocess.CompletedProcess[str]:
        """Run ``liuhe`` against this center's data folder."""
        command = [sys.executable, "-m", "soc_api.cli", *arguments, "--data", str(self.data)]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=seconds_max, check=False, env=environment()
        )

    def child(self, name: str) -> int:
        """The pid of one of its processes, by a word of its command line; 0 where it does not run."""
        for folder in Path("/proc").iterdir():
            if folder.name.isdecimal():
                with contextlib.suppress(OSError):
                    words = (folder / "cmdline").read_bytes().decode().split("\0")
                    parent = (folder / "stat").read_text().rsplit(")", 1)[1].split()[1]
                    if parent == str(self.process.pid) and any(name in word for word in words):
                        return int(folder.name)
        return 0


def environment() -> dict[str, str]:
    """The environment of a child: English, so that what it prints can be asked for."""
    return os.environ | {"LIUHE_LANG": "en", "PYTHONUNBUFFERED": "1"}


def free_port() -> int:
    """A loopback port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], object], seconds_max: float = 60.0, step: float = 0.2) -> object:
    """The first true answer; fails after ``seconds_max``."""
    deadline = time.monotonic() + seconds_max
    while time.monotonic() < deadline:
        answer = condition()
        if answer:
            return answer
        time.sleep(step)
    raise AssertionError("it did not happen in time")


def start(data: Path, output: Path, arguments: list[str]) -> subprocess.Popen[str]:
    """Start ``liuhe center run`` in the foreground, its words into ``output``."""
    command = [sys.executable, "-m", "soc_api.cli", "center", "run", "--data", str(data), *arguments]
    with output.open("w") as file:
        return subprocess.Popen(
            command,
            stdout=file,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment(),
            start_new_session=True,
        )


@contextlib.contextmanager
def fresh_center(base: Path) -> Iterator[RunningCenter]:
    """A center made by ``center run --init --local-sensors`` below ``base``, with its first login."""
    data, output = base / "data", base / "output"
    ports = [free_port(), free_port()]
    arguments = ["--init", "--local-sensors", "--console-port", str(ports[0]), "--ingest-port", str(ports[1])]
    process = start(data, output, arguments)
    pattern = r"user (\S+)\s+password (\S+)[\s\S]*?token (\S+)"
    try:
        found = until(
            lambda: process.poll() is not None or re.search(pattern, output.read_text()), START_SECONDS_MAX
        )
        assert isinstance(found, re.Match), output.read_text()
        running = RunningCenter(
            data=data,
            url=f"http://127.0.0.1:{ports[0]}/",
            user=found[1],
            password=found[2],
            token=found[3],
            process=process,
            output=output,
            arguments=arguments,
        )
        yield running
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(60) == 0, output.read_text()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
