"""Models of one kind at work: nights, trials, drift, and the ramp that is still told after thirty of them."""

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest

from detection.anomaly.champion import Champion
from detection.anomaly.encoding import Array
from detection.anomaly.frozen import FrozenModel
from detection.anomaly.history import DAY_SECONDS
from detection.anomaly.model import EnsembleParameters, fit
from detection.anomaly.open import window_parameters
from detection.anomaly.windows import FEATURES, Closed, Kind
from detection.parameters import read_parameters, shipped

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = tuple(FEATURES)
SMALL = msgspec.structs.replace(
    read_parameters(shipped("ensemble.toml"), EnsembleParameters), components=1, prototypes_max=100
)
REFIT = msgspec.structs.replace(window_parameters().refit, rows_min=60, trial_windows=100, rows_per_day=120)


class Shelf:
    """Fits small models and remembers what was done."""

    def __init__(self) -> None:
        self.acts: list[str] = []

    def fit(self, kind: Kind, rows: Array, starts: Array) -> FrozenModel:
        ensemble = fit(rows, NAMES, SMALL, scale_min=0.25)
        return FrozenModel(
            kind=kind, ensemble=ensemble, first=int(starts[0]), last=int(starts[-1]), rows=len(rows)
        )

    def begin(self, kind: Kind, rows: Array, starts: Array) -> Callable[[], FrozenModel | None]:
        made = self.fit(kind, rows, starts)
        return lambda: made

    def first(self, model: FrozenModel, now: datetime) -> None:
        self.acts.append("first")

    def try_out(self, model: FrozenModel, now: datetime) -> None:
        self.acts.append("trial")

    def judge(self, kind: Kind, *, promote: bool, why: str, now: datetime) -> None:
        self.acts.append("promoted" if promote else "rejected")

    def moved(self, _kind: str) -> tuple[FrozenModel, FrozenModel | None] | None:
        return None


def day_of(day: int, events: float) -> list[Closed]:
    """120 windows of one day whose events, destinations and bytes sent are around ``events``."""
    generator = np.random.default_rng(day)
    rates = np.full(len(NAMES), 5.0)
    rates[[0, 10, 12]] = events
    rows = generator.poisson(rates, (120, len(NAMES)))
    return [
        Closed("source", "u", "s", f"10.0.0.{n % 4}", day * DAY_SECONDS + n * 600, tuple(map(float, row)), ())
        for n, row in enumerate(rows)
    ]


@pytest.fixture(scope="module")
def taught() -> FrozenModel:
    """A champion of eight quiet days."""
    windows = [one for day in range(8) for one in day_of(day, 40)]
    rows = np.array([one.values for one in windows])
    return Shelf().fit("source", rows, np.array([float(one.start) for one in windows]))


def test_each_night_is_a_lesson_or_a_verdict(taught: FrozenModel) -> None:
    shelf = Shelf()
    champion = Champion(taught, None, REFIT, 3.3)
    for day in range(8, 13):
        windows = day_of(day, 40)
        champion.night(windows[0].start, shelf, NOW)
        champion.opinions(windows)
    assert shelf.acts[0] == "trial"
    assert set(shelf.acts[1:]) <= {"promoted", "rejected", "trial"}
    assert len(shelf.acts) >= 5  # the first day teaches; then verdict and lesson each night


@pytest.mark.slow
def test_a_ramp_of_five_percent_a_day_is_still_told_after_thirty_days(taught: FrozenModel) -> None:
    shelf = Shelf()
    champion = Champion(taught, None, REFIT, 3.3)
    told: list[float] = []
    for day in range(8, 39):
        windows = day_of(day, 40 * 1.05 ** (day - 8))
        champion.night(windows[0].start, shelf, NOW)
        said = champion.opinions(windows)
        told.append(float(np.mean([one.surprise >= 3.0 for one in said])))
    assert told[0] < 0.05
    assert told[-1] > 0.9
    assert champion.kept().outside > 0.9  # and the state says that behaviour moved


def test_scoring_goes_on_while_a_model_is_fitted(taught: FrozenModel) -> None:
    class Slow(Shelf):
        waits = 2

        def begin(self, kind: Kind, rows: Array, starts: Array) -> Callable[[], FrozenModel | None]:
            def asked() -> FrozenModel | None:
                self.waits -= 1
                return None if self.waits >= 0 else taught

            return asked

    shelf = Slow()
    champion = Champion(taught, None, REFIT, 3.3)
    for day in (8, 9, 9, 9):
        windows = day_of(day, 40)
        champion.night(windows[0].start, shelf, NOW)
        assert len(champion.opinions(windows)) == len(windows)
    assert shelf.acts == ["trial"]
    assert champion.challenger is taught


def test_a_snapshot_carries_history_and_shares(taught: FrozenModel) -> None:
    champion = Champion(taught, None, REFIT, 3.3)
    champion.night(8 * DAY_SECONDS, Shelf(), NOW)
    champion.opinions(day_of(8, 40))
    again = Champion(taught, None, REFIT, 3.3)
    again.recall(msgspec.json.decode(msgspec.json.encode(champion.kept()), type=type(champion.kept())))
    assert again.kept() == champion.kept()


def test_a_model_that_no_longer_fits_is_told_once(taught: FrozenModel) -> None:
    few = msgspec.structs.replace(REFIT, drift_windows=120)
    champion = Champion(taught, None, few, 3.3)
    champion.opinions(day_of(8, 400))
    drifted = champion.drift()
    assert drifted is not None
    assert drifted.ratio() > 50
    assert champion.drift() is None


def test_another_choice_of_a_person_ends_the_trial_and_counts_anew(taught: FrozenModel) -> None:
    champion = Champion(taught, taught, REFIT, 3.3)
    champion.opinions(day_of(9, 40))
    assert champion.kept().challenger.windows == 120
    other = Shelf().fit("source", np.array([one.values for one in day_of(1, 40)]), np.array([0.0, 1.0]))
    champion.replaced(other, None)
    assert (champion.model, champion.challenger) == (other, None)
    assert champion.kept().champion.windows == 0
    assert champion.kept().days  # what it learns from stays
