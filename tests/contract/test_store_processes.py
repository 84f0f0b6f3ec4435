"""The stores under SIGKILL and under two processes: nothing acknowledged is lost, nothing counts twice."""

import subprocess
import sys
import textwrap
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from detection.condition import Always
from detection.store.alert_store import AlertStore
from detection.store.event_store import EventStore
from detection.store.state import state_of
from detection.store.tables import metadata
from sensors.event import Event

START = datetime(2026, 11, 22, tzinfo=UTC)
KILLS = 6

# A center in small: it receives, detects (every tenth event is an alert), commits, seals, until it is killed.
# What it acknowledged is on its stdout, one sequence a line.
CENTER = textwrap.dedent("""
    import sys
    from datetime import UTC, datetime, timedelta
    from pathlib import Path
    from crypto.words import Words
    from detection.alert import Claim, claim
    from detection.store import event_store
    from detection.store.alert_store import AlertStore
    from detection.store.event_store import EventStore
    from detection.store.state import state_of
    from sensors.event import LogSource, Observation, encode, stamp
    from sensors.segment_log import SegmentLog
    from sensors.wire import StoredHeader, encode_batch, lane_sequence, make_batch, store_frame

    event_store.FILE_EVENTS_MAX = 300
    data = Path(sys.argv[1])
    start = datetime(2026, 11, 22, tzinfo=UTC)
    log = SegmentLog.open(data / "log", name="center", segment_bytes_max=4_000, writer=True)
    engine = state_of(data)
    alerts, events = AlertStore(engine), EventStore(data, engine)
    said = Claim(rule="tenth", detector="special", title=Words("t", "t"), severity="low")

    def detect(batch):
        tenth = [event for event in batch if event.fields["n"] % 10 == 0]
        return [claim(said, entity="host:a", reason=Words("r", "r"), events=(e,), matched=()) for e in tenth]

    number = sum(len(events.events_of(payload)) for _, payload in events.follow(0, 1 << 40))
    number += sum(file.rows for file in events.segments())
    at = alerts.position()
    for turn in range(100_000):
        first = number + 1
        batch = []
        for number in range(first, first + 25):
            time = start + timedelta(seconds=number)
            seen = Observation(time=time, logsource=LogSource(), fields={"n": number})
            sequence = lane_sequence("bulk", number)
            batch.append(encode(stamp(seen, unit="u", sensor="s", epoch=1, sequence=sequence)))
        header = StoredHeader(
            sensor="s", unit="u", epoch=1, lane="bulk", first=first, last=number, received=start
        )
        log.append([store_frame(header, encode_batch(make_batch("s", 1, "bulk", first, batch)))])
        print(number, flush=True)
        for at, payload in events.follow(at):
            found = events.events_of(payload)
            alerts.commit(detect(found), found, at, start)
        if turn % 7 == 0:
            events.seal(start)
""")


def run_and_kill(data: Path, seconds: float) -> int:
    """Start the center, kill it, and say which event number it acknowledged last."""
    process = subprocess.Popen([sys.executable, "-c", CENTER, str(data)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    first = process.stdout.readline()
    assert first
    time.sleep(seconds)
    process.kill()
    rest = process.stdout.read().split()
    process.stdout.close()
    process.wait()
    return int(rest[-1] if rest else first)


def numbers(events: list[Event]) -> list[int]:
    return sorted(int(str(event.fields["n"])) for event in events)


@pytest.mark.slow
def test_killed_again_and_again(tmp_path: Path) -> None:
    engine = state_of(tmp_path)
    metadata.create_all(engine)
    acknowledged = 0
    for turn in range(KILLS):
        acknowledged = run_and_kill(tmp_path, 0.15 + 0.21 * turn)
        store = EventStore(tmp_path, engine)
        kept = numbers(list(store.since(START)))
        assert kept == list(range(1, len(kept) + 1))
        assert len(kept) >= acknowledged
        committed = sum(row.count for row in AlertStore(engine).page(state="all").rows)
        position = AlertStore(engine).position()
        sealed = sum(file.rows for file in store.segments())
        logged = [payload for at, payload in store.follow(0, 1 << 40) if at <= position]
        last = max([int(str(e.fields["n"])) for p in logged for e in store.events_of(p)], default=sealed)
        assert committed == last // 10
        assert store.verify_segments() == []
    assert len(EventStore(tmp_path, engine).segments()) > 2
    engine.dispose()


@pytest.mark.slow
def test_another_process_reads_while_one_writes_and_seals(tmp_path: Path) -> None:
    engine = state_of(tmp_path)
    metadata.create_all(engine)
    process = subprocess.Popen(
        [sys.executable, "-c", CENTER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    store, alerts = EventStore(tmp_path, engine), AlertStore(engine)
    seen = revision = 0
    try:
        for _ in range(25):
            acknowledged = int(process.stdout.readline())
            found = store.search(Always(True), limit=100_000)
            assert found.findings == ()
            kept = numbers(list(found.events))
            assert kept == list(range(1, len(kept) + 1))
            assert len(kept) >= max(seen, acknowledged)
            assert store.count_since(START) >= len(kept)
            assert alerts.revision() >= revision
            seen, revision = len(kept), alerts.revision()
            for _ in range(8):
                process.stdout.readline()
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
    assert store.segments()
    engine.dispose()
