"""How fast stored events are hunted through: ``python -m bench.hunt [--events N] [--folder DIR] [--days N]``.

Prints JSON lines. The store is 200,000 different events of plausible size (process starts, flows, names asked
for, logins of 50 hosts), sealed by the product's own writer and repeated with their times and ids moved until
there are N of them over the days; the folder is kept and used again where it is given. Each question is asked
three times of a warm disk; the middle one counts. Its peer answers the same questions: DuckDB asked directly,
over all files at once, with no condition language, no bounds and no order.
"""

import argparse
import json
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from detection.query.parse import parse_query
from detection.store.event_file import SCHEMA, table_of, write_file
from detection.store.event_store import EventStore
from detection.store.segment_store import SegmentStore
from detection.store.state import open_state
from detection.store.survey import Question
from sensors.event import Event, LogSource, Observation, stamp
from sensors.wire import lane_sequence

END = datetime(2026, 11, 22, tzinfo=UTC)
FILE_EVENTS = 50_000
BASE_FILES = 4
QUESTIONS = (
    "*",
    "host.name:web-07",
    "user.name:user7 and event.dataset:login",
    "source.ip:10.0.0.0/28",
    "process.command_line:*31337*",
    "dns.question.name:*.example7.cn and not host.name:web-01",
    "31337",
)


def seen(number: int) -> Event:
    """One event of one of four kinds; strings repeat about as they do in an office."""
    host, user = f"web-{number % 50:02}", f"user{number % 23}"
    kinds: tuple[Callable[[int, str, str], tuple[LogSource, dict[str, Any], dict[str, Any]]], ...]
    kinds = (_process, _flow, _name, _login)
    logsource, fields, native = kinds[number % 4](number, host, user)
    observed = Observation(time=END, logsource=logsource, fields=fields, native=native)
    return stamp(observed, unit="u", sensor="s", epoch=1, sequence=lane_sequence("bulk", number + 1))


def _process(number: int, host: str, user: str) -> tuple[LogSource, dict[str, Any], dict[str, Any]]:
    tool = f"/usr/bin/tool{number % 300}"
    line = f"{tool} --file /srv/data/{number * 7919 % 100_003} --level {number % 5}"
    fields = {
        "event.dataset": "process.start",
        "host.name": host,
        "process.pid": number % 100_000,
        "process.executable": tool,
        "process.name": tool.rpartition("/")[2],
        "process.command_line": line,
        "process.args": line.split(),
        "process.parent.executable": "/usr/bin/bash",
        "process.parent.name": "bash",
        "user.name": user,
    }
    native = {"Image": tool, "CommandLine": line, "ParentImage": "/usr/bin/bash", "User": user}
    return LogSource(product="linux", category="process_creation"), fields, native


