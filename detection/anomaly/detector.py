"""Anomaly detection per host and network source: learn, freeze, score closed windows, learn anew at night.

Fitting and keeping are given as a port, so this file does no IO and knows no PyOD.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

import msgspec
import numpy as np
from msgspec import UNSET

from crypto.words import Words
from detection.alert import Alert, Match
from detection.anomaly.champion import Champion, Shelf
from detection.anomaly.frozen import Contribution, FrozenModel, Opinion
from detection.anomaly.learning import KIND_WORDS, Learning
from detection.anomaly.own import Own, OwnRanges
from detection.anomaly.refit import Realised
from detection.anomaly.windows import FEATURES, KINDS, Closed, Kind, WindowParameters, Windows
from detection.detector import feed_each
from detection.special.remembered import Remembered
from sensors.event import Event

SNAPSHOT_SECONDS: Final = 240  # well within what the pipeline warms its detectors with
Models = Mapping[Kind, tuple[FrozenModel, FrozenModel | None]]  # champion, and challenger on trial


class AnomalyDetector:
    """Scores one-minute windows against a frozen model per kind of entity."""

    name = "anomaly"

    def __init__(
        self, parameters: WindowParameters, models: Models, shelf: Shelf, own: Callable[[], OwnRanges]
    ) -> None:
        """``models`` are those fitted before; the shelf makes new ones and keeps them."""
        self._parameters = parameters
        self._shelf = shelf
        self._champions = {kind: self._champion(*pair) for kind, pair in models.items()}
        self._windows = Windows(parameters)
        self._learning = Learning(needed=parameters.learning_windows, ready=sorted(models))
        self._raised: Remembered[list[int]] = Remembered(
            list, keys_max=parameters.windows_open_max, weight_max=parameters.windows_open_max
        )
        self._own = {kind: own() for kind in KINDS}
        self._changed = False
        self._now = self._kept_at = 0
        self._kept_models: list[int] = []  # which spoke and were on trial at the last snapshot
        self.scored = 0

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        """An alert for every closed window that is rarer than ``alert_one_in``."""
        return feed_each(self._take, events)

    def snapshot(self) -> bytes | None:
        """The learning state: each window while it learns, then every ``SNAPSHOT_SECONDS`` of event time.

        What comes between is seen again after a restart, when the pipeline warms its detectors.
        """
        models = [id(one) for each in self._champions.values() for one in (each.model, each.challenger)]
        known = len(self._champions) == len(KINDS) and models == self._kept_models
        if not self._changed or (known and abs(self._now - self._kept_at) < SNAPSHOT_SECONDS):
            return None
        self._changed, self._kept_at, self._kept_models = False, self._now, models
        kept = msgspec.structs.replace(
            self._learning,
            closed_until=self._windows.closed_until,
            known={host: sorted(programs) for host, programs in self._windows.known.items()},
            kept={kind: champion.kept() for kind, champion in self._champions.items()},
            own={kind: own.memory() for kind, own in self._own.items()},
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
            if kind not in self._champions
        }
        for kind, memory in kept.own.items():
            self._own[kind].recall(memory)
        for kind, remembered in kept.kept.items():
            if kind in self._champions:
                self._champions[kind].recall(remembered)
        self._learning = Learning(
            needed=self._parameters.learning_windows, ready=sorted(self._champions), rows=rows
        )

    def state(self) -> Words:
        """Ready, or how far the learning is."""
        kept = {kind: champion.kept() for kind, champion in self._champions.items()}
        return msgspec.structs.replace(self._learning, kept=kept).words()

    def _take(self, event: Event) -> list[Alert]:
        closed = list(self._windows.add(event))
        alerts: list[Alert] = []
        for (_, kind), windows in groupby(closed, key=lambda one: (one.start, one.kind)):
            alerts.extend(self._judge(kind, list(windows)))
        return alerts

    def _judge(self, kind: Kind, windows: list[Closed]) -> list[Alert]:
        """Windows of one kind that began together."""
        self._changed, self._now = True, windows[0].start
        alerts = self._judged(kind, windows)
        rows = np.array([window.values for window in windows], dtype=np.float64)
        keys = [_key(window) for window in windows]
        self._own[kind].learn(windows[0].start, keys, [window.unit for window in windows], rows)
        return alerts

    def _judged(self, kind: Kind, windows: list[Closed]) -> list[Alert]:
        champion = self._champions.get(kind)
        if champion is None:
            full = [self._learning.add(window, self._parameters) for window in windows]
            if full[-1]:
                self._freeze(kind, windows[-1])
            return []
        if (chosen := self._shelf.moved(kind)) is not None:
            champion.replaced(*chosen)
        champion.night(windows[0].start, self._shelf, windows[0].events[-1].time)
        self.scored += len(windows)
        alerts = [
            self._alert(window, opinion)
            for window, opinion in zip(windows, champion.opinions(windows), strict=True)
            if opinion.one_in >= self._parameters.alert_one_in and not self._repeated(window)
        ]
        if realised := champion.drift():
            alerts.append(self._drifted(kind, windows[-1], realised))
        return alerts

    def _freeze(self, kind: Kind, window: Closed) -> None:
        rows = sorted(self._learning.rows[kind])
        starts = np.array([start for start, _ in rows], dtype=np.float64)
        model = self._shelf.fit(kind, np.array([values for _, values in rows], dtype=np.float64), starts)
        self._shelf.first(model, window.events[-1].time)  # where it fails the next window tries again
        self._champions[kind] = self._champion(model, None)
        del self._learning.rows[kind]
        self._learning.ready = sorted(self._champions)

    def _champion(self, model: FrozenModel, challenger: FrozenModel | None) -> Champion:
        surprise = float(np.log10(self._parameters.alert_one_in))
        return Champion(model, challenger, self._parameters.refit, surprise)

    def _repeated(self, window: Closed) -> bool:
        told = self._raised.touch(f"{window.unit}\0{window.kind}\0{window.entity}")
        if told and abs(window.start - told[0]) < self._parameters.repeat_seconds:
            return True
        told[:] = [window.start]
        return False

    def _drifted(self, kind: Kind, window: Closed, realised: Realised) -> Alert:
        last = window.events[-1]
        return self._parameters.drift.alert(
            "anomaly",
            entity=f"model:{kind}",
            numbers={
                "kind": KIND_WORDS[kind].zh,
                "kind_en": KIND_WORDS[kind].en,
                "share": f"{realised.ratio():.1f}",
                "windows": f"{realised.windows:,}",
            },
            events=window.events,
            matched=(Match(event=last.id, field="surprise", value=realised.ratio()),),
        )

    def _alert(self, window: Closed, opinion: Opinion) -> Alert:
        saying = self._parameters.host if window.kind == "host" else self._parameters.source
        last = window.events[-1]
        top = opinion.reasons
        own = self._own[window.kind].before(_key(window), window.start, [one.feature for one in top])
        return saying.alert(
            "anomaly",
            entity=f"{window.kind}:{window.entity}",
            numbers={
                "entity": window.entity,
                "one_in": f"{opinion.one_in:,.0f}",
                "start": datetime.fromtimestamp(window.start, UTC).isoformat(timespec="minutes"),
                "features": "、".join(_sentence(one).zh for one in top),
                "features_en": ", ".join(_sentence(one).en for one in top),
            },
            events=window.events,
            matched=tuple(
                _match(last.id, one, its, opinion.one_in) for one, its in zip(top, own, strict=True)
            ),
        )


def _key(window: Closed) -> str:
    return f"{window.unit}\0{window.entity}"


def _match(event: str, one: Contribution, own: Own, one_in: float) -> Match:
    return Match(
        event=event,
        field=one.feature,
        value=one.value,
        selection=_sentence(one).zh,
        usual=UNSET if own.usual is None else own.usual,
        peers=(one.usual_low, one.usual_high),
        label=FEATURES[one.feature],
        one_in=round(one_in),
        last=UNSET if own.last is None else own.last,
    )


def _sentence(one: Contribution) -> Words:
    name = FEATURES[one.feature]
    usual = f"{one.usual_low:,.0f}–{one.usual_high:,.0f}"
    return Words(f"{name.zh} {one.value:,.0f}(平常 {usual})", f"{one.value:,.0f} {name.en} (usually {usual})")
