"""What analysts' closings teach: proposals a person may accept, weights that rank. Silence teaches nothing.

A label is an anomaly group that somebody closed with a verdict. Several "expected here" about one entity
propose an exception for it; many that were not true of one rule in one unit propose a rarer threshold there.
Both are exceptions with an end, and hold only once a person has asked for them. From ``labels_min`` labels on
a logistic regression over how rare the window was and its context says how likely a person calls it odd.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec
import numpy as np
from msgspec import UNSET

from crypto.words import Words
from detection.alert import Alert
from detection.anomaly.encoding import Array
from detection.calendar import Calendar
from detection.exceptions import term
from detection.parameters import read_parameters, shipped, site_file

Verdict = Literal["true_positive", "benign_positive", "false_positive"]
VERDICTS: Final[tuple[Verdict, ...]] = ("true_positive", "benign_positive", "false_positive")

CONTEXT: Final = ("rarity", "excess", "counts", "never", "repeated", "habit", "off_hours")
_ONE_IN: Final = 1_000.0  # of alerts from before they told
_SCALE_MIN: Final = 1e-6


class FeedbackParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file rules/anomaly/feedback.toml."""

    shift_hours: int
    budget_per_unit: int
    labels_min: int
    labels_each_min: int
    ridge: float
    rounds: int
    expected_min: int
    false_min: int
    false_share: float
    threshold_factor: float
    threshold_max: float
    proposed_days: int


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """A closed anomaly group: how it was judged, and the newest alert it was judged by."""

    group: str
    verdict: Verdict
    count: int
    alert: Alert


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """An exception that closings speak for; nothing holds before a person asks for it."""

    kind: Literal["entity", "threshold"]
    rule: str
    unit: str
    condition: str
    labels: int
    days: int
    why: Words


