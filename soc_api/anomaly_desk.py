"""Open anomalies as entities to look at: ranked by risk, those the shift was told of and those withheld."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from compliance.ledger import Ledger
from crypto.keys import SigningKey
from crypto.words import BadInput
from detection.anomaly.course import Course, course, first_start
from detection.anomaly.feedback import (
    FeedbackParameters,
    Proposal,
    context_of,
    feedback_parameters,
    proposals,
)
from detection.anomaly.open import KEY_NAME, window_parameters
from detection.anomaly.windows import WindowParameters
from detection.calendar import Calendar, site_calendar
from detection.condition import Atom
from detection.risk import points_of
from detection.store.alert_group import AlertDetail
from detection.store.alert_store import AlertStore
from detection.store.anomaly_store import AnomalyStore, OpenAnomaly
from detection.store.event_store import EventStore
from detection.store.survey import Question
from soc_api.model_desk import ModelDesk
from soc_api.rankers import RANKER_KEY, RankerJob, Rankers

_WINDOW_RULES: Final = ("anomaly.host-window", "anomaly.source-window")
_WINDOW_FIELDS: Final = {"host": "host.name", "source": "source.ip"}
_COURSE_EVENTS_MAX: Final = 50_000
_EVEN: Final = 0.5  # a probability that neither raises nor lowers a risk


class Unusual(msgspec.Struct, frozen=True, kw_only=True):
    """One entity of a unit with its open anomaly groups, the riskiest first."""

    unit: str
    entity: str
    risk: int  # of the entity, whatever it comes from, as everywhere
    rank: float  # what its anomalies add to that, by how likely each is odd
    odd: float | None  # how likely a person would call it odd; None before there are labels enough
    within: bool  # of the unit's alert budget, and seen within a shift
    groups: tuple[OpenAnomaly, ...]


class Ranker(msgspec.Struct, frozen=True, kw_only=True):
    """The newest version of the weights and the closings they rest on; version 0 where there are none yet."""

    version: int
    labels: int
    needed: int
    odd: int


class AnomalyDesk:
    """Safe to share between threads."""

    def __init__(
        self,
        store: AnomalyStore,
        rankers: Rankers,
        models: ModelDesk,
        calendar: Calendar,
        parameters: FeedbackParameters,
    ) -> None:
        self._store, self._rankers, self.models = store, rankers, models
        self._calendar, self.parameters = calendar, parameters

    def ranked(self, units: Collection[str] | None, now: datetime, entity: str = "") -> list[Unusual]:
        """All of them, the riskiest first; those not seen in the shift are beyond every budget."""
        ranker = self._rankers.newest()
        by_entity: dict[tuple[str, str], list[OpenAnomaly]] = defaultdict(list)
        for one in self._store.open(units, entity):
            by_entity[one.group.unit, one.group.entity].append(one)
        found: list[Unusual] = []
        for (unit, name), groups in by_entity.items():
            rank, likely = 0.0, 0.0
            for one in groups:
                odd = _EVEN
                if ranker is not None:
                    odd = ranker.probability(context_of(one.alert, one.group.count, self._calendar))
                rank += points_of(one.group.heat, now) * odd / _EVEN
                likely = max(likely, odd)
            found.append(
                Unusual(
                    unit=unit,
                    entity=name,
                    risk=points_of(groups[0].group.entity_heat, now),
                    rank=rank,
                    odd=likely if ranker is not None else None,
                    within=self._is_within(groups, now),
                    groups=tuple(groups),
                )
            )
        return sorted(found, key=lambda one: (-one.rank, one.unit, one.entity))

    def proposals(self, units: Collection[str] | None, now: datetime) -> tuple[int, list[Proposal]]:
        """How many closings there are, and what they speak for."""
        labels = self._store.labels(now, units)
        return len(labels), proposals(labels, self.parameters)

    def ranker(self, now: datetime) -> Ranker:
        """What ranks entities, and how far it is from learning where nothing does."""
        newest = self._rankers.newest()
        labels = self._store.labels(now, None)
        return Ranker(
            version=newest.version if newest else 0,
            labels=newest.labels if newest else len(labels),
            needed=self.parameters.labels_min,
            odd=newest.odd if newest else sum(one.verdict == "true_positive" for one in labels),
        )

    def course(self, group: AlertDetail, events: EventStore) -> Course:
        """What the windows before the newest alert's counted; nothing for what is not of such windows."""
        parameters = self.models.parameters()
        alert = group.alerts[0].alert if group.alerts else None
        kind, _, name = group.group.entity.partition(":")
        if alert is None or alert.rule not in _WINDOW_RULES or kind not in _WINDOW_FIELDS:
            return Course(width=parameters.window_seconds, starts=(), counts={})
        start = datetime.fromtimestamp(first_start(alert.time, parameters), UTC)
        asked = Question(
            condition=Atom(field=_WINDOW_FIELDS[kind], operator="equals", values=(name,)),
            since=start,
            until=alert.time + timedelta(microseconds=1),
            units=frozenset({group.group.unit}),
            slots=0,
        )
        newest = itertools.islice(events.matching(asked), _COURSE_EVENTS_MAX)
        told = sorted((one for one in newest if one.sensor == alert.sensor), key=lambda one: one.time)
        return course(told, group.group.entity, alert.time, [one.field for one in alert.matched], parameters)

    def _is_within(self, groups: Sequence[OpenAnomaly], now: datetime) -> bool:
        """Whether the shift was told of one of them (detection/anomaly/budget.py), and not long ago."""
        shift = now - timedelta(hours=self.parameters.shift_hours)
        return any(
            not one.group.withheld and (one.group.latest or one.group.last_seen) >= shift for one in groups
        )


def open_anomalies(
    alerts: AlertStore, store: AnomalyStore, models: Path, keys: Path, site: Path
) -> tuple[AnomalyDesk, Callable[[Ledger], RankerJob]]:
    """The desk of a center, and the job that learns for it; its key is made where there is none."""
    key_file = keys / RANKER_KEY
    key = SigningKey.load(key_file) if key_file.exists() else SigningKey.create(key_file)
    rankers = Rankers(models / "ranker", key)
    calendar = site_calendar()
    try:
        parameters = feedback_parameters(site.with_name("feedback.toml"))
    except BadInput:  # the pipeline says so and goes on with what is shipped
        parameters = feedback_parameters()

    def windows() -> WindowParameters:
        try:
            return window_parameters(site)
        except BadInput:  # the pipeline says so and goes on with what is shipped
            return window_parameters()

    shelf = ModelDesk(models, keys / KEY_NAME, lambda: alerts.detector_state("anomaly"), windows)
    desk = AnomalyDesk(store, rankers, shelf, calendar, parameters)
    return desk, lambda ledger: RankerJob(rankers, store, ledger, calendar, parameters)