def _flow(number: int, host: str, _user: str) -> tuple[LogSource, dict[str, Any], dict[str, Any]]:
    source, target, port = (
        f"10.0.{number % 7}.{number % 251}",
        f"10.1.0.{number % 97}",
        30_000 + number % 9_000,
    )
    fields = {
        "event.dataset": "net.flow",
        "event.action": "flow-end",
        "observer.name": host,
        "source.ip": source,
        "source.port": port,
        "source.bytes": number % 9_973,
        "destination.ip": target,
        "destination.port": (443, 80, 53, 22)[number % 16 // 4],
        "destination.bytes": number % 99_991,
        "network.transport": "tcp",
        "network.community_id": f"1:{number * 7919:028x}=",
    }
    native = {"id.orig_h": source, "id.orig_p": port, "id.resp_h": target, "proto": "tcp", "conn_state": "SF"}
    return LogSource(product="zeek", category="flow", service="conn"), fields, native


def _name(number: int, host: str, _user: str) -> tuple[LogSource, dict[str, Any], dict[str, Any]]:
    asked = f"h{number % 1_009}.example{number % 41}.cn"
    fields = {
        "event.dataset": "net.dns",
        "observer.name": host,
        "source.ip": f"10.0.{number % 7}.{number % 251}",
        "destination.ip": "10.1.0.53",
        "dns.question.name": asked,
        "dns.question.type": "A",
        "dns.answers": [f"10.9.{number % 200}.1", f"10.9.{number % 200}.2"],
    }
    return (
        LogSource(product="zeek", category="dns", service="dns"),
        fields,
        {"query": asked, "qtype_name": "A"},
    )


def _login(number: int, host: str, user: str) -> tuple[LogSource, dict[str, Any], dict[str, Any]]:
    message = f"Accepted password for {user} from 10.0.3.{number % 251} port {number % 50_000} ssh2"
    fields = {
        "event.dataset": "login",
        "event.category": "authentication",
        "event.outcome": "failure" if number % 17 == 3 else "success",
        "host.name": host,
        "user.name": user,
        "source.ip": f"10.0.3.{number % 251}",
        "process.name": "sshd",
        "message": message,
    }
    return LogSource(product="linux", service="sshd"), fields, {"message": message, "Program": "sshd"}


def base() -> Iterator[pa.Table]:
    """The different events, in tables of one file each."""
    for first in range(0, BASE_FILES * FILE_EVENTS, FILE_EVENTS):
        yield table_of([seen(number) for number in range(first, first + FILE_EVENTS)])


def moved(table: pa.Table, start: datetime, step_micros: int) -> pa.Table:
    """The same events at other times, with the ids such events would have."""
    first = int(start.timestamp() * 1_000_000)
    times = [first + place * step_micros for place in range(table.num_rows)]
    ids = [
        f"{at // 1_000:012x}{old[12:]}" for at, old in zip(times, table.column("id").to_pylist(), strict=True)
    ]
    table = table.set_column(0, SCHEMA.field(0), pa.array(ids, pa.string()))
    return table.set_column(1, SCHEMA.field(1), pa.array(times, pa.timestamp("us")))


def fill(folder: Path, events: int, days: int) -> None:
    """A store of that many events over the days before END."""
    engine = open_state(f"sqlite:///{folder / 'state.sqlite'}", create=True)
    catalogue = SegmentStore(engine)
    if not catalogue.all():
        (folder / "events").mkdir(exist_ok=True)
        tables, files = list(base()), max(1, events // FILE_EVENTS)
        span = timedelta(days=days) / files
        for number in range(files):
            start = END - timedelta(days=days) + number * span
            step = int(span.total_seconds() * 1_000_000) // FILE_EVENTS
            name = f"{number + 1:020d}-{number + 1:020d}.parquet"
            written = write_file(folder / "events" / name, [moved(tables[number % BASE_FILES], start, step)])
            catalogue.add(name, written, number + 1, number + 1, END)
    engine.dispose()


def milliseconds(work: Callable[[], object]) -> int:
    """How long ``work`` takes: the middle of three."""
    taken = []
    for _ in range(3):
        begun = time.perf_counter()
        work()
        taken.append((time.perf_counter() - begun) * 1_000)
    return round(statistics.median(taken))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = arguments.folder or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        begun = time.perf_counter()
        fill(folder, arguments.events, arguments.days)
        print(json.dumps({"events": arguments.events, "filled_seconds": round(time.perf_counter() - begun)}))
        engine = open_state(f"sqlite:///{folder / 'state.sqlite'}")
        store = EventStore(folder, engine)
        for days in (1, arguments.days):
            for text in QUESTIONS:
                print(json.dumps(asked(store, text, days)), flush=True)
        store.close()
        engine.dispose()


def asked(store: EventStore, text: str, days: int) -> dict[str, object]:
    """One question: until the first rows are there, and until everything is counted."""
    question = Question(condition=parse_query(text), since=END - timedelta(days=days), until=END)

    def first() -> object:
        return next(found for found in store.survey(question) if found.events)

    *_, last = store.survey(question)
    return {
        "query": text,
        "days": days,
        "matched": last.matched,
        "first_rows_milliseconds": milliseconds(first) if last.matched else None,
        "all_counted_milliseconds": milliseconds(lambda: list(store.survey(question))),
        "newest_500_milliseconds": milliseconds(
            lambda: store.search(question.condition, since=question.since, until=question.until, limit=500)
        ),
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


if __name__ == "__main__":
    main()
