"""A spool on a real file system that is too small: alerts get through, and every other event or its gap."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest

from sensors.event import LogSource, Observation
from sensors.spool import Spool
from sensors.wire import batch_lines

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]

QUOTA = {"alerts": 8 << 20, "flows": 8 << 20, "bulk": 8 << 20}  # each more than there is
NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    mount = tmp_path / "small"
    mount.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(mount)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("mounting a small tmpfs needs root")
    yield mount
    subprocess.run(["umount", "--lazy", str(mount)], check=True)


def seen(number: int, lane: str) -> Observation:
    fields = {"n": number, "message": os.urandom(400).hex()}  # nothing to be packed
    return Observation(time=NOW, logsource=LogSource(product="linux"), fields=dict(fields), lane=lane)


def drain(spool: Spool) -> list[dict[str, dict[str, object]]]:
    """Everything there is now, acknowledged as it comes, so that room is made."""
    events = []
    while batch := spool.batch():
        events += [json.loads(line) for line in batch_lines(batch)]
        spool.acked(batch.lane, batch.last)
    return events


def test_alerts_pass_a_full_disk_and_nothing_is_lost_without_a_word(small: Path) -> None:
    spool = Spool(small / "spool", sensor="web", unit="u", quota_bytes=QUOTA)
    bulk, alerts = 6_000, 500  # about 6 MB of bulk on 4 MB of disk: whoever puts it waits
    putting = Thread(target=spool.put, args=([seen(n, "bulk") for n in range(bulk)],), daemon=True)
    putting.start()
    deadline = time.monotonic() + 60
    while spool.trouble is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert spool.trouble is not None, "the disk is full"
    spool.put([seen(bulk + n, "alerts") for n in range(alerts)])
    urgent: set[object] = set()
    while len(urgent) < alerts and spool.wait_for_events(60):
        while batch := spool.batch(urgent=True):
            urgent |= {json.loads(line)["fields"].get("n") for line in batch_lines(batch)} - {None}
            spool.acked(batch.lane, batch.last)
    assert urgent == set(range(bulk, bulk + alerts))
    events = drain(spool)
    while putting.is_alive() or not spool.flush(0.2) or any(spool.backlog().values()):
        events += drain(spool)
    spool.close()
    stored = {event["fields"]["n"] for event in events if "n" in event["fields"]}
    gaps = [event["fields"] for event in events if event["fields"].get("event.dataset") == "liuhe.gap"]
    assert gaps
    assert {gap["gov.gap.reason"] for gap in gaps} == {"disk-full"}
    assert {gap["gov.gap.lane"] for gap in gaps} == {"bulk"}
    # Bulk was put in order, so number n has sequence n + 1.
    ranges = [(int(str(gap["gov.gap.first"])), int(str(gap["gov.gap.last"]))) for gap in gaps]
    told = {number for first, last in ranges for number in range(first - 1, last)}
    assert stored | told == set(range(bulk))
