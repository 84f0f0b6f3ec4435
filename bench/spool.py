"""The spool beside other queues: durable events a second, commit times, memory, and three days offline.

``python -m bench.spool [--events N]`` prints one JSON object a line. Each store runs in a process of its own
and gets the same lines, 500 a commit, synced; the folder is a temporary one, on the disk that TMPDIR names.
The outage is measured on real events where the shared data lies beside the project, else on made-up ones.
"""

import argparse
import json
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice, pairwise
from pathlib import Path
from time import monotonic, perf_counter

from crypto.words import BadInput
from sensors.event import LogSource, Observation, encode, stamp
from sensors.read import read_file
from sensors.segment_log import SegmentLog
from sensors.segment_seal import Keys
from sensors.spool import Spool
from sensors.spool_core import SpoolCore
from sensors.wire import batch_lines

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
BATCH = 500
LINE_BYTES = 600
OUTAGE_EVENTS = 72 * 3600 * 200
QUOTA = dict.fromkeys(("alerts", "flows", "bulk"), 1 << 40)
STORES = ("log", "log-sealed", "spool", "sqlite", "persist-queue-file", "persist-queue-sqlite")


def say(name: str, value: float, unit: str, conditions: str, versus: tuple[str, float] | None = None) -> None:
    """One line of the common form."""
    other, other_value = versus or (None, None)
    ratio = round(value / other_value, 3) if other_value else None
    line = {"name": name, "value": round(value, 3), "unit": unit, "versus": other}
    line |= {"versus_value": other_value, "ratio": ratio, "conditions": conditions}
    print(json.dumps(line), flush=True)


