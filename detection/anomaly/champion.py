"""The models of one kind at work: one speaks, one may be on trial, and each night there is a lesson.

Fitting and keeping are given as ports, so this file does no IO and knows no PyOD.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol

import msgspec
import numpy as np

from detection.anomaly.encoding import Array
from detection.anomaly.frozen import FrozenModel, Opinion
from detection.anomaly.history import DAY_SECONDS, History
from detection.anomaly.learning import Kept
from detection.anomaly.refit import Lesson, Realised, RefitParameters, lesson, verdict
from detection.anomaly.windows import FEATURES, Closed

DRIFT_RATIOS: Final = (0.5, 2.0)  # of the realised over the nominal share: beyond them "1 in N" is not true


class Shelf(Protocol):
    """Where models are fitted, kept and chosen (detection.anomaly.open)."""

    def fit(self, kind: str, rows: Array, starts: Array) -> FrozenModel:
        """A model of rows in order of time. Raises ArithmeticError."""
        ...

    def begin(self, kind: str, rows: Array, starts: Array) -> Callable[[], FrozenModel | None]:
        """Fit beside this thread; what is returned gives the model once it is there, or raises."""
        ...

    def first(self, model: FrozenModel, now: datetime) -> None:
        """Keep a first model; it speaks at once. Raises OSError."""
        ...

    def try_out(self, model: FrozenModel, now: datetime) -> None:
        """Keep a model that is on trial from now on. Raises OSError."""
        ...

    def judge(self, kind: str, *, promote: bool, why: str, now: datetime) -> None:
        """End the trial."""
        ...

    def moved(self, kind: str) -> tuple[FrozenModel, FrozenModel | None] | None:
        """Which models a person chose meanwhile, the one that speaks and the one on trial; None: none."""
        ...


def new_history(parameters: RefitParameters) -> History:
    """For the windows of one kind or one of its peer groups."""
    return History(len(FEATURES), days_max=parameters.days_max, rows_max=parameters.rows_per_day)


class Champion:
    """Scores windows of one kind, and learns anew from them."""

    def __init__(
        self,
        model: FrozenModel,
        challenger: FrozenModel | None,
        parameters: RefitParameters,
        alert_surprise: float,
        history: History | None = None,
    ) -> None:
        self.model = model
        self.challenger = challenger
        self._parameters = parameters
        self._alert_surprise = alert_surprise
        self._history = history or new_history(parameters)
        self._kept = Kept()
        self._fitting: Callable[[], FrozenModel | None] | None = None

    def opinions(self, windows: list[Closed]) -> list[Opinion]:
        """What the champion says of each window; both models' shares are counted, and the rows kept."""
        rows = np.array([window.values for window in windows], dtype=np.float64)
        said = self.model.opinions(rows, self._alert_surprise)
        for window, opinion in zip(windows, said, strict=True):
            self._kept.champion.add(opinion.surprise, self._alert_surprise)
            self._history.add(window, opinion.surprise)
        if self.challenger is not None:
            for surprise in self.challenger.ensemble.surprises(rows).tolist():
                self._kept.challenger.add(surprise, self._alert_surprise)
        return said

    def replaced(self, model: FrozenModel, challenger: FrozenModel | None) -> None:
        """A person went back: other models from now on, and their shares are counted anew."""
        self.model, self.challenger, self._fitting = model, challenger, None
        self._kept = msgspec.structs.replace(self._kept, champion=Realised(), challenger=Realised())

    def night(self, start: int, shelf: Shelf, now: datetime) -> None:
        """At the first window of a new day: judge the trial, and where there is none, learn anew."""
        self._take_up(shelf, now)
        day = start // DAY_SECONDS
        if not self._kept.refitted:
            self._kept.refitted = day
        if day <= self._kept.refitted:
            return
        self._kept.refitted = day
        if self.challenger is not None:
            self._judge(shelf, now)
        if self.challenger is None and self._fitting is None:
            self._learn(day, shelf, now)

    def drift(self) -> Realised | None:
        """The realised shares, where enough windows were counted and they are not nominal; counts anew."""
        realised = self._kept.champion
        if realised.windows < self._parameters.drift_windows:
            return None
        self._kept.champion = Realised()
        low, high = DRIFT_RATIOS
        return None if low <= realised.ratio() <= high else realised

    @property
    def windows(self) -> int:
        """Windows of the days that history holds."""
        return self._history.windows

    def lesson(self, history: History, day: int) -> Lesson:
        """What may be learned from windows whose surprises are this champion's."""
        starts, surprises, rows = history.table()
        days = day - self.model.last / DAY_SECONDS
        settled = self.model.last - self.model.first >= self._parameters.unguarded_days * DAY_SECONDS
        taught = (self.model.ensemble.least, self.model.ensemble.most) if settled else None
        # a model of an hour finds most of a day rare: what it finds rare is held against nobody yet
        surprises = surprises if settled else np.zeros(len(surprises))
        return lesson(starts, surprises, rows, taught, days, self._parameters)

    def kept(self) -> Kept:
        """What a snapshot keeps."""
        return msgspec.structs.replace(self._kept, days=self._history.days())

    def recall(self, kept: Kept) -> None:
        """Take up what a snapshot kept."""
        self._history.recall(kept.days)
        self._kept = msgspec.structs.replace(kept, days={})

    def _judge(self, shelf: Shelf, now: datetime) -> None:
        assert self.challenger is not None
        decided, why = verdict(self._kept.champion, self._kept.challenger, self._parameters)
        if decided == "wait":
            return
        shelf.judge(self.model.kind, promote=decided == "promote", why=why, now=now)
        if decided == "promote":
            self.model = self.challenger
            self._kept.champion = Realised()
        self.challenger = None
        self._kept.challenger = Realised()

    def _learn(self, day: int, shelf: Shelf, now: datetime) -> None:
        learned = self.lesson(self._history, day)
        self._kept.outside = 0.0 if learned.fits else learned.outside
        if not learned.fits:
            return
        self._fitting = shelf.begin(self.model.kind, learned.rows, learned.starts)
        self._take_up(shelf, now)

    def _take_up(self, shelf: Shelf, now: datetime) -> None:
        """Put a model on trial once it is fitted."""
        if self._fitting is None:
            return
        asked, self._fitting = self._fitting, None
        fitted = asked()
        if fitted is None:
            self._fitting = asked
            return
        shelf.try_out(fitted, now)
        self.challenger = fitted
        self._kept.challenger = Realised()