class Reranker(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Weights over CONTEXT, learned from labels in order of their groups: same labels, same bits."""

    version: int
    labels: int
    odd: int  # of them true
    context: tuple[str, ...]
    center: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]  # the first stands alone

    def probability(self, context: Sequence[float]) -> float:
        """How likely a person would call it odd."""
        plain = (np.array(context) - np.array(self.center)) / np.array(self.scale)
        return float(_sigmoid(np.array([self.weights[0] + float(plain @ np.array(self.weights[1:]))]))[0])


def feedback_parameters(site: Path | None = None) -> FeedbackParameters:
    """The parameters that came with the product, under those of the site's file. Raises BadInput."""
    return read_parameters(shipped("feedback.toml"), FeedbackParameters, over=site_file(site))


def one_in_of(alert: Alert) -> float:
    """Of how many windows one is as rare."""
    return max((one.one_in for one in alert.matched if one.one_in is not UNSET), default=_ONE_IN)


def context_of(alert: Alert, count: int, calendar: Calendar) -> tuple[float, ...]:
    """The columns of CONTEXT."""
    counted = [one for one in alert.matched if isinstance(one.value, int | float)]
    beyond = [0.0]
    for one in counted:
        span = one.peers if one.usual is UNSET else one.usual
        if span is not UNSET:
            beyond.append(float(np.log1p(max(float(one.value) - span[1], 0.0) / max(span[1], 1.0))))  # type: ignore[arg-type]
    never = sum(one.last is UNSET for one in counted) / max(len(counted), 1)
    return (
        float(np.log10(max(one_in_of(alert), 1.0))),
        max(beyond),
        float(len(counted)),
        never,
        float(np.log1p(count)),
        float(alert.rule.endswith("-habit")),
        float(calendar.is_off_hours(alert.time)),
    )


def learned(
    labels: Sequence[Label], calendar: Calendar, parameters: FeedbackParameters, version: int
) -> Reranker | None:
    """The weights of the labels; None where they are too few or all alike."""
    ordered = sorted(labels, key=lambda label: label.group)
    truth = np.array([float(label.verdict == "true_positive") for label in ordered])
    odd = int(truth.sum())
    if len(ordered) < parameters.labels_min or min(odd, len(ordered) - odd) < parameters.labels_each_min:
        return None
    rows = np.array([context_of(label.alert, label.count, calendar) for label in ordered], dtype=np.float64)
    center, scale = rows.mean(axis=0), rows.std(axis=0)
    scale = np.where(scale < _SCALE_MIN, 1.0, scale)
    plain = np.hstack([np.ones((len(rows), 1)), (rows - center) / scale])
    weights = _fitted(plain, truth, parameters)
    return Reranker(
        version=version,
        labels=len(ordered),
        odd=odd,
        context=CONTEXT,
        center=tuple(center.tolist()),
        scale=tuple(scale.tolist()),
        weights=tuple(weights.tolist()),
    )


def proposals(labels: Sequence[Label], parameters: FeedbackParameters) -> list[Proposal]:
    """What closings speak for; never about an entity of which anything was true."""
    by_entity: dict[tuple[str, str, str], list[Label]] = defaultdict(list)
    by_peers: dict[tuple[str, str], list[Label]] = defaultdict(list)
    for label in labels:
        by_entity[label.alert.rule, label.alert.unit, label.alert.entity].append(label)
        by_peers[label.alert.rule, label.alert.unit].append(label)
    true = {(one.alert.unit, one.alert.entity) for one in labels if one.verdict == "true_positive"}
    found: list[Proposal] = []
    for (rule, unit, entity), group in sorted(by_entity.items()):
        expected = sum(one.verdict == "benign_positive" for one in group)
        if expected >= parameters.expected_min and (unit, entity) not in true:
            why = Words(
                f"{entity} 的该类告警已有 {expected} 次被判为此处可预期",
                f"this alert about {entity} was judged as expected here {expected} times",
            )
            found.append(
                _proposal("entity", rule, unit, term("alert.entity", entity), expected, why, parameters)
            )
    for (rule, unit), group in sorted(by_peers.items()):
        found.extend(_threshold(rule, unit, group, parameters))
    return found


def _threshold(
    rule: str, unit: str, group: Sequence[Label], parameters: FeedbackParameters
) -> list[Proposal]:
    """A rarer threshold for one rule in one unit, below everything there that was true."""
    wrong = [one_in_of(one.alert) for one in group if one.verdict == "false_positive"]
    right = [one_in_of(one.alert) for one in group if one.verdict == "true_positive"]
    if len(group) < parameters.false_min or len(wrong) < parameters.false_share * len(group):
        return []
    rarer = min(min(wrong) * parameters.threshold_factor, parameters.threshold_max, *right)
    if not any(one < rarer for one in wrong):
        return []
    why = Words(
        f"{len(group)} 次判定中 {len(wrong)} 次为误报;只告警比 1/{rarer:,.0f} 更少见的",
        f"{len(wrong)} of {len(group)} judged were false; tell only what is rarer than 1 in {rarer:,.0f}",
    )
    return [_proposal("threshold", rule, unit, f"alert.one_in<{rarer:.0f}", len(group), why, parameters)]


def _proposal(
    kind: Literal["entity", "threshold"],
    rule: str,
    unit: str,
    condition: str,
    labels: int,
    why: Words,
    parameters: FeedbackParameters,
) -> Proposal:
    return Proposal(
        kind=kind,
        rule=rule,
        unit=unit,
        condition=condition,
        labels=labels,
        days=parameters.proposed_days,
        why=why,
    )


def _fitted(plain: Array, truth: Array, parameters: FeedbackParameters) -> Array:
    """Newton's steps of a ridge logistic regression; it is convex, so they end in one place."""
    weights = np.zeros(plain.shape[1])
    pull = np.full(plain.shape[1], parameters.ridge)
    pull[0] = _SCALE_MIN
    for _ in range(parameters.rounds):
        said = _sigmoid(plain @ weights)
        slope = plain.T @ (truth - said) - pull * weights
        bend = (plain * (said * (1.0 - said))[:, np.newaxis]).T @ plain + np.diag(pull)
        weights = weights + np.linalg.solve(bend, slope)
    return weights


def _sigmoid(values: Array) -> Array:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(values, -30.0, 30.0))), dtype=np.float64)
