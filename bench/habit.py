"""Live events through the habits of all kinds of entity, on one core. ``python -m bench.habit [EVENTS]``.

200 hosts, 200 network sources and 50 people: processes, flows, name lookups, logins and log lines in equal
numbers. Each has its own few people, programs, services, names and sources, drawn evenly; one event in three
hundred is of something that was not there before. What a window costs is what is different in it, so the
same number of events is fed at two rates: over six hours, and over ten minutes. Before that one kind is
filled to its bound, to see what a row costs.
"""

import gc
import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np

from detection.anomaly.entities import entity_parameters
from detection.anomaly.habit import HabitDetector
from detection.anomaly.open import open_habits
from detection.anomaly.peers import open_peers
from detection.calendar import site_calendar
from sensors.event import Event, LogSource, Observation, Value, stamp

START = datetime(2026, 3, 2, tzinfo=UTC)
SECONDS = (21_600, 600)
BATCH = 2_048


class Lot:
    """Whole numbers drawn ahead, the same each run."""

    def __init__(self, count: int) -> None:
        self._drawn = iter(np.random.default_rng(0).random(count).tolist())

    def below(self, most: int) -> int:
        """One of so many."""
        return int(next(self._drawn) * most)


def events(count: int, seconds: int) -> list[Event]:
    """Events of one sensor in order of time, the same each run."""
    lot = Lot(count * 12)
    made: list[Event] = []
    for number in range(count):
        at, few = lot.below(200), lot.below(4)
        host, person = f"host-{at:03d}", f"user-{(at * 7 + few) % 50:02d}"
        source = f"10.0.{at // 100}.{at % 100}"
        rare = not lot.below(300)
        fields: dict[str, Value]
        match number % 5:
            case 0:
                tool = (at + lot.below(10) ** 2) % 40
                fields = {
                    "event.dataset": "process.start",
                    "host.name": host,
                    "user.name": person,
                    "process.executable": f"/opt/new-{number}" if rare else f"/usr/bin/tool-{tool}",
                    "process.parent.executable": f"/usr/sbin/daemon-{tool % 8}",
                }
            case 1:
                target = number % 250 if rare else (at + few) % 20
                fields = {
                    "event.dataset": "net.flow",
                    "event.action": "flow-end",
                    "source.ip": source,
                    "destination.ip": f"10.9.0.{target}",
                    "destination.port": (80, 443, 22, 5432)[(target + lot.below(2)) % 4],
                    "source.bytes": 200 + lot.below(90_000),
                    "destination.bytes": 200 + lot.below(900_000),
                }
            case 2:
                name = f"x{number}.example.net" if rare else f"www.site-{(at + lot.below(12)) % 60}.gov.cn"
                fields = {"event.dataset": "net.dns", "source.ip": source, "dns.question.name": name}
            case 3:
                fields = {
                    "event.dataset": "login",
                    "event.category": "authentication",
                    "event.outcome": "failure" if lot.below(9) == 0 else "success",
                    "host.name": host,
                    "user.name": person,
                    "source.ip": f"10.0.9.{(at + few) % 99}",
                }
            case _:
                fields = {
                    "event.dataset": "log",
                    "host.name": host,
                    "process.name": f"daemon-{at % 8}",
                    "message": f"request {number} served to {source} in {lot.below(90)} ms",
                }
        seen = Observation(
            time=START + timedelta(seconds=seconds * number / count), logsource=LogSource(), fields=fields
        )
        made.append(stamp(seen, unit="u", sensor="s", epoch=0, sequence=number))
    return made


def resident() -> int:
    """Bytes of this process in memory."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4_096


def pairs(count: int, first: float, span: float) -> list[Event]:
    """Flows between so many different pairs of addresses, within ``span`` seconds."""
    made = []
    for at in range(count):
        fields: dict[str, Value] = {
            "event.dataset": "net.flow",
            "event.action": "flow-end",
            "source.ip": f"10.{at // 25_000}.{at // 250 % 100}.{at % 250}",
            "destination.ip": f"10.9.{at % 7}.{at % 199}",
            "destination.port": 443,
            "source.bytes": 1_000 + at,
            "destination.bytes": 5_000,
        }
        time_ = START + timedelta(seconds=first + span * at / count)
        seen = Observation(time=time_, logsource=LogSource(), fields=fields)
        made.append(stamp(seen, unit="u", sensor="s", epoch=0, sequence=at))
    return made


def filled() -> dict[str, object]:
    """What a row costs while its window is open, and in what is learned of each length."""
    every = entity_parameters()
    (kind,) = (one for one in every.kinds if one.name == "pair")
    detector = HabitDetector(msgspec.structs.replace(every, kinds=(kind,)), site_calendar(), open_peers())
    count = kind.rows_max // 3 - 10  # three rows each
    sizes = [resident()]
    for first, how_many, span in ((0, count, 3_000), (7_200, 9, 9), (93_600, 9, 9)):
        detector.feed(pairs(how_many, first, span))
        sizes.append(resident())
    detector.feed(pairs(4 * count, 93_700, 60))
    return {
        "rows": 3 * count,
        "B an open row": round((sizes[1] - sizes[0]) / 3 / count),
        "B a learned row": round((sizes[3] - sizes[1]) / 3 / count / len(kind.seconds)),
        "evicted by four times as many": detector.evicted,
        "MB then": round((resident() - sizes[0]) / 1e6),
    }


def measured(fed: list[Event], seconds: int) -> dict[str, object]:
    """One row."""
    detector = open_habits()
    before = resident()
    began, alerts, slowest = time.process_time(), 0, 0.0
    for at in range(0, len(fed), BATCH):
        batch = time.process_time()
        alerts += len(detector.feed(fed[at : at + BATCH]))
        slowest = max(slowest, time.process_time() - batch)
    spent = time.process_time() - began
    kept = time.process_time()
    snapshot = detector.snapshot()  # type: ignore[attr-defined]
    return {
        "events": len(fed),
        "of seconds": seconds,
        "events/s": round(len(fed) / spent),
        "slowest batch s": round(slowest, 3),
        "alerts": alerts,
        "snapshot MB": round(len(snapshot) / 1e6, 1),
        "snapshot s": round(time.process_time() - kept, 3),
        "grown by MB": round((resident() - before) / 1e6),
    }


def main() -> int:
    """A row for the memory, and one for each rate."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
    sys.stdout.write(json.dumps(filled()) + "\n")
    for seconds in SECONDS:
        sys.stdout.write(json.dumps(measured(events(count, seconds), seconds)) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
