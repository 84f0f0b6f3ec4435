"""The queue's desk: acts on many groups, places of alerts, saved views, completion, alerts by hand."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from compliance.registry_desk import RegistryDesk
from crypto.words import Words
from detection.alert import Claim, Severity, claim
from detection.query.completion import Completion, complete
from detection.store.act_ageing import forget_items
from detection.store.act_store import AlertActs
from detection.store.alert_store import AlertStore
from detection.store.group_page import FACETS, Facet
from detection.store.group_query import GroupFilter, alert_fields
from detection.store.state import Engine
from sensors.event import LogSource, Observation, stamp
from soc_api.queue_places import QueuePlaces
from soc_api.saved_view_store import SavedViewStore

MANUAL: Final = "liuhe-manual"  # the rule of what people told


class QueueDesk:
    """Everything around the queue but the alerts; safe to share between threads."""

    def __init__(self, engine: Engine, alerts: AlertStore, registry: RegistryDesk) -> None:
        self.acts = AlertActs(engine)
        self.views = SavedViewStore(engine, "alerts")
        self.places = QueuePlaces(registry)
        self._alerts = alerts
        self._engine = engine

    def age(self, now: datetime) -> bool:
        """Forget some of what acts of long ago did to each group; False where nothing is left to forget."""
        return forget_items(self._engine, now)

    def raise_by_hand(
        self,
        *,
        title: str,
        reason: str,
        severity: Severity,
        entity: str,
        unit: str,
        actor: str,
        time: datetime,
        now: datetime,
    ) -> str:
        """An alert that somebody told of: a group of its own; its id."""
        told = Observation(
            time=time,
            logsource=LogSource(product="liuhe", category="", service="manual"),
            fields={
                "event.dataset": "liuhe.manual",
                "message": reason,
                "user.name": actor,
                "event.kind": "alert",
            },
            native={},
        )
        event = stamp(told, unit=unit, sensor="console", epoch=secrets.randbits(60), sequence=1)
        said = Claim(rule=MANUAL, detector="manual", title=Words(title, title), severity=severity)
        alert = claim(said, entity=entity, reason=Words(reason, reason), events=(event,), matched=())
        # Two calls about one machine are two stories until somebody merges them.
        alert = msgspec.structs.replace(alert, group=alert.id)
        self._alerts.commit([alert], [], None, now)
        return alert.group

    def completion(self, text: str, cursor: int, wanted: GroupFilter, now: datetime) -> Completion:
        """What may stand at the cursor of the query bar; values are those of open groups within reach."""
        return complete(text, cursor, _Values(self._alerts, wanted, now), alert_fields())


class _Values:
    """Values of the queue's fields with how many groups have them, for completion."""

    def __init__(self, alerts: AlertStore, wanted: GroupFilter, now: datetime) -> None:
        self._alerts, self._wanted, self._now = alerts, wanted, now

    def recent_names(self) -> Sequence[tuple[str, int]]:
        return []

    def recent_values(self, names: Sequence[str]) -> Sequence[tuple[str, int]]:
        found: list[tuple[str, int]] = []
        for name in names:
            by: Facet | None = next((facet for facet in FACETS if facet == name), None)
            if by is not None:
                buckets = self._alerts.buckets(self._wanted, self._now, by)
                found += [(one.value, one.groups) for one in buckets if one.value]
        return found
