"""A sensor of its own on a road that breaks: killed, cut off, its log rotated; every line arrives."""

import contextlib
import json
import os
import random  # noqa: TID251 - seeded, so that a run can be repeated
import select
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from detection.store.event_store import EventStore
from detection.store.state import state_of
from running_center import RunningCenter, environment, until

pytestmark = pytest.mark.slow

ROUNDS = int(os.environ.get("LIUHE_FAULT_KILLS", "8"))
SEED = int(os.environ.get("LIUHE_SEED", "1"))
LINES = 200  # written between two faults
ID = "faults-host"
SOURCES_OFF = """
[host]
processes = false
listeners = false
logins = false
journal = false
file_integrity = false
probes = false
auth_logs = [{log}]
"""


class Road:
    """A TCP relay on loopback that can be cut and closed."""

    def __init__(self, port: int) -> None:
        self.open = True
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._ended = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Every connection ends where it is, in the middle of whatever was on its way."""
        for pair in self._pairs:
            for one in pair:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """No more of it."""
        self._ended = True
        self._thread.join(10)
        self._listener.close()

    def _run(self) -> None:
        while not self._ended:
            watched = [self._listener, *(one for pair in self._pairs for one in pair)]
            ready, _, _ = select.select(watched, [], [], 0.1)
            for one in ready:
                if one is self._listener:
                    self._accept()
                else:
                    self._relay(one)
        for pair in list(self._pairs):
            self._drop(pair)

    def _accept(self) -> None:
        near, _ = self._listener.accept()
        if not self.open:
            near.close()
            return
        try:
            far = socket.create_connection(("127.0.0.1", self._to), 5)
        except OSError:
            near.close()
            return
        self._pairs.append((near, far))

    def _relay(self, one: socket.socket) -> None:
        pair = next((pair for pair in self._pairs if one in pair), None)
        if pair is None:
            return
        other = pair[1] if pair[0] is one else pair[0]
        try:
            data = one.recv(65_536)
            if data:
                other.sendall(data)
                return
        except OSError:
            pass
        self._drop(pair)

    def _drop(self, pair: tuple[socket.socket, socket.socket]) -> None:
        self._pairs.remove(pair)
        for one in pair:
            one.close()


class LoneSensor:
    """``liuhe sensor run`` in a folder of its own."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process."""
        command = [sys.executable, "-m", "soc_api.cli", "sensor", "run", "--data", str(self.data)]
        with (self.data / "output").open("ab") as output:
            self.process = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, env=environment()
            )

    def kill(self) -> None:
        """SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def follows(self, path: Path) -> bool:
        """Whether it reads the file that has this name now; two rotations at once are one too many."""
        inode = path.stat().st_ino
        return any(f'"inode":{inode}' in one.read_text() for one in (self.data / "cursors").iterdir())

    def words(self) -> str:
        """What it said so far."""
        return (self.data / "output").read_text()


@pytest.fixture
def road(center: RunningCenter) -> Iterator[Road]:
    road = Road(int(center.arguments[center.arguments.index("--ingest-port") + 1]))
    yield road
    road.close()


@pytest.fixture
def sensor(center: RunningCenter, road: Road, tmp_path: Path) -> Iterator[LoneSensor]:
    token = center.cli("center", "token", "--address", f"127.0.0.1:{road.port}")
    assert token.returncode == 0, token.stderr
    data = tmp_path / "sensor"
    command = [sys.executable, "-m", "soc_api.cli", "sensor", "enroll", "--data", str(data)]
    enrolled = subprocess.run(
        [*command, "--kind", "host", "--id", ID, "--token-file", "-"],
        input=token.stdout,
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
        timeout=120,
    )
    assert enrolled.returncode == 0, enrolled.stderr
    written = (data / "sensor.toml").read_text()
    head = written.split("[host]")[0]
    log = json.dumps(str(tmp_path / "auth.log"))
    (data / "sensor.toml").write_text(head + SOURCES_OFF.format(log=log))
    sensor = LoneSensor(data)
    yield sensor
    if sensor.process is not None and sensor.process.poll() is None:
        sensor.process.send_signal(signal.SIGTERM)
        assert sensor.process.wait(60) == 0, sensor.words()


class Log:
    """The file that the sensor follows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.written = 0
        path.touch()

    def write(self, count: int) -> None:
        """Numbered lines, whole ones."""
        with self.path.open("a") as file:
            for _ in range(count):
                file.write(f"{datetime.now(UTC).isoformat()} host numbers[7]: number {self.written}.\n")
                self.written += 1

    def rotate(self) -> None:
        """As logrotate does with ``create``: the old name moves on, nothing of it is deleted."""
        older = sorted(self.path.parent.glob("auth.log.*"), key=lambda one: -int(one.suffix[1:]))
        for one in older:
            one.rename(one.with_suffix(f".{int(one.suffix[1:]) + 1}"))
        self.path.rename(self.path.with_name("auth.log.1"))
        self.path.touch()


def numbers(center: RunningCenter) -> tuple[Counter[int], int]:
    """How often each line is stored, and how many ids there are twice."""
    store = EventStore(center.data, state_of(center.data))
    found: Counter[int] = Counter()
    ids: Counter[str] = Counter()
    for event in store.since(datetime.now(UTC) - timedelta(hours=6)):
        message = event.fields.get("message")
        if event.sensor == ID and isinstance(message, str) and "number " in message:
            found[int(message.rsplit("number ", 1)[1].rstrip("."))] += 1
            ids[event.id] += 1
    store.close()
    return found, sum(count > 1 for count in ids.values())


@pytest.mark.timeout(300 + 20 * ROUNDS)
def test_every_line_arrives_whatever_is_killed_cut_or_rotated(
    center: RunningCenter, road: Road, sensor: LoneSensor, tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    log = Log(tmp_path / "auth.log")
    sensor.start()
    until(lambda: (sensor.data / "cursors").exists() and any((sensor.data / "cursors").iterdir()), 60)
    kills = 0
    for _ in range(ROUNDS):
        log.write(LINES)
        match chance.choice(("sensor", "sensor", "center", "cut", "closed", "rotate")):
            case "sensor":
                sensor.kill()
                kills += 1
                log.write(LINES)
                sensor.start()
            case "center":
                pid = center.child("ingest,detect,store")
                if pid:
                    os.kill(pid, signal.SIGKILL)
            case "cut":
                road.cut()
            case "closed":
                road.open = not road.open
                road.cut()
            case "rotate":
                until(lambda: sensor.follows(log.path), 60)
                log.rotate()
    road.open = True
    log.write(1)
    until(lambda: len(numbers(center)[0]) >= log.written, 120 + 5 * ROUNDS, step=2)
    found, doubled = numbers(center)
    assert set(found) == set(range(log.written)), sensor.words()[-2000:]
    assert doubled == 0, "one id stored twice"
    # A line read and made durable just before a kill is read again: its cursor was not moved yet.
    repeated = sum(count - 1 for count in found.values())
    assert repeated <= kills * 2 * LINES
