"""Open anomalies as entities to look at: ranked by risk, the first few of each unit within the budget."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from compliance.ledger import Ledger
from crypto.keys import SigningKey
from detection.anomaly.feedback import (
    FeedbackParameters,
    Proposal,
    context_of,
    feedback_parameters,
    proposals,
)
from detection.calendar import Calendar, site_calendar
from detection.risk import points_of
from detection.store.anomaly_store import AnomalyStore, OpenAnomaly
from soc_api.rankers import RankerJob, Rankers

_EVEN: Final = 0.5  # a probability that neither raises nor lowers a risk


class Unusual(msgspec.Struct, frozen=True, kw_only=True):
    """One entity of a unit with its open anomaly groups, the riskiest first."""

    unit: str
    entity: str
    risk: float
    odd: float | None  # how likely a person would call it odd; None before there are labels enough
    within: bool  # of the unit's budget for the shift
    groups: tuple[OpenAnomaly, ...]


class AnomalyDesk:
    """Safe to share between threads."""

    def __init__(
        self, store: AnomalyStore, rankers: Rankers, calendar: Calendar, parameters: FeedbackParameters
    ) -> None:
        self._store, self._rankers = store, rankers
        self._calendar, self.parameters = calendar, parameters

    def ranked(self, units: Collection[str] | None, now: datetime, entity: str = "") -> list[Unusual]:
        """All of them, the riskiest first; those not seen in the shift are beyond every budget."""
        ranker = self._rankers.newest()
        by_entity: dict[tuple[str, str], list[OpenAnomaly]] = defaultdict(list)
        for one in self._store.open(units, entity):
            by_entity[one.group.unit, one.group.entity].append(one)
        found: list[Unusual] = []
        for (unit, name), groups in by_entity.items():
            risk, likely = 0.0, 0.0
            for one in groups:
                odd = _EVEN
                if ranker is not None:
                    odd = ranker.probability(context_of(one.alert, one.group.count, self._calendar))
                risk += points_of(one.group.heat, now) * odd / _EVEN
                likely = max(likely, odd)
            found.append(
                Unusual(
                    unit=unit,
                    entity=name,
                    risk=risk,
                    odd=likely if ranker is not None else None,
                    within=False,
                    groups=tuple(groups),
                )
            )
        found.sort(key=lambda one: (-one.risk, one.unit, one.entity))
        return self._budgeted(found, now)

    def proposals(self, units: Collection[str] | None, now: datetime) -> tuple[int, list[Proposal]]:
        """How many closings there are, and what they speak for."""
        labels = self._store.labels(now, units)
        return len(labels), proposals(labels, self.parameters)

    def _budgeted(self, found: list[Unusual], now: datetime) -> list[Unusual]:
        shift = now - timedelta(hours=self.parameters.shift_hours)
        spent: Counter[str] = Counter()
        done: list[Unusual] = []
        for one in found:
            fresh = any((each.group.latest or each.group.last_seen) >= shift for each in one.groups)
            within = fresh and spent[one.unit] < self.parameters.budget_per_unit
            spent[one.unit] += within
            done.append(msgspec.structs.replace(one, within=within))
        return done


def open_anomalies(
    store: AnomalyStore, folder: Path, key_file: Path
) -> tuple[AnomalyDesk, Callable[[Ledger], RankerJob]]:
    """The desk of a center, and the job that learns for it; the key is made where there is none."""
    key = SigningKey.load(key_file) if key_file.exists() else SigningKey.create(key_file)
    rankers = Rankers(folder, key)
    calendar, parameters = site_calendar(), feedback_parameters()
    desk = AnomalyDesk(store, rankers, calendar, parameters)
    return desk, lambda ledger: RankerJob(rankers, store, ledger, calendar, parameters)
