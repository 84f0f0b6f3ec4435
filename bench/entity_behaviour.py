"""Behaviour per entity on AIT-ADS: which windows of which hosts to see. ``python -m bench.entity_behaviour``.

Alerts of three detectors on four networks, in order of time; a window is ten minutes of one host. Scored
as the product does, learning as it goes; tested from the first attack on. Peer groups are those of each
network's own list of hosts. A window is positive where an alert in it falls into a phase of the attack,
benign ones included: that rewards a score which knows that an attack is going on, so the window's own score
is told beside the one with what goes on around, and the trivial ones in the same surroundings too.
The score was chosen on russellmitchell and shaw; wardbeck and santos were run once, after that.
"""

import csv
import gzip
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import yaml
from sklearn.metrics import average_precision_score

from detection.anomaly.behaviour import Behaved, Behaviour, Did
from detection.anomaly.entities import entity_parameters
from detection.anomaly.unrest import Unrest
from detection.calendar import site_calendar

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "anomaly" / "ait-ads"
SCENARIOS = ("russellmitchell", "shaw", "wardbeck", "santos")
WINDOW = 600
A_DAY = 86_400
MEANS = ("AUPRC", "P@10/day", "phases found within 10 min at 20/day")
Key = tuple[int, str]


class Scenario:
    """One network: counts by window and host, the phases, and which windows are positive."""

    def __init__(self, name: str) -> None:
        phases = json.loads((DATA / "attack_phases.json").read_text())[name]
        self.phases = {
            phase: tuple(datetime.fromisoformat(one).timestamp() for one in times)
            for phase, times in phases.items()
            if not phase.startswith("false")
        }
        listed = yaml.safe_load((DATA / f"{name}_hosts.yaml").read_text())
        self.groups = {host: "+".join(sorted(one["groups"])) for host, one in listed.items()}
        self.groups |= {one["hostname"]: self.groups[host] for host, one in listed.items()}
        self.windows: dict[Key, Counter[str]] = defaultdict(Counter)
        self.positive: set[Key] = set()
        with gzip.open(DATA / f"{name}_alerts.csv.gz", "rt", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                key = (int(float(row["time"]) // WINDOW) * WINDOW, row["host"])
                self.windows[key][row["short"]] += 1
                if row["time_label"] in self.phases:
                    self.positive.add(key)
        self.alerts = sum(sum(one.values()) for one in self.windows.values())
        first = min(begin for begin, _ in self.phases.values())
        self.tested = sorted(key for key in self.windows if key[0] + WINDOW > first)


def behaved(scenario: Scenario) -> dict[Key, Behaved]:
    """What the product says of each window."""
    parameters, calendar = entity_parameters(), site_calendar()
    model = Behaviour(parameters.baseline, parameters.rarity, parameters.unrest)
    said: dict[Key, Behaved] = {}
    for start, hosts in by_start(scenario.windows):
        windows = [Did(host, scenario.windows[start, host], scenario.groups.get(host, "")) for host in hosts]
        for one in model.observe(start, calendar.slot(datetime.fromtimestamp(start, UTC)), windows):
            said[start, one.entity] = one
    return said


def behaviour(scenario: Scenario) -> dict[Key, float]:
    """The product's ranking: the window's own score, and what goes on around it."""
    return {key: one.risk for key, one in behaved(scenario).items()}


def own_score(scenario: Scenario) -> dict[Key, float]:
    """The window's own score alone."""
    return {key: one.score for key, one in behaved(scenario).items()}


def length_around(scenario: Scenario) -> dict[Key, float]:
    """Trivial, in the same surroundings: types in the window, and the unrest they make."""
    scores, unrest = length(scenario), Unrest(entity_parameters().unrest)
    found: dict[Key, float] = {}
    for start, hosts in by_start(scores):
        own = [scores[start, host] for host in hosts]
        around = unrest.around(start, [""] * len(hosts), own)
        found |= {(start, host): one + more for host, one, more in zip(hosts, own, around, strict=True)}
    return found


def by_start(keys: Iterable[Key]) -> list[tuple[int, list[str]]]:
    """Hosts whose windows began together, in order of time."""
    starts: dict[int, list[str]] = defaultdict(list)
    for start, host in sorted(keys):
        starts[start].append(host)
    return sorted(starts.items())


def count(scenario: Scenario) -> dict[Key, float]:
    """Trivial: alerts in the window."""
    return {key: float(sum(one.values())) for key, one in scenario.windows.items()}


def length(scenario: Scenario) -> dict[Key, float]:
    """Trivial: different types in the window."""
    return {key: float(len(one)) for key, one in scenario.windows.items()}


def lot(scenario: Scenario) -> dict[Key, float]:
    """Trivial: drawn by lot."""
    generator = np.random.default_rng(0)
    return {key: float(generator.random()) for key in sorted(scenario.windows)}


def all_positive(scenario: Scenario) -> dict[Key, float]:
    """Trivial: everything alike."""
    return dict.fromkeys(scenario.windows, 1.0)


def figures(scenario: Scenario, scores: dict[Key, float]) -> dict[str, object]:
    """AUPRC, precision of an attack day's first ten, phases found by the first twenty a day, reduction."""
    labels = [key in scenario.positive for key in scenario.tested]
    days: dict[int, list[Key]] = defaultdict(list)
    for key in scenario.tested:
        days[key[0] // A_DAY].append(key)
    ranked = {day: sorted(keys, key=lambda key: (-scores[key], key)) for day, keys in days.items()}
    attacked = [keys for keys in ranked.values() if any(key in scenario.positive for key in keys)]
    told = [key for keys in ranked.values() for key in keys[:20]]
    found = {
        phase
        for phase, (begin, end) in scenario.phases.items()
        for start, _ in told
        if start + WINDOW > begin and start < min(end, begin + WINDOW)
    }
    return {
        "AUPRC": round(float(average_precision_score(labels, [scores[key] for key in scenario.tested])), 3),
        "P@10/day": round(
            float(np.mean([np.mean([k in scenario.positive for k in keys[:10]]) for keys in attacked])), 3
        ),
        "phases found within 10 min at 20/day": f"{len(found)}/{len(scenario.phases)}",
        "positive share": round(float(np.mean(labels)), 3),
        "raw alerts to 20 windows a day": f"-{100 * (1 - len(told) / scenario.alerts):.1f} %",
    }


def main() -> int:
    """A row for each scenario and score."""
    if not DATA.is_dir():
        sys.stdout.write(json.dumps({"skipped": f"{DATA} is absent"}) + "\n")
        return 0
    scorers: tuple[Callable[[Scenario], dict[Key, float]], ...] = (
        behaviour,
        own_score,
        count,
        length,
        length_around,
        lot,
        all_positive,
    )
    sums: dict[str, list[list[float]]] = defaultdict(list)
    for name in SCENARIOS:
        scenario = Scenario(name)
        for score in scorers:
            row = {"scenario": name, "score": score.__name__, **figures(scenario, score(scenario))}
            sums[score.__name__].append([float(str(row[one]).partition("/")[0]) for one in MEANS])
            sys.stdout.write(json.dumps(row) + "\n")
            sys.stdout.flush()
    for scored, rows in sums.items():
        means = [round(float(one), 3) for one in np.mean(rows, axis=0)]
        whole = {"scenario": "mean", "score": scored, **dict(zip(MEANS, means, strict=True))}
        sys.stdout.write(json.dumps(whole) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
