"""Everything with which compliance is enforced, opened together: statements, gates, orders and their jobs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from compliance.acts_store import ACT_KINDS, ActsStore
from compliance.asset_store import AssetStore
from compliance.attestation_desk import AttestationDesk, Desk
from compliance.attestation_store import AttestationStore
from compliance.check_store import CheckStore
from compliance.checklist import Check
from compliance.document_store import DocumentStore
from compliance.documents import DocumentKind, load_kinds
from compliance.gate import load_gates
from compliance.gate_store import GateStore
from compliance.gatekeeper import Gatekeeper
from compliance.ledger import Ledger
from compliance.order_desk import OrderDesk
from compliance.order_rules import load_order_rules
from compliance.order_store import OrderStore
from compliance.registry_store import RegistryStore
from compliance.result_store import ResultStore
from compliance.service import Compliance
from crypto.keys import SigningKey
from detection.store.state import Engine

ORDERS_SECONDS: Final = 60  # how late a reminder may be; a new verdict is looked at by the next beat
_FRESHNESS: Final = "system:freshness"


class Enforcement(msgspec.Struct, frozen=True, kw_only=True):
    """The desks and stores of enforcement; safe to share between threads."""

    checks: Mapping[str, Check]
    verdicts: CheckStore
    registry: RegistryStore
    kinds: Mapping[str, DocumentKind]
    acts: ActsStore
    statements: AttestationDesk
    attestations: AttestationStore
    documents: DocumentStore
    results: ResultStore
    gates: Gatekeeper
    decisions: GateStore
    orders: OrderDesk
    order_rows: OrderStore

    def revision(self) -> int:
        """Grows with every act."""
        return self.acts.revision()


def open_enforcement(
    engine: Engine, ledger: Ledger, key: SigningKey, checklist: Sequence[Check], rules: Path
) -> Enforcement:
    """The parts over one state database and ledger; ``rules`` is the folder of rules. Raises BadInput."""
    attestations, documents = AttestationStore(engine), DocumentStore(engine)
    checks, registry = CheckStore(engine), RegistryStore(engine)
    decisions, orders = GateStore(engine), OrderStore(engine)
    by_id = {check.id: check for check in checklist}
    kinds = load_kinds(rules / "mappings" / "documents.yaml")
    desk = Desk(
        store=attestations,
        documents=documents,
        ledger=ledger,
        key=key,
        checks=by_id,
        kinds=kinds,
        known=lambda system: any(one.id == system for one in registry.systems()),
    )
    return Enforcement(
        checks=by_id,
        verdicts=checks,
        registry=registry,
        kinds=kinds,
        acts=ActsStore(engine),
        statements=AttestationDesk(desk),
        attestations=attestations,
        documents=documents,
        results=ResultStore(engine),
        gates=Gatekeeper(decisions, checks, load_gates(rules / "gates" / "gates.yaml", checklist)),
        decisions=decisions,
        orders=OrderDesk(
            orders,
            checks,
            attestations,
            checklist,
            load_order_rules(rules / "gates" / "orders.yaml"),
            registry.systems,
            lambda unit: AssetStore(engine).contacts([unit]),
        ),
        order_rows=orders,
    )


class EnforcementJobs:
    """The beats of enforcement, in the process that holds the ledger."""

    def __init__(self, enforcement: Enforcement, compliance: Compliance) -> None:
        self._enforcement = enforcement
        self._compliance = compliance
        self._worked: datetime | None = None
        self._revision = -1

    def beat(self, now: datetime) -> None:
        """Give acts their leaves, look anew where evidence ran out or was handed in, work the orders."""
        handed_in = self.place(now)
        if handed_in or self._enforcement.results.ran_out(now):
            self._compliance.evaluate(_FRESHNESS, now)
        checks = self._enforcement.verdicts.revision()
        idle = self._worked is not None and (now - self._worked).total_seconds() < ORDERS_SECONDS
        if checks != self._revision or not idle:
            self._revision, self._worked = checks, now
            if self._enforcement.orders.work(now):
                self.place(now)

    def place(self, now: datetime) -> bool:
        """Put acts into the ledger; whether any of them was a statement or document."""
        acts, handed_in = self._enforcement.acts, False
        for kind in ACT_KINDS:
            while items := acts.waiting(kind):
                self._compliance.record(kind, items, now, acts.placed)
                handed_in = handed_in or kind == "attestation"
        return handed_in
