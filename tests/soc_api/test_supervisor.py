"""Processes are kept alive, stopped in order, and never outlive the supervisor."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from crypto.words import LiuheError, Words
from soc_api.supervisor import Child, Supervisor, only_one, running_pid

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def until(condition, seconds: float = 10.0) -> bool:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_a_killed_child_is_restarted_and_said(tmp_path: Path) -> None:
    said: list[Words] = []
    supervisor = Supervisor(tmp_path, say=said.append)
    marker = tmp_path / "pids"
    write = f"import os,time; open({str(marker)!r},'a').write(f'{{os.getpid()}}\\n'); time.sleep(60)"
    supervisor.start(Child(name="one", command=[sys.executable, "-c", write]))
    stop = threading.Event()
    watcher = threading.Thread(target=supervisor.watch, args=(stop,), kwargs={"tick_seconds": 0.05})
    watcher.start()
    try:
        assert until(marker.exists)
        os.kill(int(marker.read_text().split()[0]), signal.SIGKILL)
        assert until(lambda: len(marker.read_text().split()) == 2)
    finally:
        stop.set()
        watcher.join()
        supervisor.stop()
    assert "one" in said[0].zh
    assert not alive(int(marker.read_text().split()[1]))


def test_a_child_is_stopped_by_the_signal_it_wants(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, say=lambda _: None)
    marker = tmp_path / "heard"
    listening = (
        "import pathlib,signal,sys,time\n"
        f"heard = pathlib.Path({str(marker)!r})\n"
        "signal.signal(signal.SIGUSR1, lambda *_: (heard.write_text('with you'), sys.exit(0)))\n"
        "heard.write_text('up')\n"
        "time.sleep(60)\n"
    )
    command = [sys.executable, "-c", listening]
    supervisor.start(Child(name="one", command=command, stop_signal=signal.SIGUSR1))
    try:
        assert until(lambda: marker.exists() and marker.read_text() == "up", 60.0)
    finally:
        supervisor.stop()
    assert marker.read_text() == "with you"


def test_a_child_that_cannot_start_is_one_clear_error(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, say=lambda _: None)
    child = Child(
        name="bad",
        command=[sys.executable, "-c", "raise SystemExit('port 8600 in use')"],
        ready=lambda: False,
    )
    with pytest.raises(LiuheError, match="port 8600 in use"):
        supervisor.start(child, seconds_max=10)


def test_a_second_center_in_the_folder_is_refused(tmp_path: Path) -> None:
    assert running_pid(tmp_path) is None
    with only_one(tmp_path):
        assert running_pid(tmp_path) == os.getpid()
        with pytest.raises(LiuheError, match="center-running"), only_one(tmp_path):
            pass
    assert running_pid(tmp_path) is None


def test_children_die_with_a_supervisor_killed_outright(tmp_path: Path) -> None:
    program = (
        "import sys,time,pathlib;from soc_api.supervisor import *;"
        f"s=Supervisor(pathlib.Path({str(tmp_path)!r}),say=lambda w:None);"
        f"s.start(Child(name='c',command={SLEEP!r}));print(s._running[0].process.pid,flush=True);time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    assert until(lambda: "up" in (tmp_path / "c.log").read_text())
    process.kill()
    process.wait()
    process.stdout.close()
    assert until(lambda: not alive(child))
