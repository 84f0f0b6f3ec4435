"""Anomaly detection per host and network source: learn, fit once, freeze, then score each closed window.

Fitting is given as a function and keeping as a callback, so this file does no IO and knows no PyOD.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec
import numpy as np

from crypto.words import Words
from detection.alert import Alert, Match
from detection.anomaly.frozen import Array, Contribution, FrozenModel
from detection.anomaly.learning import Learning
from detection.anomaly.windows import FEATURES, Closed, Kind, WindowParameters, Windows
from detection.detector import feed_each
from detection.special.remembered import Remembered
from sensors.event import Event

Fit = Callable[[Kind, Array, Array], FrozenModel]


class AnomalyDetector:
    """Scores one-minute windows against a frozen model per kind of entity."""

    name = "anomaly"

    def __init__(
        self,
        parameters: WindowParameters,
        models: Mapping[Kind, FrozenModel],
        fit: Fit,
        keep: Callable[[FrozenModel], None],
    ) -> None:
        """``models`` are those fitted before; ``keep`` makes a new one durable."""
        self._parameters = parameters
        self._models = dict(models)
        self._fit = fit
        self._keep = keep
        self._windows = Windows(parameters)
        self._learning = Learning(needed=parameters.learning_windows, ready=sorted(models))
        self._raised: Remembered[list[int]] = Remembered(
            list, keys_max=parameters.windows_open_max, weight_max=parameters.windows_open_max
        )
        self._changed = False
        self.scored = 0

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        """An alert for every closed window that is rarer than ``alert_one_in``."""
        return feed_each(self._take, events)

    def snapshot(self) -> bytes | None:
        """The learning state, where a window closed since the last call."""
        if not self._changed:
            return None
        self._changed = False
        kept = msgspec.structs.replace(
            self._learning,
            closed_until=self._windows.closed_until,
            known={host: sorted(programs) for host, programs in self._windows.known.items()},
        )
        return msgspec.json.encode(kept)

    def recall(self, snapshot: bytes) -> None:
        """Take up a learning state; one of another shape is left aside, and learning begins anew."""
        try:
            kept = msgspec.json.decode(snapshot, type=Learning)
        except msgspec.MsgspecError:
            return
        self._windows.closed_until.update(kept.closed_until)
        for host, programs in kept.known.items():
            self._windows.known.touch(host).update(programs[: self._parameters.known_programs_max])
        rows = {
            kind: [row for row in table if len(row[1]) == len(FEATURES)]
            for kind, table in kept.rows.items()
            if kind not in self._models
        }
        self._learning = Learning(
            needed=self._parameters.learning_windows, ready=sorted(self._models), rows=rows
        )

    def state(self) -> Words:
        """Ready, or how far the learning is."""
        return self._learning.words()

    def _take(self, event: Event) -> list[Alert]:
        return [alert for window in self._windows.add(event) for alert in self._judge(window)]

    def _judge(self, window: Closed) -> list[Alert]:
        self._changed = True
        model = self._models.get(window.kind)
        if model is None:
            if self._learning.add(window, self._parameters):
                self._freeze(window.kind)
            return []
        row = np.array(window.values, dtype=np.float64)
        score = float(model.scores(row[np.newaxis, :])[0])
        self.scored += 1
        one_in = model.one_in(score)
        if one_in < self._parameters.alert_one_in or self._repeated(window):
            return []
        return [self._alert(window, one_in, model.explain(row))]

    def _freeze(self, kind: Kind) -> None:
        rows = sorted(self._learning.rows[kind])
        starts = np.array([start for start, _ in rows], dtype=np.float64)
        model = self._fit(kind, np.array([values for _, values in rows], dtype=np.float64), starts)
        self._keep(model)  # where this fails the windows are still there, and the next one tries again
        self._models[kind] = model
        del self._learning.rows[kind]
        self._learning.ready = sorted(self._models)

    def _repeated(self, window: Closed) -> bool:
        told = self._raised.touch(f"{window.unit}\0{window.kind}\0{window.entity}")
        if told and abs(window.start - told[0]) < self._parameters.repeat_seconds:
            return True
        told[:] = [window.start]
        return False

    def _alert(self, window: Closed, one_in: float, top: list[Contribution]) -> Alert:
        saying = self._parameters.host if window.kind == "host" else self._parameters.source
        last = window.events[-1]
        return saying.alert(
            "anomaly",
            entity=f"{window.kind}:{window.entity}",
            numbers={
                "entity": window.entity,
                "one_in": f"{one_in:,.0f}",
                "start": datetime.fromtimestamp(window.start, UTC).isoformat(timespec="minutes"),
                "features": "、".join(_sentence(one).zh for one in top),
                "features_en": ", ".join(_sentence(one).en for one in top),
            },
            events=window.events,
            matched=tuple(
                Match(event=last.id, field=one.feature, value=one.value, selection=_sentence(one).zh)
                for one in top
            ),
        )


def _sentence(one: Contribution) -> Words:
    name = FEATURES[one.feature]
    usual = f"{one.usual_low:,.0f}–{one.usual_high:,.0f}"
    return Words(f"{name.zh} {one.value:,.0f}(平常 {usual})", f"{one.value:,.0f} {name.en} (usually {usual})")
