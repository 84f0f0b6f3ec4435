"""Learning anew each night, guarded: what may be learned from, and which of two models goes on.

Whoever raises his activity a little every day would teach a model that follows it to call an attack usual.
So a refit learns only from windows within reach of what the champion was taught: the reach of each count
grows by a fixed share a day and no more, and the rarest windows are left out altogether.
"""

from typing import Final, Literal, NamedTuple

import msgspec
import numpy as np

from detection.anomaly.encoding import Array

TRIMMED_SURPRISE: Final = 2.0  # a window rarer than 1 in 100 teaches nothing
_REACH_MIN: Final = 1.0  # one event of something that never was is within reach


class RefitParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``refit`` of rules/anomaly/windows.toml."""

    days_max: int  # of history
    unguarded_days: int  # of learning, in which nothing is held back: an hour does not know the week
    rows_per_day: int
    rows_min: int  # fewer rows, no refit
    movement_per_day: float  # by which share the greatest usual count may grow from one day to the next
    outside_max: float  # share of rows outside the reach, beyond which nothing is learned
    trial_windows: int  # windows a challenger scores beside the champion before it is judged
    drift_windows: int  # windows after which realised and nominal shares are compared


class Lesson(NamedTuple):
    """What a refit may learn from."""

    rows: Array
    starts: Array
    outside: float  # share of rows out of reach
    fits: bool


def lesson(
    starts: Array,
    surprises: Array,
    rows: Array,
    taught: tuple[Array, Array] | None,
    days: float,
    parameters: RefitParameters,
) -> Lesson:
    """The rows to learn from; ``taught``: the least and greatest counts the champion learned ``days`` ago."""
    usual = surprises < TRIMMED_SURPRISE
    if taught is None:
        return Lesson(rows[usual], starts[usual], 0.0, int(usual.sum()) >= parameters.rows_min)
    low, high = taught
    growth = (1.0 + parameters.movement_per_day) ** max(days, 1.0)
    reach = (rows <= np.maximum(high, _REACH_MIN) * growth) & (rows >= low / growth - _REACH_MIN)
    inside = reach.all(axis=1)
    kept = usual & inside
    outside = float(1.0 - inside.mean()) if len(rows) else 0.0
    fits = outside <= parameters.outside_max and int(kept.sum()) >= parameters.rows_min
    return Lesson(rows[kept], starts[kept], outside, fits)


class Realised(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How often windows were as rare as 1 in 100 and as an alert; nominally 1 % and 1 in ``alert_one_in``."""

    windows: int = 0
    hundredth: int = 0
    alerts: int = 0

    def add(self, surprise: float, alert_surprise: float) -> None:
        """Count a window."""
        self.windows += 1
        self.hundredth += surprise >= 2.0
        self.alerts += surprise >= alert_surprise

    def ratio(self) -> float:
        """Realised share of 1 in 100 over the nominal one."""
        return self.hundredth / (0.01 * self.windows) if self.windows else 1.0


Verdict = Literal["wait", "promote", "reject"]


def verdict(champion: Realised, challenger: Realised, parameters: RefitParameters) -> tuple[Verdict, str]:
    """Whether a challenger may speak: it keeps to its nominal share, or at least not worse than the other."""
    if challenger.windows < parameters.trial_windows:
        return "wait", ""
    ours, theirs = _off(challenger.ratio()), _off(champion.ratio())
    mine, its = challenger.ratio(), champion.ratio()
    why = f"百里挑一实为 {mine:.2f} 倍,在用 {its:.2f} 倍 1 in 100 realised {mine:.2f}x, champion {its:.2f}x"
    return ("promote" if ours <= max(1.0, theirs) else "reject"), why


def _off(ratio: float) -> float:
    """How many doublings a realised share is off the nominal one."""
    return float(abs(np.log2(max(ratio, 1e-3))))
