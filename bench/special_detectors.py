"""What the special detectors find and what they tell wrongly, on public data and staged traffic.

``python -m bench.special_detectors [beacon …]`` prints one JSON object a line. Data lie beside the project
(``../shared/data``); staged parts are named as such. Thresholds are those of rules/anomaly/special.toml.
"""

import gzip
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random  # noqa: TID251 -- a seeded one
from typing import Any

from detection.alert import Alert
from detection.parameters import read_parameters, shipped
from detection.special.beacon import BeaconDetector
from detection.special.detectors import SpecialParameters
from sensors.event import Event, LogSource, Observation, stamp

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "anomaly"
DAY = 86_400.0
Seen = tuple[float, str, dict[str, Any]]


def main() -> None:
    """Run the parts named, or all."""
    parameters = read_parameters(shipped("special.toml"), SpecialParameters)
    for name in sys.argv[1:] or PARTS:
        for row in PARTS[name](parameters):
            print(json.dumps({"part": name, **row}, ensure_ascii=False), flush=True)


def stamped(rows: Sequence[Seen]) -> list[Event]:
    """Rows in order of time as events."""
    events = []
    for number, (when, dataset, fields) in enumerate(sorted(rows, key=lambda row: row[0])):
        seen = Observation(
            time=datetime.fromtimestamp(when, UTC),
            logsource=LogSource(product="zeek"),
            fields={"event.dataset": dataset, **fields},
        )
        events.append(stamp(seen, unit="u", sensor="s", epoch=1, sequence=number))
    return events


def timed(feed: Callable[[Sequence[Event]], list[Alert]], events: list[Event]) -> tuple[list[Alert], float]:
    """The alerts, and events per second."""
    alerts: list[Alert] = []
    begun = time.perf_counter()
    for first in range(0, len(events), 2_048):
        alerts += feed(events[first : first + 2_048])
    return alerts, len(events) / (time.perf_counter() - begun)


def beacon(parameters: SpecialParameters) -> Iterator[dict[str, Any]]:
    """A real day of 13 sources, with clocks of 10 s to 4 h and 0 to 50 % jitter put into it."""
    background = list(_requests())
    begin = min(row[0] for row in background)
    sources = sorted({row[2]["source.ip"] for row in background})
    for seed in range(3):
        lot, staged, names = Random(seed), list[Seen](), set[str]()
        for period in (10, 30, 60, 300, 900, 3_600, 14_400):
            for jitter in (0.0, 0.25, 0.5):
                name, source, when = (
                    f"c2-{len(names)}.example",
                    lot.choice(sources),
                    begin + lot.random() * period,
                )
                names.add(name)
                while when < begin + DAY - 300:
                    staged.append(
                        (when, "net.http", _request(source, name, "/a", "Mozilla/5.0 (Windows NT 10.0)"))
                    )
                    when += period * (1 + jitter * (2 * lot.random() - 1))
        detector = BeaconDetector(parameters.beacon, parameters.networks.test())
        alerts, speed = timed(detector.feed, stamped([*background, *staged]))
        ranking = detector.ranking("u")
        told = {
            (alert.matched[0].value, alert.reason.en.split(" contacted ")[1].split(" ")[0])
            for alert in alerts
        }
        wrong = {one for one in told if one[1] not in names}
        yield {
            "seed": seed,
            "injected": len(names),
            "in_top": sum(name in names for _, _, name in ranking[: len(names)]),
            "in_top_20": sum(name in names for _, _, name in ranking[:20]),
            "alerted": len(told - wrong),
            "benign_alerted": sorted(wrong),
            "benign_pairs": len({(row[2]["source.ip"], row[2]["url.domain"]) for row in background}),
            "benign_judged": sum(name not in names for _, _, name in ranking),
            "events_per_second": round(speed),
        }


def _requests() -> Iterator[Seen]:
    with gzip.open(DATA / "beacon" / "valid_tsv" / "http.log.gz", "rt") as file:
        for line in file:
            if not line.startswith("#"):
                cells = line.rstrip("\n").split("\t")
                host = cells[8] if cells[8] != "-" else cells[4]
                yield float(cells[0]), "net.http", _request(cells[2], host, cells[9], cells[12], cells[4])


def _request(source: str, host: str, path: str, agent: str, address: str = "203.0.113.9") -> dict[str, Any]:
    return {
        "event.action": "request",
        "source.ip": source,
        "destination.ip": address,
        "url.domain": host,
        "url.original": path,
        "user_agent.original": agent,
    }


PARTS: dict[str, Callable[[SpecialParameters], Iterator[dict[str, Any]]]] = {
    "beacon": beacon,
}

if __name__ == "__main__":
    main()
