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
from detection.anomaly.frozen import Contribution, FrozenModel
from detection.anomaly.group_hours import WITHIN
from detection.anomaly.history import History
from detection.anomaly.learning import Kept, Learning, model_words
from detection.anomaly.own import Own, OwnRanges
from detection.anomaly.panel import OF, Panel, Said
from detection.anomaly.peers import Peers
from detection.anomaly.refit import Realised
from detection.anomaly.windows import FEATURES, KINDS, Closed, Kind, WindowParameters, Windows, span_words
from detection.detector import feed_each
from detection.special.remembered import Remembered
from sensors.event import Event

SNAPSHOT_SECONDS: Final = 240  # well within what the pipeline warms its detectors with
Models = Mapping[str, tuple[FrozenModel, FrozenModel | None]]  # champion, and challenger on trial


class AnomalyDetector:
    """Scores one-minute windows against frozen models of each kind of entity and its peer groups."""

    name = "anomaly"

    def __init__(
        self,
        parameters: WindowParameters,
        models: Models,
        shelf: Shelf,
        own: Callable[[], OwnRanges],
        peers: Peers,
    ) -> None:
        """``models`` are those fitted before; the shelf makes new ones and keeps them."""
        self._parameters = parameters
        self._shelf = shelf
        self._models = models
        self._peers = peers
        self._span = span_words(parameters.window_seconds)
        self._panels = {kind: self._panel(kind, models[kind]) for kind in KINDS if kind in models}
        self._windows = Windows(parameters, peers)
        self._learning = Learning(needed=parameters.learning_windows, ready=sorted(self._panels))
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
        each = [champion for panel in self._panels.values() for champion in panel.champions()]
        models = [id(one) for champion in each for one in (champion.model, champion.challenger)]
        known = len(self._panels) == len(KINDS) and models == self._kept_models
        if not self._changed or (known and abs(self._now - self._kept_at) < SNAPSHOT_SECONDS):
            return None
        self._changed, self._kept_at, self._kept_models = False, self._now, models
        kept = msgspec.structs.replace(
            self._learning,
            closed_until=self._windows.closed_until,
            known={host: sorted(programs) for host, programs in self._windows.known.items()},
            kept=self._kept(),
            waiting={kind: days for panel in self._panels.values() for kind, days in panel.waiting().items()},
            own={kind: own.memory() for kind, own in self._own.items()},
        )
        return msgspec.json.encode(kept)

    def recall(self, snapshot: bytes) -> bool:
        """Take up a learning state; what is of another shape is left aside (False), and learned anew."""
        try:
            kept = msgspec.json.decode(snapshot, type=Learning)
        except msgspec.MsgspecError:
            return False
        self._windows.closed_until.update(kept.closed_until)
        for host, programs in kept.known.items():
            self._windows.known.touch(host).update(programs[: self._parameters.known_programs_max])
        rows = {
            kind: [row for row in table if len(row[1]) == len(FEATURES)]
            for kind, table in kept.rows.items()
            if kind not in self._panels
        }
        recalled = [self._own[kind].recall(memory) for kind, memory in kept.own.items()]
        for panel in self._panels.values():
            panel.recall(kept.kept, kept.waiting)
        self._learning = Learning(
            needed=self._parameters.learning_windows, ready=sorted(self._panels), rows=rows
        )
        return all(recalled)

    def state(self) -> Words:
        """Ready, or how far the learning is."""
        return msgspec.structs.replace(self._learning, kept=self._kept()).words()

    def _kept(self) -> dict[str, Kept]:
        return {kind: one for panel in self._panels.values() for kind, one in panel.kept().items()}

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
        peers = [f"{window.unit}{WITHIN}{window.group}" for window in windows]
        self._own[kind].learn(windows[0].start, keys, peers, rows)
        return alerts

    def _judged(self, kind: Kind, windows: list[Closed]) -> list[Alert]:
        panel = self._panels.get(kind)
        if panel is None:
            full = [self._learning.add(window, self._parameters) for window in windows]
            if full[-1]:
                self._freeze(kind, windows[-1])
            return []
        panel.night(windows[0].start, self._shelf, windows[0].events[-1].time)
        self.scored += len(windows)
        alerts = [
            self._alert(window, said)
            for window, said in zip(windows, panel.opinions(windows), strict=True)
            if said.opinion.one_in >= self._parameters.alert_one_in and not self._repeated(window)
        ]
        alerts.extend(self._drifted(model, windows[-1], realised) for model, realised in panel.drift())
        return alerts

    def _freeze(self, kind: Kind, window: Closed) -> None:
        rows = sorted(self._learning.rows[kind])
        starts = np.array([start for start, _ in rows], dtype=np.float64)
        model = self._shelf.fit(kind, np.array([values for _, values in rows], dtype=np.float64), starts)
        self._shelf.first(model, window.events[-1].time)  # where it fails the next window tries again
        self._panels[kind] = self._panel(kind, (model, None))
        del self._learning.rows[kind]
        self._learning.ready = sorted(self._panels)

    def _panel(self, kind: Kind, whole: tuple[FrozenModel, FrozenModel | None]) -> Panel:
        groups = {
            name.removeprefix(f"{kind}{OF}"): self._champion(*pair)
            for name, pair in self._models.items()
            if name.startswith(f"{kind}{OF}")
        }
        return Panel(self._champion(*whole), groups, self._parameters, self._champion)

    def _champion(
        self, model: FrozenModel, challenger: FrozenModel | None, history: History | None = None
    ) -> Champion:
        surprise = float(np.log10(self._parameters.alert_one_in))
        return Champion(model, challenger, self._parameters.refit, surprise, history)

    def _repeated(self, window: Closed) -> bool:
        told = self._raised.touch(f"{window.unit}\0{window.kind}\0{window.entity}")
        if told and abs(window.start - told[0]) < self._parameters.repeat_seconds:
            return True
        told[:] = [window.start]
        return False

    def _drifted(self, model: str, window: Closed, realised: Realised) -> Alert:
        last = window.events[-1]
        return self._parameters.drift.alert(
            "anomaly",
            entity=f"model:{model}",
            numbers={
                "kind": model_words(model).zh,
                "kind_en": model_words(model).en,
                "share": f"{realised.ratio():.1f}",
                "windows": f"{realised.windows:,}",
            },
            events=window.events,
            matched=(Match(event=last.id, field="surprise", value=realised.ratio()),),
        )

    def _alert(self, window: Closed, said: Said) -> Alert:
        opinion, among = said.opinion, self._peers.words(said.group)
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
                "group": among.zh,
                "group_en": among.en,
                "span": self._span.zh,
                "span_en": self._span.en,
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
    return Words(
        f"{name.zh} {one.value:,.0f}（平常 {usual}）", f"{one.value:,.0f} {name.en} (usually {usual})"
    )