def observation(number: int, size: int = 0) -> Observation:
    """A process start, padded to a size."""
    fields: dict[str, object] = {
        "event.dataset": "process.start",
        "host.name": f"web-{number % 50:02}",
        "process.pid": number % 100_000,
        "process.executable": f"/usr/bin/tool{number % 300}",
        "process.command_line": f"/usr/bin/tool{number % 300} --file /srv/data/{number * 7919 % 100_003}",
        "user.name": f"user{number % 23}",
        "message": f"{number * 2654435761 % 2**32:08x}" * (size // 8),
    }
    return Observation(
        time=NOW + timedelta(milliseconds=5 * number),
        logsource=LogSource(product="linux", category="process_creation"),
        fields=fields,  # type: ignore[arg-type]
    )


def lines_of(count: int) -> list[bytes]:
    """Encoded events of about LINE_BYTES."""
    out = [
        encode(stamp(observation(number, 208), unit="u", sensor="s", epoch=1, sequence=number))
        for number in range(count)
    ]
    assert abs(sum(map(len, out)) / count - LINE_BYTES) < 30
    return out


def commits(store: str, folder: Path, lines: Sequence[bytes]) -> tuple[Callable[[int], object], int]:
    """What stores events from a number on, and how many at once."""
    if store in {"log", "log-sealed"}:
        keys = Keys([bytes(range(16))], sealing=store == "log-sealed")
        log = SegmentLog.open(folder, name="bench", writer=True, sensor="s", keys=keys)
        return lambda at: log.append(lines[at : at + BATCH]), BATCH
    if store == "spool":
        spool = Spool(folder, sensor="s", unit="u", quota_bytes=QUOTA)
        seen = [observation(number, 208) for number in range(2 * BATCH)]
        return lambda at: spool.put(seen[at % BATCH :][:BATCH], wait=True), BATCH
    if store == "sqlite":
        connection = sqlite3.connect(folder / "queue.sqlite", isolation_level=None)
        connection.execute("pragma journal_mode=wal")
        connection.execute("pragma synchronous=full")
        connection.execute("create table queue (id integer primary key, body blob)")

        def insert(at: int) -> None:
            connection.execute("begin")
            rows = ((line,) for line in lines[at : at + BATCH])
            connection.executemany("insert into queue (body) values (?)", rows)
            connection.execute("commit")

        return insert, BATCH
    import persistqueue

    if store == "persist-queue-file":
        files = persistqueue.Queue(str(folder / "file"))
        return lambda at: files.put(lines[at]), 1
    rows = persistqueue.SQLiteQueue(str(folder / "sqlite"), auto_commit=True)
    return lambda at: rows.put(lines[at]), 1


def run_store(store: str, count: int) -> None:
    """Fill one store and print what it took; run in a process of its own."""
    lines = lines_of(min(count, 50 * BATCH))
    folder = Path(tempfile.mkdtemp(prefix="liuhe-bench-"))
    try:
        work, step = commits(store, folder, lines)
        work(0)
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forget the peak so far
        before = _status_kib("VmRSS")
        times = []
        began = perf_counter()
        for at in range(0, count, step):
            start = perf_counter()
            work(at % len(lines))
            times.append(perf_counter() - start)
        took = perf_counter() - began
        times.sort()
        result = {
            "rate": count / took,
            "p99_ms": 1000 * times[int(len(times) * 0.99)],
            "rss_mib": (_status_kib("VmHWM") - before) / 1024,
            "cpu": sum(resource.getrusage(resource.RUSAGE_SELF)[:2]) / took,
        }
        print(json.dumps(result))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.stdout.flush()
    sys.exit(0)


def _status_kib(name: str) -> int:
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    raise LookupError(name)


def compare(count: int) -> None:
    """All stores in turn."""
    results = {}
    for store in STORES:
        events = count if not store.startswith("persist") else max(2_000, count // 50)
        command = [sys.executable, "-m", "bench.spool", "--one", store, "--events", str(events)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not done.stdout:
            print(json.dumps({"name": store, "skipped": done.stderr.strip()[-200:]}), flush=True)
            continue
        results[store] = found = json.loads(done.stdout)
        base = results.get("sqlite" if store.startswith("persist") else "log", found)["rate"]
        conditions = f"{events} events of {LINE_BYTES} B, " + (
            f"{BATCH} a commit" if not store.startswith("persist") else "1 a commit: it has no batches"
        )
        if store == "spool":
            conditions += ", from observations: stamped, encoded, committed by its thread"
        say(f"{store} events/s", found["rate"], "1/s", conditions, ("log", base))
        say(f"{store} p99 commit", found["p99_ms"], "ms", conditions)
        say(f"{store} extra RSS", found["rss_mib"], "MiB", conditions)


def real_observations(kind: str, count: int) -> Iterator[Observation]:
    """Real events of a kind, again and again, at 200 a second."""
    folders = {"host logs": DATA / "host", "network": DATA / "pcap"}
    found: list[Observation] = []
    for path in sorted(folders[kind].rglob("*")) if folders[kind].exists() else []:
        wanted = path.suffix in {".log", ".txt"} if kind == "host logs" else "pcap" in path.suffix
        if wanted or path.suffix == ".trace":
            with suppress(BadInput):
                found += islice(read_file(path), 5_000)
    for number, seen in enumerate(islice(cycle(found or [observation(n) for n in range(50_000)]), count)):
        yield Observation(
            time=NOW + timedelta(milliseconds=5 * number),
            logsource=seen.logsource,
            fields=seen.fields,
            native=seen.native,
        )


def outage(kind: str, count: int) -> None:
    """Fill a spool as 200 events a second do, 40 a commit; weigh it, then drain it."""
    with tempfile.TemporaryDirectory(prefix="liuhe-bench-") as name:
        core = SpoolCore(
            Path(name), sensor="s", unit="u", quota_bytes=QUOTA, now=lambda: NOW, monotonic=monotonic
        )
        size = 0
        for number, seen in enumerate(real_observations(kind, count), start=1):
            core.take(seen)
            if number % 40 == 0:
                size += core.buffer_bytes
                core.commit()
        core.commit()
        began = perf_counter()
        packed = 0
        while core.pack():
            packed += 1
        took = perf_counter() - began
        log = core._lanes["bulk"].log
        sizes = list(log._sizes.items())
        inside = [(one[1], two[0] - one[0]) for one, two in pairwise(sizes)][4:]
        per_event = sum(one for one, _ in inside) / max(1, sum(events for _, events in inside))
        tail = 4 * 8 * 1024 * 1024
        gib = (per_event * OUTAGE_EVENTS + tail) / (1 << 30)
        real = "real" if DATA.exists() else "made-up"
        conditions = f"{count} {real} events ({kind}, {size / count:.0f} B as JSON), 200/s, 40 a commit"
        say(f"72 h offline, {kind}", gib, "GiB", f"{conditions}; {per_event:.1f} B an event packed")
        say(f"packing, {kind}", count / max(took, 1e-9), "events/s", f"{packed} segments")
        began = perf_counter()
        drained = 0
        while batch := core.batch():
            drained += len(batch_lines(batch))
            core.acked(batch.lane, batch.last)
        rate = drained / (perf_counter() - began)
        assert drained == count
        say(f"drain, {kind}", rate, "events/s", "read, packed into batches, acknowledged", ("real time", 200))
        core.close()


def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument("--outage-events", type=int, default=300_000)
    parser.add_argument("--one", choices=STORES)
    options = parser.parse_args()
    if options.one:
        run_store(options.one, options.events)
    compare(options.events)
    for kind in ("host logs", "network"):
        outage(kind, options.outage_events)


if __name__ == "__main__":
    main()
