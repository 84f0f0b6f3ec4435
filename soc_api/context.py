"""The ``Center`` object: everything the routes depend on, opened and injected by the composition root."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from compliance.casework import Casework
from compliance.enforcement import Enforcement
from compliance.ledger import LedgerReader
from compliance.registry_desk import RegistryDesk
from crypto.words import Words
from detection.store.alert_store import AlertStore
from detection.store.event_store import EventStore
from detection.store.host_inventory_store import HostInventoryStore
from detection.store.inventory_store import InventoryStore
from soc_api.anomaly_desk import AnomalyDesk
from soc_api.audit_store import AuditStore
from soc_api.change_desk import ChangeDesk
from soc_api.compliance_port import ComplianceService
from soc_api.exception_desk import ExceptionDesk
from soc_api.hunt_desk import HuntDesk
from soc_api.identity import Identity
from soc_api.incident_files import IncidentFiles
from soc_api.packet_desk import PacketDesk
from soc_api.people import People
from soc_api.privacy import Privacy
from soc_api.queue_desk import QueueDesk
from soc_api.report_port import ReportService
from soc_api.rule_port import RulePort
from soc_api.sensor_port import SensorPort
from soc_api.support_channel import SupportChannel
from soc_api.transfer_port import TransferPort
from soc_api.transfer_uploads import Uploads
from soc_api.triage_desk import TriageDesk
from soc_api.wall import Wall
from soc_api.webhooks import Webhooks
from soc_api.witnessing import Witnessing

Topic = Literal[
    "alerts",
    "checks",
    "sensors",
    "evidence",
    "reports",
    "transfers",
    "rules",
    "orders",
    "registry",
    "exceptions",
    "incidents",
    "accounts",
    "tokens",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Center:
    """One center's parts as the API uses them; every part is safe to share between threads."""

    id: str
    name: str
    unit: str
    version: str
    identity: Identity
    audit: AuditStore
    alerts: AlertStore
    inventory: InventoryStore
    events: EventStore
    ledger: LedgerReader
    compliance: ComplianceService
    reports: ReportService
    sensors: SensorPort
    rules: RulePort
    packets: PacketDesk
    transfers: TransferPort
    uploads: Uploads  # files that wait to be asked for
    anomaly: Callable[[], Words]  # the state of the anomaly detector in one sentence
    witnessing: Witnessing | None = None
    enforcement: Enforcement | None = None
    registry: RegistryDesk | None = None
    hosts: HostInventoryStore | None = None
    hunts: HuntDesk | None = None
    queue: QueueDesk | None = None
    exceptions: ExceptionDesk | None = None
    anomalies: AnomalyDesk | None = None
    triage: TriageDesk | None = None
    wall: Wall | None = None
    casework: Casework | None = None
    locker: IncidentFiles | None = None
    people: People | None = None
    webhooks: Webhooks | None = None
    changes: ChangeDesk | None = None
    support: SupportChannel | None = None
    privacy: Privacy | None = None  # None: nothing is hidden from anybody, as in tests of other things
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def revisions(self) -> Mapping[Topic, int]:
        """A number per topic of the live stream that changes when its pages would."""
        return {
            "alerts": self.alerts.revision()
            + self.packets.revision()
            + (self.triage.revision() if self.triage is not None else 0),
            "checks": self.compliance.revision(),
            "sensors": self.inventory.sensors_revision(),
            "evidence": self.ledger.size,
            "reports": self.reports.revision(),
            "transfers": self.transfers.revision(),
            "rules": self.rules.revision()
            + (self.anomalies.models.revision() if self.anomalies is not None else 0),
            "exceptions": self.exceptions.store.seen() if self.exceptions is not None else 0,
            "incidents": self.casework.revision() if self.casework is not None else 0,
            "accounts": self.people.accounts.revision() if self.people is not None else 0,
            "tokens": self.people.tokens.revision() if self.people is not None else 0,
            "orders": self.enforcement.revision() if self.enforcement is not None else 0,
            "registry": (self.registry.revision() if self.registry is not None else 0)
            + (self.hosts.revision() if self.hosts is not None else 0),
        }
