"""Fits the members of an ensemble once, with PyOD, and freezes them; the only file that imports PyOD.

KNN and GMM, not PyOD's ECOD or COPOD: those join the training set to every batch they score, so that a flood
makes itself normal. What is frozen must score as PyOD does, or nothing may be scored by it.
"""

import warnings
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from pyod.models.gmm import GMM
from pyod.models.knn import KNN

from detection.anomaly.calibration import Tail
from detection.anomaly.encoding import Array, Encoder, Labels
from detection.anomaly.ensemble import Ensemble, Member, combined, screened
from detection.anomaly.histogram import Histogram, Tails
from detection.anomaly.mixture import Mixture
from detection.anomaly.prototypes import Prototypes
from detection.anomaly.scorer import Scorer
from detection.anomaly.subspace import VARIANCE_KEPT, Subspace

AGREEMENT_MAX: Final = 1e-9  # largest relative difference allowed between PyOD's score and the frozen one
AGREEMENT_MAX_SINGLE: Final = 1e-4  # of prototypes: candidates are found in single precision
_AGREEMENT_ROWS: Final = 256


class Weights(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What each member's surprise weighs."""

    histogram: float
    subspace: float
    prototypes: float
    mixture: float


class EnsembleParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file rules/anomaly/ensemble.toml."""

    held_out: float
    rows_max: int
    neighbours: int
    prototypes_max: int
    components: int
    beginnings: int
    rows_per_component: int
    regularisation: float
    iterations_max: int
    weights: Weights


def fit(
    values: Array,
    names: tuple[str, ...],
    parameters: EnsembleParameters,
    *,
    labels: Labels = (),
    label_names: tuple[str, ...] = (),
    scale_min: float = 0.0,
) -> Ensemble:
    """The ensemble of rows in order of time; the newest ``held_out`` share calibrates it.

    Raises ArithmeticError where frozen scores do not equal PyOD's.
    """
    total = len(values)
    split = total - max(int(total * parameters.held_out), parameters.neighbours + 1)
    assert split > parameters.neighbours, "too few rows to fit"
    learned = _even(split, parameters.rows_max)
    known = [labels[i] for i in learned] if label_names else ()
    encoder = Encoder.learned(
        values[learned], names, labels=known, label_names=label_names, scale_min=scale_min
    )
    points = encoder.points(values[learned], known)
    apart = encoder.points(values[split:], labels[split:] if label_names else ())
    members: dict[str, Member] = {}
    for scorer in _scorers(points, apart, parameters):
        weight = float(getattr(parameters.weights, scorer.kind))
        members[scorer.kind] = Member(scorer, Tail.fitted(scorer.score(apart)), weight)
    surprises = {name: one.tail.surprises(one.scorer.score(apart)) for name, one in members.items()}
    low, high = np.quantile(values[learned], [0.05, 0.95], axis=0)
    return Ensemble(
        encoder=encoder,
        members=members,
        tails=Tails.learned(points),
        tail=Tail.fitted(combined(surprises, members)),
        screen_tail=Tail.fitted(screened(apart, members)),
        low=low,
        high=high,
        least=values.min(axis=0),
        most=values.max(axis=0),
    )


def _scorers(points: Array, apart: Array, parameters: EnsembleParameters) -> list[Scorer]:
    chosen = points[spread(points, parameters.prototypes_max)]
    return [
        Histogram.learned(points),
        _subspace(points),
        _prototypes(chosen, apart, parameters.neighbours),
        _mixture(points, apart, parameters),
    ]


def _subspace(points: Array) -> Subspace:
    center = points.mean(axis=0)
    variances, vectors = np.linalg.eigh(np.cov(points - center, rowvar=False).reshape(points.shape[1], -1))
    order = np.argsort(-variances, kind="stable")
    shares = np.cumsum(variances[order]) / max(float(variances.sum()), 1e-12)
    kept = min(int(np.searchsorted(shares, VARIANCE_KEPT)) + 1, points.shape[1])
    return Subspace.of_components(center, vectors[:, order[:kept]].T)


def _prototypes(chosen: Array, apart: Array, neighbours: int) -> Prototypes:
    detector = KNN(n_neighbors=neighbours, method="largest")
    detector.fit(chosen)
    made = Prototypes.of_points(np.ascontiguousarray(detector.neigh_._fit_X, dtype=np.float64), neighbours)
    _agree(made, detector.decision_function(apart[:_AGREEMENT_ROWS]), apart)
    return made


def _mixture(points: Array, apart: Array, parameters: EnsembleParameters) -> Mixture:
    count = max(1, min(parameters.components, len(points) // parameters.rows_per_component))
    weights: list[Array] = []
    means: list[Array] = []
    factors: list[Array] = []
    for seed in range(parameters.beginnings if count > 1 else 1):  # one Gaussian has but one best fit
        detector = GMM(
            n_components=count,
            reg_covar=parameters.regularisation,
            max_iter=parameters.iterations_max,
            random_state=seed,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "not converged": the bound on iterations is meant
            detector.fit(points)
        fitted = detector.detector_
        weights.append(fitted.weights_)
        means.append(fitted.means_)
        factors.append(fitted.precisions_cholesky_)
        alone = Mixture.of_components(fitted.weights_, fitted.means_, fitted.precisions_cholesky_)
        _agree(alone, detector.decision_function(apart[:_AGREEMENT_ROWS]), apart)
    return Mixture.of_components(
        np.concatenate(weights) / len(weights), np.concatenate(means), np.concatenate(factors)
    )


def _agree(scorer: Scorer, theirs: Array, apart: Array) -> None:
    ours = scorer.score(apart[:_AGREEMENT_ROWS])
    difference = float((np.abs(ours - theirs) / np.maximum(np.abs(theirs), 1.0)).max())
    if difference > (AGREEMENT_MAX_SINGLE if isinstance(scorer, Prototypes) else AGREEMENT_MAX):
        raise ArithmeticError(f"frozen scores of {scorer.kind} differ from PyOD's by {difference}")


def _even(count: int, most: int) -> npt.NDArray[np.intp]:
    """At most ``most`` places, evenly over ``count`` rows."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.intp))


def spread(points: Array, most: int) -> npt.NDArray[np.intp]:
    """At most ``most`` places of points that cover all of them: k-means++ seeding, the same every time.

    Each next one is drawn by its squared distance to those drawn before, so that rare but usual rows are kept
    and the crowd is thinned; thinning evenly would forget the former and call them strange.
    """
    if len(points) <= most:
        return np.arange(len(points), dtype=np.intp)
    draws = np.random.default_rng(0)
    single = points.astype(np.float32)
    chosen = np.zeros(most, dtype=np.intp)
    nearest = np.full(len(points), np.inf)
    for at in range(1, most):
        off = single - single[chosen[at - 1]]
        nearest = np.minimum(nearest, np.einsum("rc,rc->r", off, off))
        reached = np.cumsum(nearest)
        if reached[-1] <= 0.0:  # every point equals a chosen one
            return np.sort(chosen[:at])
        chosen[at] = min(int(np.searchsorted(reached, draws.random() * reached[-1])), len(points) - 1)
    return np.sort(np.unique(chosen))
