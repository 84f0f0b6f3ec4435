"""Rows as windows give them, and one small ensemble fitted on them for all tests."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: several threads wait for each other

import msgspec
import numpy as np
import pytest

from detection.anomaly.encoding import Array
from detection.anomaly.ensemble import Ensemble
from detection.anomaly.frozen import FrozenModel
from detection.anomaly.windows import FEATURES
from detection.parameters import read_parameters, shipped

NAMES = tuple(FEATURES)


def usual_rows(number: int, seed: int) -> Array:
    """Counts around sixteen rates; the fourth never happens."""
    made = np.random.default_rng(seed)
    rows: Array = made.poisson(np.linspace(1, 60, len(NAMES)), (number, len(NAMES))).astype(np.float64)
    rows[:, 3] = 0.0
    return rows


@pytest.fixture(scope="session")
def ensemble() -> Ensemble:
    from detection.anomaly.model import EnsembleParameters, fit

    shipped_ones = read_parameters(shipped("ensemble.toml"), EnsembleParameters)
    small = msgspec.structs.replace(shipped_ones, beginnings=2, components=2, prototypes_max=300)
    return fit(usual_rows(3_000, 1), NAMES, small, scale_min=0.25)


@pytest.fixture(scope="session")
def model(ensemble: Ensemble) -> FrozenModel:
    return FrozenModel(kind="host", ensemble=ensemble, first=0, last=900 * 60, rows=900)
