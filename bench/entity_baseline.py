"""Entity baseline: windows a second, bytes an entity, snapshot. ``python -m bench.entity_baseline``.

Twelve counts; windows that begin together come in batches, as the closing of a minute gives them.
Rates are of processor time of one core and hold scoring, learning, and one snapshot of everything at the end.
"""

import argparse
import json
import sys
import time
from datetime import UTC, datetime

import msgspec
import numpy as np
import psutil

from detection.anomaly.baseline import Baseline
from detection.anomaly.entities import entity_parameters
from detection.calendar import site_calendar

FEATURES = tuple(f"count{n}" for n in range(12))
START = int(datetime(2026, 3, 2, 9, tzinfo=UTC).timestamp())


def run(entities: int, rounds: int, batch: int) -> dict[str, object]:
    """Score and learn ``rounds`` windows of every entity, then save and load."""
    parameters = msgspec.structs.replace(entity_parameters().baseline, entities_max=entities)
    calendar = site_calendar()
    generator = np.random.default_rng(0)
    values = [generator.poisson(20, (batch, 12)).astype(np.float64) for _ in range(4)]
    process = psutil.Process()
    keys = [f"host:srv-{n:07d}.example" for n in range(entities)]
    peers = [f"unit{n % 13}" for n in range(entities)]
    before = process.memory_info().rss
    baseline = Baseline(FEATURES, parameters)
    places = np.concatenate(
        [baseline.places(keys[at : at + batch], peers[at : at + batch]) for at in range(0, entities, batch)]
    )
    begun = time.process_time()
    for number in range(rounds):
        start = START + number * 60
        slot = calendar.slot(datetime.fromtimestamp(start, UTC))
        for at in range(0, entities, batch):
            some = places[at : at + batch]
            baseline.observe(start, slot, some, values[number % 4][: len(some)])
    learned = time.process_time() - begun
    grown = process.memory_info().rss - before
    data = baseline.to_bytes()
    whole = time.process_time() - begun
    again = Baseline(FEATURES, parameters)
    begun = time.process_time()
    taken_up = again.from_bytes(data)
    loaded = time.process_time() - begun
    some = places[:batch]
    same = baseline.measure(some, 3, values[0][: len(some)]).deviation
    theirs = again.measure(some, 3, values[0][: len(some)]).deviation
    return {
        "entities": entities,
        "windows": entities * rounds,
        "windows/s, scored and learned": round(entities * rounds / learned),
        "windows/s, with one snapshot": round(entities * rounds / whole),
        "bytes an entity, columns": round(len(data) / entities),
        "bytes an entity, resident with key table": round(grown / entities),
        "snapshot s": round(whole - learned, 2),
        "recall s": round(loaded, 2),
        "the same after recall": bool(taken_up and (same == theirs).all()),
    }


def main() -> int:
    """A row for each number of entities."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--entities", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--windows", type=int, default=4_000_000)
    parser.add_argument("--batch", type=int, default=4_096)
    chosen = parser.parse_args()
    for entities in chosen.entities:
        rounds = max(1, min(chosen.windows // entities, 60))
        sys.stdout.write(json.dumps(run(entities, rounds, chosen.batch)) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
