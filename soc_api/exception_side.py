"""The desks of exceptions and of triage as both the center and its tests put them together."""

from functools import partial

from detection.playbooks import shipped_playbooks
from detection.store.alert_store import AlertStore
from detection.store.event_store import EventStore
from detection.store.exception_preview import Previews
from detection.store.exception_store import ExceptionStore
from detection.store.playbook_store import PlaybookStore
from detection.store.precedents import PrecedentStore
from detection.store.state import Engine
from soc_api.exception_desk import ExceptionDesk
from soc_api.protected_assets import protected_assets
from soc_api.rule_set import RuleSet
from soc_api.triage_desk import TriageDesk


def exception_desk(engine: Engine, alerts: AlertStore, events: EventStore, rules: RuleSet) -> ExceptionDesk:
    """Over one state database and event store; ``rules`` tell which of them are critical."""
    levels: dict[str, str] = {one.id: one.level for one in rules.rules}
    levels |= {one.id: one.level for one in rules.correlations}
    return ExceptionDesk(
        ExceptionStore(engine),
        Previews(engine, events),
        alerts,
        level_of=lambda rule: levels.get(rule, ""),
        protected=partial(protected_assets, engine),
    )


def triage_desk(engine: Engine, alerts: AlertStore, events: EventStore) -> TriageDesk:
    """What stands beside an alert, over the same stores."""
    return TriageDesk(alerts, events, PrecedentStore(engine), PlaybookStore(engine), shipped_playbooks())
