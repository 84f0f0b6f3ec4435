"""Correlations: events a second on one core, memory of a million keys. ``python -m bench.correlation``.

Events are made beforehand; what is measured is what the center does once rules have matched: key, window,
distinct values, alerts. event_count and value_count run with the distinct values per window the design names.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil

from crypto.words import Words
from detection.correlation.correlator import Correlator
from detection.correlation.parameters import correlation_parameters
from detection.correlation.rule import Alternative, Correlation, Limit
from detection.correlation.snapshot import recall_into, snapshot_of
from sensors.event import Event, LogSource, Observation, stamp

START = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 2_048
ROUNDS = 3


def correlation(kind: str, **more: Any) -> Correlation:
    """A correlation over the rules a and b, by user and host."""
    return Correlation(
        **{"group_by": ("user.name", "host.name"), "limits": (Limit("gte", 1_000_000),), **more},
        id=kind,
        path="bench",
        line=1,
        title=Words(kind, kind),
        description=Words("", ""),
        level="low",
        kind=kind,  # type: ignore[arg-type]
        rules=("a", "b"),
        labels=("a", "b"),
        span_seconds=60,
    )


def events(count: int, *, per_second: int, users: int, values: int) -> list[Event]:
    """Failed logins in order of time."""
    made = []
    for number in range(count):
        seen = Observation(
            time=START + timedelta(seconds=number / per_second),
            logsource=LogSource(product="linux", service="sshd", category="authentication"),
            fields={
                "event.dataset": "auth.log",
                "event.category": "authentication",
                "event.outcome": "failure",
                "host.name": f"web-{number % 7}",
                "user.name": f"user{number % users}",
                "source.ip": f"10.{number % values // 256}.{number % values % 256}.7",
                "process.name": "sshd",
                "process.pid": number,
            },
            native={"message": "Failed password for invalid user", "Program": "sshd"},
        )
        made.append(stamp(seen, unit="unit", sensor="sensor", epoch=1, sequence=number))
    return made


CASES: dict[str, tuple[Correlation, dict[str, int]]] = {
    "event_count, 140 keys": (correlation("event_count"), {"per_second": 2_000, "users": 20, "values": 1}),
    "event_count, alerting": (
        correlation("event_count", limits=(Limit("gte", 50),)),
        {"per_second": 2_000, "users": 20, "values": 1},
    ),
    "event_count, every key once": (
        correlation("event_count"),
        {"per_second": 2_000, "users": 10**9, "values": 1},
    ),
    "value_count, 1,800 distinct values a window": (
        correlation("value_count", group_by=("host.name",), fields=("source.ip",)),
        # 60 s x 210/s over 7 hosts = 1,800 events of a key in a window, all of different sources
        {"per_second": 210, "users": 20, "values": 65_521},
    ),
    "temporal_ordered, 140 keys": (
        correlation("temporal_ordered", limits=(), alternatives=(Alternative((0, 1)),)),
        {"per_second": 2_000, "users": 20, "values": 1},
    ),
    "value_avg, settled": (
        correlation("value_avg", fields=("process.pid",), limits=(Limit("gte", 10**12),)),
        {"per_second": 2_000, "users": 20, "values": 1},
    ),
}


def disturbed(made: list[Event]) -> list[Event]:
    """The same events, every tenth up to 20 s late."""
    late = [
        timedelta(seconds=number * 7 % 20) if number % 10 == 0 else timedelta() for number in range(len(made))
    ]
    return [
        one
        for _, _, one in sorted((one.time + wait, one.id, one) for one, wait in zip(made, late, strict=True))
    ]


def rate(rule: Correlation, made: list[Event]) -> tuple[float, int, Correlator]:
    """Matched events a second of processor time: the median of ROUNDS, and the alerts."""
    taken = []
    alerts = 0
    correlator = Correlator([rule], correlation_parameters())
    matched = [("a",) if number % 2 else ("b",) for number in range(len(made))]
    for _ in range(ROUNDS):
        correlator = Correlator([rule], correlation_parameters())
        alerts = 0
        begun = time.process_time()
        for start in range(0, len(made), BATCH):
            alerts += len(correlator.feed(made[start : start + BATCH], matched[start : start + BATCH]))
        taken.append(time.process_time() - begun)
    return len(made) / sorted(taken)[ROUNDS // 2], alerts, correlator


def memory(keys: int, each: int) -> dict[str, object]:
    """Resident memory of many keys of some events each, and of the snapshot."""
    process = psutil.Process()
    rule = correlation("event_count", group_by=("user.name",))
    correlator = Correlator([rule], correlation_parameters())
    before = process.memory_info().rss
    begun = time.process_time()
    for start in range(0, keys * each, BATCH):
        part = [_small(number, keys) for number in range(start, min(start + BATCH, keys * each))]
        correlator.feed(part, [("a",)] * len(part))
    took = time.process_time() - begun
    grown = process.memory_info().rss - before
    begun = time.process_time()
    snapshot = snapshot_of(correlator)
    written = time.process_time() - begun
    begun = time.process_time()
    recall_into(Correlator([rule], correlation_parameters()), snapshot)
    return {
        "keys held": correlator.counters.keys,
        "events each": each,
        "rss grown MB": round(grown / 1e6),
        "counted MB": round(correlator.counters.bytes / 1e6),
        "evicted": correlator.counters.evicted,
        "seconds with making events": round(took, 1),
        "snapshot MB": round(len(snapshot) / 1e6),
        "snapshot seconds": round(written, 2),
        "recall seconds": round(time.process_time() - begun, 2),
    }


def _small(number: int, keys: int) -> Event:
    seen = Observation(
        time=START + timedelta(microseconds=number * 10),
        logsource=LogSource(),
        fields={"user.name": f"user{number % keys:07d}"},
    )
    return stamp(seen, unit="unit", sensor="sensor", epoch=1, sequence=number)


def rows(count: int) -> Iterator[dict[str, object]]:
    """One row for each case, in order of time and disturbed."""
    for name, (rule, shape) in CASES.items():
        made = events(count, **shape)
        in_order, alerts, correlator = rate(rule, made)
        mixed, _, _ = rate(rule, disturbed(made))
        yield {
            "case": name,
            "events/s": round(in_order),
            "every tenth late, events/s": round(mixed),
            "alerts": alerts,
            "state MB": round(correlator.counters.bytes / 1e6, 1),
        }


def main() -> int:
    """Print a row for each case, and one for memory."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--keys", type=int, default=1_000_000)
    chosen = parser.parse_args()
    if chosen.keys:
        for each in (1, 3):
            sys.stdout.write(json.dumps(memory(chosen.keys, each)) + "\n")
    for row in rows(chosen.events):
        sys.stdout.write(json.dumps(row) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
