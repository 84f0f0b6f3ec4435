"""How fast alerts commit, events seal and queries answer: ``python -m bench.store [--events N]``.

Prints one JSON object. The events are process starts of plausible size (about 0.9 kB as JSON); the folder is
a temporary one, on the disk that TMPDIR names.
"""

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crypto.words import Words
from detection.alert import Claim, claim
from detection.query.parse import parse_query
from detection.store.alert_store import AlertStore
from detection.store.event_store import EventStore
from detection.store.state import open_state
from sensors.event import Event, LogSource, Observation, encode, stamp
from sensors.segment_log import SegmentLog
from sensors.wire import StoredHeader, encode_batch, lane_sequence, make_batch, store_frame

START = datetime(2026, 11, 22, tzinfo=UTC)
BATCH = 500
QUERIES = (
    "user.name:user7",
    "process.command_line:*31337*",
    "Image:*/tool17 and not user.name:user1",
    "31337",
    "process.pid > 99990",
)


def started(number: int) -> Event:
    """One process start; strings repeat about as they do on a server."""
    tool, user = f"/usr/bin/tool{number % 300}", f"user{number % 23}"
    line = f"{tool} --file /srv/data/{number * 7919 % 100_003} --level {number % 5}"
    seen = Observation(
        time=START + timedelta(milliseconds=number * 10),
        logsource=LogSource(product="linux", category="process_creation"),
        fields={
            "event.dataset": "process.start",
            "event.category": "process",
            "event.type": "start",
            "host.name": f"web-{number % 50:02}",
            "process.pid": number % 100_000,
            "process.executable": tool,
            "process.name": tool.rpartition("/")[2],
            "process.command_line": line,
            "process.args": line.split(),
            "process.working_directory": "/srv",
            "process.parent.pid": number % 977,
            "process.parent.executable": "/usr/bin/bash",
            "process.parent.name": "bash",
            "user.name": user,
            "user.id": str(1000 + number % 23),
        },
        native={
            "Image": tool,
            "CommandLine": line,
            "ParentImage": "/usr/bin/bash",
            "ParentCommandLine": "bash -l",
            "User": user,
            "CurrentDirectory": "/srv",
            "ProcessId": number % 100_000,
            "ParentProcessId": number % 977,
        },
    )
    sequence = lane_sequence("bulk", number)
    return stamp(seen, unit="u", sensor="s", epoch=1, sequence=sequence)


def seconds(work: Callable[[], object]) -> float:
    """How long ``work`` takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def fill_log(folder: Path, count: int) -> int:
    """The log of a center with ``count`` events in it; returns the last sequence."""
    log = SegmentLog.open(folder / "log", name="center", writer=True)
    last = 0
    for first in range(1, count + 1, BATCH):
        lines = [encode(started(number)) for number in range(first, first + BATCH)]
        header = StoredHeader(
            sensor="s", unit="u", epoch=1, lane="bulk", first=first, last=first + BATCH - 1, received=START
        )
        message = encode_batch(make_batch("s", 1, "bulk", first, lines))
        last = log.append([store_frame(header, message)])[-1]
    log.close()
    return last


def measure(folder: Path, count: int) -> dict[str, float]:
    """Every figure of the store, in one fresh folder."""
    engine = open_state(f"sqlite:///{folder / 'state.sqlite'}", create=True)
    alerts, events = AlertStore(engine), EventStore(folder, engine)
    figures: dict[str, float] = {"events": count, "cores": len(__import__("os").sched_getaffinity(0))}
    said = Claim(rule="r", detector="sigma", title=Words("题", "title"), severity="low")
    raised = [
        claim(said, entity=f"host:{n % 200}", reason=Words("因", "why"), events=(started(n),), matched=())
        for n in range(5_000)
    ]
    batched = seconds(
        lambda: [alerts.commit(raised[n : n + 100], [], n, START) for n in range(0, 4_000, 100)]
    )
    single = seconds(lambda: [alerts.commit([one], [], 5_000, START) for one in raised[4_000:4_500]])
    figures["alerts_per_second_in_batches_of_100"] = round(4_000 / batched)
    figures["alert_commits_per_second_one_by_one"] = round(500 / single)
    figures["queue_page_milliseconds"] = round(seconds(lambda: alerts.page(limit=50)) * 1_000, 1)
    last = fill_log(folder, count)
    query = parse_query(QUERIES[0])
    figures["first_search_of_unsealed_log_seconds"] = round(seconds(lambda: events.search(query)), 2)
    alerts.commit([], [], last, START)
    took = seconds(lambda: events.seal(START, force=True))
    files = events.segments()
    figures["sealed_events_per_second"] = round(count / took)
    figures["sealed_bytes_per_event"] = round(sum(file.bytes for file in files) / count, 1)
    figures["files"] = len(files)
    for text in QUERIES:
        condition = parse_query(text)
        figures[f"search_milliseconds {text}"] = round(seconds(lambda: events.search(condition)) * 1_000)  # noqa: B023
    identifiers = [started(n).id for n in range(1, count, count // 20)]
    figures["get_20_ids_milliseconds"] = round(seconds(lambda: events.get(identifiers)) * 1_000)
    figures["replayed_events_per_second"] = round(
        count / seconds(lambda: sum(1 for _ in events.since(START)))
    )
    figures["peak_rss_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    engine.dispose()
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    count = parser.parse_args().events
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), count - count % BATCH)
    conditions = f"{figures.pop('events'):.0f} events, {figures.pop('cores'):.0f} cores, one run"
    for name, value in figures.items():
        row = {"name": f"store.{name}", "value": value, "unit": unit_of(name), "versus": None}
        print(json.dumps(row | {"versus_value": None, "ratio": None, "conditions": conditions}))


def unit_of(name: str) -> str:
    """The unit that a figure's name says."""
    units = {"per_second": "1/s", "milliseconds": "ms", "seconds": "s", "per_event": "B", "mib": "MiB"}
    return next((unit for words, unit in units.items() if words in name), "count")


if __name__ == "__main__":
    main()
