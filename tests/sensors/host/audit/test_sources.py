"""Audit sources: the log with its place kept, the kernel's group through a socket of our own."""

import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random  # noqa: TID251 -- seeded

import pytest

from sensors.event import LogSource, Observation
from sensors.host.audit.sources import (
    AuditLogSource,
    AuditMulticastSource,
    Gathering,
    LogReading,
    audit_source,
    parse_message,
)
from sensors.host.audit.trail import AuditEvent
from sensors.host.cursor import Cursor
from sensors.host.follow import FollowedFile, Position
from sensors.host.observe import observe

ROOT = Path(__file__).resolve().parents[4]

LINE = "type=USER_AUTH msg=audit(1492037291.036:{}): pid=1 uid=0 msg='op=x acct=\"li\" res=failed'\n"
BODY = "audit(1492037291.036:{}): pid=1 uid=0 msg='op=x acct=\"li\" res=failed'"


def wait_for(done: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not done():
        assert time.monotonic() < until
        time.sleep(0.01)


def serials(seen: list[Observation]) -> list[object]:
    return [one.fields.get("event.sequence") for one in seen if one.fields["event.dataset"] == "audit"]


def run(
    source: AuditLogSource | AuditMulticastSource, until: Callable[[list[Observation]], bool]
) -> list[Observation]:
    seen: list[Observation] = []
    stop = threading.Event()
    thread = threading.Thread(target=source.run, args=(seen.extend, stop))
    thread.start()
    try:
        wait_for(lambda: until(seen))
    finally:
        stop.set()
        thread.join(30)
    return seen


def test_the_log_goes_on_where_it_stopped(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    cursor = Cursor(tmp_path, "audit")
    source = AuditLogSource(log, cursor, poll_seconds=0.01, quiet_seconds=0.05)
    assert source.missing() is not None
    seen: list[Observation] = []
    stop = threading.Event()
    thread = threading.Thread(target=source.run, args=(seen.extend, stop))
    thread.start()
    time.sleep(0.1)  # absent at first sight: then it is read from its beginning
    log.write_text(LINE.format(1) + LINE.format(2) + "no record\n")
    wait_for(lambda: len(serials(seen)) == 2 and cursor.path.exists())
    stop.set()
    thread.join(30)
    assert serials(seen) == [1, 2]
    with log.open("a") as more:
        more.write(LINE.format(3))
    again = run(AuditLogSource(log, cursor, poll_seconds=0.01, quiet_seconds=0.05), lambda seen: bool(seen))
    assert serials(again) == [3]


class _Told(Gathering):
    """Says which records were handed on, instead of what they mean."""

    def _observations(self, events: Sequence[AuditEvent]) -> list[Observation]:
        kinds = [(one.serial, record.kind) for one in events for record in one.records]
        return [observe("told", LogSource(product="t"), {"s": f"{serial} {kind}"}) for serial, kind in kinds]


def _stream(draw: Random, events: int) -> list[str]:
    """Lines of events whose records lie mixed, as several processors write them."""
    waiting = [
        [f"type={kind} msg=audit(1.5:{n}): a=1" for kind in ("SYSCALL", "PATH", "EOE")] for n in range(events)
    ]
    for n in range(0, events, 3):
        waiting[n] = [f"type=USER_AUTH msg=audit(1.5:{n}): a=1"]
    lines: list[str] = []
    while any(waiting):
        open_ones = [one for one in waiting if one][:4]
        lines.append(draw.choice(open_ones).pop(0))
    return lines


@pytest.mark.parametrize("seed", range(6))
def test_kills_at_any_moment_lose_no_record_and_repeat_none(tmp_path: Path, seed: int) -> None:
    draw = Random(seed)
    log, cursor = tmp_path / "audit.log", Cursor(tmp_path, "audit")
    lines = _stream(draw, 45)
    FollowedFile(log, cursor).read()  # absent at first sight: then it is read from its beginning
    told: list[str] = []

    def emit(seen: Sequence[Observation]) -> None:
        told.extend(str(one.fields["s"]) for one in seen)

    written = 0
    while written < len(lines):  # each round is a life: it ends without a word
        followed = FollowedFile(log, cursor)
        reading = LogReading(followed, _Told("audit", lambda: True, 1e9))
        for _ in range(draw.randrange(1, 6)):
            step = draw.randrange(1, 12)
            with log.open("a") as out:
                out.write("".join(line + "\n" for line in lines[written : written + step]))
            written += step
            while reading.next(emit):
                pass
            kept = cursor.load(Position)  # a file that was rotated twice is not found again: one at a time
            if draw.random() < 0.3 and kept is not None and kept.inode == log.stat().st_ino:
                log.rename(tmp_path / f"audit.log.{written}")
                log.touch()
        followed.close()
    gathering = _Told("audit", lambda: True, 1e9)
    followed = FollowedFile(log, cursor)
    reading = LogReading(followed, gathering)
    while reading.next(emit):
        pass
    emit(gathering.rest())
    followed.close()
    wanted = [f"{line.split(':')[1].split(')')[0]} {line.split()[0][5:]}" for line in lines]
    assert sorted(told) == sorted(one for one in wanted if not one.endswith("EOE"))


CHILD = """
import os, sys, threading
from pathlib import Path
from sensors.host.audit.sources import AuditLogSource
from sensors.host.cursor import Cursor
folder = Path(sys.argv[1])
def emit(seen):
    with (folder / "told").open("a") as out:
        for one in seen:
            print(one.fields.get("event.sequence"), file=out)
        out.flush()
        os.fsync(out.fileno())
source = AuditLogSource(folder / "audit.log", Cursor(folder, "audit"), poll_seconds=0.01, quiet_seconds=3600)
source.run(emit, threading.Event())
"""


@pytest.mark.slow
def test_a_sensor_that_is_killed_tells_the_event_that_was_waiting(tmp_path: Path) -> None:
    log, cursor = tmp_path / "audit.log", Cursor(tmp_path, "audit")
    FollowedFile(log, cursor).read()
    begun = (
        'type=SYSCALL msg=audit(1.5:31): arch=c000003e syscall=59 success=yes pid=7 exe="/bin/x" key="k"\n'
    )
    log.write_text("".join(LINE.format(n) for n in range(1, 31)) + begun + LINE.format(32))
    size = log.stat().st_size

    def waits() -> bool:
        """Everything was read, and what is durable is where the event that waits began."""
        kept = cursor.load(Position)
        return kept is not None and kept.until is not None and kept.until[2] == size

    child = subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path)], cwd=ROOT)
    try:
        wait_for(waits)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait(30)
    told = (tmp_path / "told").read_text().split()
    assert told == [str(n) for n in range(1, 31)]
    with log.open("a") as out:
        out.write("type=PROCTITLE msg=audit(1.5:31): proctitle=2F62696E2F78\n" + LINE.format(33))
    source = AuditLogSource(log, cursor, poll_seconds=0.01, quiet_seconds=0.05)
    seen = run(source, lambda seen: len(seen) >= 3)
    assert [one.fields.get("event.sequence") for one in seen] == [31, 32, 33]


