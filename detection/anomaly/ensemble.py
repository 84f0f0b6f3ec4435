"""Several frozen scorers over one space, each calibrated by itself, put together and calibrated again.

The combined score is the weighted mean of the members' surprises, each of them compressed far out, so that no
member outvotes the rest by a wild extrapolation of its own tail.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from detection.anomaly.calibration import Tail
from detection.anomaly.encoding import Array, Encoder, Labels
from detection.anomaly.histogram import Histogram, Tails
from detection.anomaly.mixture import Mixture
from detection.anomaly.prototypes import Prototypes
from detection.anomaly.scorer import Scorer
from detection.anomaly.subspace import Subspace

SCORERS: Final[Mapping[str, type[Scorer]]] = {
    one.kind: one for one in (Histogram, Subspace, Prototypes, Mixture)
}
SCREENS: Final = ("histogram", "subspace")  # the cheap members, which alone make the first tier
SURPRISE_FAR: Final = 6.0  # 1 in a million: further out a member's surprise grows by its logarithm only
TOP: Final = 3


class Member(NamedTuple):
    """A scorer, its calibration, and what its surprise weighs."""

    scorer: Scorer
    tail: Tail
    weight: float


class Judged(NamedTuple):
    """What the ensemble says of some rows."""

    score: Array  # weighted mean surprise of the members
    surprise: Array  # of that score: minus log10 of the share of usual rows that score as high
    top: npt.NDArray[np.intp]  # the features that matter most, the greatest first; -1: none, or not asked
    members: dict[str, Array]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ensemble:
    """Frozen: never changed after the fit. A row's score depends on the row and these arrays alone."""

    encoder: Encoder
    members: Mapping[str, Member]
    tails: Tails  # for the explanation
    tail: Tail  # of the combined score
    screen_tail: Tail  # of the first tier's score
    low: Array  # 5 % and 95 % of the learned counts
    high: Array
    least: Array  # the least and the greatest that was learned from
    most: Array

    @property
    def features(self) -> tuple[str, ...]:
        """Labels, then counts."""
        return self.encoder.features

    def judge(
        self, values: Array, labels: Labels = (), *, top: int = TOP, reasons_from: float = 0.0
    ) -> Judged:
        """Score and calibrate rows, and explain those whose surprise is at least ``reasons_from``."""
        points = self.encoder.points(values, labels)
        surprises: dict[str, Array] = {}
        nearest: dict[str, npt.NDArray[np.intp]] = {}
        for name, member in self._heard():
            if isinstance(member.scorer, Prototypes):
                nearest[name], score = member.scorer.near(points)
            else:
                score = member.scorer.score(points)
            surprises[name] = member.tail.surprises(score)
        score = combined(surprises, self.members)
        surprise = self.tail.surprises(score)
        told = np.flatnonzero(surprise >= reasons_from)
        greatest = np.full((len(points), min(top, len(self.features))), -1, dtype=np.intp)
        if len(told):
            some = points[told]
            reasons = self.tails.explain(some)
            for name, places in nearest.items():
                prototypes = self.members[name].scorer
                assert isinstance(prototypes, Prototypes)
                reasons += np.square(some - prototypes.points[places[told]])
            greatest[told] = _greatest(self.encoder.folded(reasons), top)
        return Judged(score, surprise, greatest, surprises)

    def scores(self, values: Array, labels: Labels = ()) -> Array:
        """The combined score alone."""
        points = self.encoder.points(values, labels)
        return combined(
            {name: one.tail.surprises(one.scorer.score(points)) for name, one in self._heard()},
            self.members,
        )

    def surprises(self, values: Array, labels: Labels = ()) -> Array:
        """How rare each row is, without reasons."""
        return self.tail.surprises(self.scores(values, labels))

    def screen(self, values: Array, labels: Labels = ()) -> Array:
        """Surprise by the cheap members alone: the first tier, where there is more than can be judged."""
        points = self.encoder.points(values, labels)
        score = screened(points, self.members)
        return self.screen_tail.surprises(score)

    def _heard(self) -> list[tuple[str, Member]]:
        """The members that weigh anything; one without weight serves the first tier alone."""
        return [(name, one) for name, one in self.members.items() if one.weight > 0.0]


def combined(surprises: Mapping[str, Array], members: Mapping[str, Member]) -> Array:
    """The weighted mean of compressed surprises."""
    whole = sum(members[name].weight for name in sorted(members))
    parts = [members[name].weight / whole * _compressed(surprises[name]) for name in sorted(surprises)]
    return np.asarray(sum(parts), dtype=np.float64)


def screened(points: Array, members: Mapping[str, Member]) -> Array:
    """The mean surprise of the cheap members."""
    parts = [
        _compressed(members[name].tail.surprises(members[name].scorer.score(points))) for name in SCREENS
    ]
    return np.asarray(sum(parts) / len(parts), dtype=np.float64)


def _compressed(surprise: Array) -> Array:
    far = np.maximum(surprise - SURPRISE_FAR, 0.0)
    return np.asarray(np.minimum(surprise, SURPRISE_FAR) + np.log1p(far), dtype=np.float64)


def _greatest(amounts: Array, top: int) -> npt.NDArray[np.intp]:
    """The columns of the greatest amounts of each row; passes over the rows are quicker than sorting them."""
    left = amounts.copy()
    rows = np.arange(len(left))
    found = np.empty((len(left), min(top, left.shape[1])), dtype=np.intp)
    for at in range(found.shape[1]):
        places = left.argmax(axis=1)
        found[:, at] = np.where(left[rows, places] > 0.0, places, -1)
        left[rows, places] = -np.inf
    return found
