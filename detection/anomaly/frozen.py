"""A fitted model of one kind of entity: the ensemble, what it was learned from, and its word on a window."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from detection.anomaly.calibration import one_in
from detection.anomaly.ensemble import Ensemble

Array = npt.NDArray[np.float64]


class Contribution(NamedTuple):
    """One feature of a window against what is usual of its kind: 5 % to 95 % of the learned windows."""

    feature: str
    value: float
    usual_low: float
    usual_high: float


class Opinion(NamedTuple):
    """What a model says of one window."""

    surprise: float  # minus log10 of the share of usual windows as rare as this
    one_in: float
    reasons: tuple[Contribution, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenModel:
    """Never changed after the fit."""

    kind: str
    ensemble: Ensemble
    first: int  # epoch seconds of the first and last window learned from
    last: int
    rows: int

    @property
    def features(self) -> tuple[str, ...]:
        """The counts of a window, in order."""
        return self.ensemble.features

    def opinions(self, rows: Array, reasons_from: float = 0.0) -> list[Opinion]:
        """Of each row of counts, by itself: what is scored with it changes nothing.

        Reasons are worked out for those whose surprise is at least ``reasons_from``.
        """
        if not len(rows):
            return []
        judged = self.ensemble.judge(rows, reasons_from=reasons_from)
        return [
            Opinion(
                float(surprise),
                one_in(float(surprise)),
                tuple(self._reason(row, at) for at in top if at >= 0),
            )
            for row, surprise, top in zip(rows, judged.surprise, judged.top, strict=True)
        ]

    def _reason(self, row: Array, at: int) -> Contribution:
        low, high = float(self.ensemble.low[at]), float(self.ensemble.high[at])
        return Contribution(self.features[at], float(row[at]), low, high)
