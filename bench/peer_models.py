"""Models of peer groups beside the kind's: realised shares, what each finds. ``python -m bench.peer_models``.

Simulated hosts of three kinds of work, for want of real windows with roles: each count of a minute is Poisson
around a rate of its host, which is drawn around that of its group and rises by day. Fitted on seven days and
tested on the next three. Odd windows: a host of one group that does for a minute what another group does.
"""

import json
import sys
import time

import numpy as np

from detection.anomaly.encoding import Array
from detection.anomaly.ensemble import Ensemble
from detection.anomaly.model import EnsembleParameters, fit
from detection.anomaly.open import window_parameters
from detection.anomaly.windows import FEATURES
from detection.parameters import read_parameters, shipped

NAMES = tuple(FEATURES)
HOSTS = {"desk": 60, "server": 12, "database": 6}
LEARNED_DAYS, TESTED_DAYS = 7, 3
PER_DAY = 200  # windows kept of a kind, and of each group
TESTED_PER_DAY = 4_000  # of each group
ODD = 400


class World:
    """Rates of every host."""

    def __init__(self, seed: int) -> None:
        self._draws = np.random.default_rng(seed)
        typical = {group: self._draws.lognormal(1.5, 1.3, len(NAMES)) for group in HOSTS}
        self._rates = {
            group: typical[group] * self._draws.lognormal(0.0, 0.3, (hosts, len(NAMES)))
            for group, hosts in HOSTS.items()
        }

    def windows(self, group: str, number: int) -> Array:
        """Windows of a day of hosts of a group."""
        rates = self._rates[group][self._draws.integers(0, HOSTS[group], number)]
        hour = self._draws.integers(0, 24, (number, 1))
        busy = np.where((hour >= 8) & (hour < 18), 1.5, 0.5)
        made: Array = self._draws.poisson(rates * busy).astype(np.float64)
        return made

    def mixed(self, number: int) -> Array:
        """Windows of a day as they come, from all hosts."""
        whole = sum(HOSTS.values())
        parts = [self.windows(group, round(number * hosts / whole)) for group, hosts in HOSTS.items()]
        rows = np.concatenate(parts)
        self._draws.shuffle(rows)
        return rows


def learned(rows: Array) -> Ensemble:
    """The product's own fit."""
    parameters = read_parameters(shipped("ensemble.toml"), EnsembleParameters)
    return fit(rows, NAMES, parameters, scale_min=window_parameters().scale_min)


def main() -> int:
    """A row for each group and model."""
    world = World(0)
    begun = time.perf_counter()
    kind = learned(np.concatenate([world.mixed(PER_DAY) for _ in range(LEARNED_DAYS)]))
    models = {
        group: learned(np.concatenate([world.windows(group, PER_DAY) for _ in range(LEARNED_DAYS)]))
        for group in HOSTS
    }
    sys.stdout.write(
        json.dumps({"fitted": 1 + len(models), "s": round(time.perf_counter() - begun, 1)}) + "\n"
    )
    for group in HOSTS:
        usual = np.concatenate([world.windows(group, TESTED_PER_DAY) for _ in range(TESTED_DAYS)])
        odd = np.concatenate([world.windows(other, ODD) for other in HOSTS if other != group])
        for name, model in (("kind", kind), ("group", models[group])):
            surprises, theirs = model.surprises(usual), model.surprises(odd)
            row = {
                "group": group,
                "model": name,
                "realised at 1e-2": round(float((surprises >= 2.0).mean()), 5),
                "realised at 1e-3": round(float((surprises >= 3.0).mean()), 5),
                "odd found at 1e-3": round(float((theirs >= 3.0).mean()), 3),
            }
            sys.stdout.write(json.dumps(row) + "\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
