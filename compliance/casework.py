"""Incidents and notices of a center, opened together, with what reminds of them."""

from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from compliance.acts_store import ActsStore
from compliance.incident_desk import IncidentDesk, IncidentParts
from compliance.incident_rules import IncidentRules, load_incident_rules
from compliance.incident_store import IncidentStore
from compliance.notice_desk import NoticeDesk, Outbound
from compliance.notice_store import NoticeStore
from compliance.registry_store import RegistryStore
from detection.store.alert_store import AlertStore
from detection.store.state import Engine

WATCH_SECONDS: Final = 20.0  # how late a reminder may be


class Casework(msgspec.Struct, frozen=True, kw_only=True):
    """The desks and stores; safe to share between threads."""

    acts: ActsStore
    rules: IncidentRules
    registry: RegistryStore
    incidents: IncidentDesk
    incident_rows: IncidentStore
    notices: NoticeDesk
    notice_rows: NoticeStore

    def work(self, now: datetime) -> int:
        """Remind of what is owed; how many reminders."""
        return self.incidents.work(now) + self.notices.work(now)

    def revision(self) -> int:
        """Grows with every change of an incident or notice, and with every leaf that an act got."""
        return self.incident_rows.revision() + self.notice_rows.revision() + self.acts.revision()


def open_casework(engine: Engine, rules: Path, outbound: Outbound | None = None) -> Casework:
    """The parts over one state database; ``rules`` is the rules' folder. Raises BadInput (incident-rules).

    ``outbound`` is the road to other tiers, where there is one.
    """
    read = load_incident_rules(rules / "incidents")
    registry, alerts = RegistryStore(engine), AlertStore(engine)
    incidents, notices = IncidentStore(engine, read.clocks), NoticeStore(engine, read.notices)
    parts = IncidentParts(
        store=incidents,
        rules=read,
        alert=lambda group: alerts.detail(group).group,
        system=registry.system,
        unit_name=registry.unit_name,
    )
    return Casework(
        acts=ActsStore(engine),
        rules=read,
        registry=registry,
        incidents=IncidentDesk(parts),
        incident_rows=incidents,
        notices=NoticeDesk(notices, read.notices, registry.tree, outbound),
        notice_rows=notices,
    )
