"""Opens the webhooks of a center: the box for their secrets, the networks they may reach, the units."""

from pathlib import Path

from compliance.acts_store import ActsStore
from compliance.registry_desk import RegistryDesk
from detection.store.alert_store import AlertStore
from detection.store.state import Engine
from soc_api.case_feed import CaseFeed
from soc_api.folders import Folders
from soc_api.outbound import networks
from soc_api.secret_box import SecretBox, center_key
from soc_api.settings import Settings
from soc_api.webhook_store import WebhookStore
from soc_api.webhooks import PURPOSE, Webhooks


def open_webhooks(
    folders: Folders, settings: Settings, engine: Engine, alerts: AlertStore, registry: RegistryDesk
) -> Webhooks:
    """The desk. Raises BadInput (outbound-networks, center-key)."""
    own = settings.center.unit

    def units_of(unit: str) -> frozenset[str] | None:
        return None if unit == own else registry.registry.tree().subtree(unit)

    def unit_of(system: str) -> str:
        return registry.registry.system(system).unit if registry.registry.has(system) else ""

    outgoing = settings.webhooks
    return Webhooks(
        WebhookStore(engine),
        alerts,
        CaseFeed(ActsStore(engine), unit_of),
        SecretBox(center_key(folders.keys), PURPOSE),
        center=settings.center.id,
        private=networks(outgoing.private),
        authority=Path(outgoing.authority) if outgoing.authority else None,
        units_of=units_of,
    )