def message(kind: int, body: str) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 0, 0) + body.encode()


def test_a_netlink_message_is_a_record() -> None:
    record = parse_message(message(1100, BODY.format(9)))
    assert record is not None
    assert (record.kind, record.serial, record.fields["acct"]) == ("USER_AUTH", 9, "li")
    assert parse_message(message(1000, "status")) is None
    assert parse_message(message(2999, BODY.format(1))) is not None
    assert parse_message(b"\0") is None


class _Kernel:
    """A channel whose datagrams seem to come from the kernel."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel

    def fileno(self) -> int:
        return self._channel.fileno()

    def recvfrom(self, size: int) -> tuple[bytes, tuple[int, int]]:
        return self._channel.recv(size), (0, 0)

    def close(self) -> None:
        self._channel.close()


def test_the_kernels_group_is_read_and_gaps_are_told() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    ours.setblocking(False)
    source = AuditMulticastSource(open_channel=lambda: _Kernel(ours), quiet_seconds=0.05)  # type: ignore[arg-type,return-value]
    for serial in (1, 2, 5):
        theirs.send(message(1100, BODY.format(serial)))
    seen = run(source, lambda seen: len(serials(seen)) == 3)
    assert serials(seen) == [1, 2, 5]
    (gap,) = [one for one in seen if one.fields["event.dataset"] == "liuhe.gap"]
    assert gap.fields["gov.gap.count"] == 2
    theirs.close()


def test_the_log_goes_before_the_group(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_text("")
    assert isinstance(audit_source(log, Cursor(tmp_path, "audit"), lambda: True), AuditLogSource)
