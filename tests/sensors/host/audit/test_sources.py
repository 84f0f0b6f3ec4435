"""Audit sources: the log with its place kept, the kernel's group through a socket of our own."""

import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

from sensors.event import Observation
from sensors.host.audit.sources import AuditLogSource, AuditMulticastSource, audit_source, parse_message
from sensors.host.cursor import Cursor

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
