"""Compliance at work: evaluates the checklist from what the center knows and ledgers it.

One object per center process that holds the ledger's writer; safe to call from several threads. Leaves come
first, then the row that knows them; what a crash leaves in between is found again (see ledgered_store).
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from compliance.acts_store import one_line
from compliance.asset_store import AssetStore
from compliance.attestation_store import AttestationStore
from compliance.catalogue import Catalogue, load_catalogue
from compliance.check_store import CheckStore, Kept, body_of, from_body, grounds
from compliance.checklist import Check
from compliance.document_store import DocumentStore
from compliance.documents import DocumentKind
from compliance.evaluation import Evaluation, evaluate, not_asked
from compliance.evidence import Evidence
from compliance.grading import asked_of
from compliance.known_facts import Further, Known, Own, Seen, known_facts, nothing_further, seen_of
from compliance.ledger import Ledger, NewEvidence
from compliance.ledgered_store import LedgeredStore
from compliance.order_store import OrderStore
from compliance.registry import GradedSystem
from compliance.registry_store import RegistryStore, system_not_found
from compliance.result_store import ResultStore
from compliance.views import CheckDetail, CheckPage, detail_of, page_of
from crypto.words import Refused, Words
from detection.store.alert_store import AlertStore
from detection.store.event_store import EventStore
from detection.store.host_inventory_store import HostInventoryStore
from detection.store.inventory_store import InventoryStore
from detection.store.state import Engine
from rules import ROOT

Placed = Callable[[Sequence[tuple[int, int]]], None]  # told (row id, leaf) of rows that have got leaves


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What compliance stands on, opened by the composition root."""

    engine: Engine
    alerts: AlertStore
    inventory: InventoryStore
    events: EventStore
    ledger: Ledger
    retention_days: int
    rules_loaded: int
    kinds: Mapping[str, DocumentKind] = {}
    further: Further = nothing_further
    catalogue: Catalogue = msgspec.field(default_factory=lambda: load_catalogue(ROOT / "grading"))


class Compliance:
    """The compliance side as the API and the jobs see it (soc_api/compliance_port.py)."""

    def __init__(self, parts: Parts, checks: Sequence[Check]) -> None:
        self._parts = parts
        self._checks = checks
        self._by_id = {check.id: check for check in checks}
        self._registry = RegistryStore(parts.engine)
        self._store = CheckStore(parts.engine)
        self._ledgered = LedgeredStore(parts.engine)
        self._results = ResultStore(parts.engine)
        self._attestations = AttestationStore(parts.engine)
        self._known = Known(
            alerts=parts.alerts,
            inventory=parts.inventory,
            hosts=HostInventoryStore(parts.engine),
            registry=self._registry,
            assets=AssetStore(parts.engine),
            documents=DocumentStore(parts.engine),
            orders=OrderStore(parts.engine),
            kinds=parts.kinds,
            further=parts.further,
        )
        self._ledger_ok = True
        self._lock = threading.Lock()  # one evaluation at a time; reads need none

    def note_ledger(self, ok: bool) -> None:
        """Tell what the last full verification of the ledger said; the check DAT-04 asks it."""
        self._ledger_ok = ok

    def check_page(self, now: datetime, system: str = "") -> CheckPage:
        """All checks of a system, '' the first, with the verdict valid at ``now``."""
        chosen = self._system(system)
        return page_of(chosen, self._checks, self._store.newest(chosen.id), now)

    def check_detail(self, check: str, now: datetime, system: str = "") -> CheckDetail:
        """One check of a system, '' the first, with its evidence. Raises Refused (check-not-found)."""
        found = self._by_id.get(check)
        if found is None:
            raise Refused(
                "check-not-found",
                Words("没有这个检查项", "there is no such check"),
                Words("请从清单中选择", "choose one from the list"),
                field=check,
            )
        chosen = self._system(system)
        kept = self._store.newest(chosen.id).get(check)
        return detail_of(found, kept, self._store.history(chosen.id, check), now)

    def evaluate(self, actor: str, now: datetime, system: str = "") -> CheckPage:
        """Evaluate every check of every system; verdicts that changed become leaves of their own.

        The page is that of ``system``, '' the first.
        """
        with self._lock:
            self._recover_checks()
            seen = seen_of(self._known, now)
            for one in self._registry.systems():
                self._evaluate(one, actor, now, seen)
        return self.check_page(now, system)

    def _evaluate(self, system: GradedSystem, actor: str, now: datetime, seen: Seen) -> None:
        known = known_facts(self._known, self._own(), system, now, seen)
        stated = self._attestations.of_system(system.id)
        before = self._store.newest(system.id)
        catalogue = self._parts.catalogue
        asked = asked_of(catalogue.of(system), catalogue, self._checks)
        results = [
            evaluate(
                check,
                system=system.id,
                facts=known.facts,
                now=now,
                attested=stated.get(check.id, ()),
                hosts=known.hosts,
            )
            if check.id in asked
            else not_asked(check, system.id, system.grade, now)
            for check in self._checks
        ]
        changed = [
            one
            for one in results
            if one.check not in before or grounds(one) != grounds(before[one.check].evaluation)
        ]
        entries = [_leaf_of(one, actor) for one in changed]
        run = msgspec.json.encode({one.check: one.verdict for one in results}, order="sorted")
        counted = f"检查 {len(results)} 项,变化 {len(changed)} 项"
        about = f"checklist/system:{system.id}"
        entries.append(
            NewEvidence(kind="evaluation", actor=actor, subject=about, summary=counted, payload=run)
        )
        self._ledgered.begin("evaluation", self._parts.ledger.size)
        leaves = self._parts.ledger.append(entries, now)
        placed = {one.check: leaf for one, leaf in zip(changed, leaves, strict=False)}
        self._store.keep(
            Kept(
                evaluation=one,
                leaf=placed.get(one.check, before[one.check].leaf if one.check in before else 0),
            )
            for one in results
        )
        self._results.keep(system.id, self._by_id, self._store.newest(system.id))
        self._parts.ledger.checkpoint(now)

    def _recover_checks(self) -> None:
        """Keep evaluations whose leaves are there although an earlier attempt died before it kept them."""
        found = [
            Kept(evaluation=from_body(self._parts.ledger.payload_of(record)), leaf=record.sequence)
            for record in self._unsettled("evaluation")
            if record.subject.startswith("check:")
        ]
        if found:
            self._store.keep(found)

    def _unsettled(self, kind: str) -> Iterator[Evidence]:
        """Leaves of ``kind`` from where the last attempt began, if it did not end."""
        begun = self._ledgered.begun(kind)
        if begun is not None:
            records = map(self._parts.ledger.record, range(begun, self._parts.ledger.size))
            yield from (record for record in records if record.kind == kind)

    def record(
        self,
        kind: str,
        items: Sequence[tuple[int, NewEvidence]],
        now: datetime,
        placed: Placed | None = None,
    ) -> None:
        """Put rows into the ledger exactly once: ``items`` are (row id, evidence), oldest first.

        ``placed`` is told (row id, leaf) of each, again where an earlier attempt died before it was kept.
        ``kind`` is that of the evidence, and no two rows of a kind have the same subject: by it a row is
        known again where an earlier attempt died after its leaf.
        """
        if not items:
            return
        with self._lock:
            leaves = {record.subject: record.sequence for record in self._unsettled(kind)}
            self._ledgered.begin(kind, self._parts.ledger.size)
            fresh = [evidence for _, evidence in items if evidence.subject not in leaves]
            appended = self._parts.ledger.append(fresh, now)
            leaves |= {one.subject: leaf for one, leaf in zip(fresh, appended, strict=True)}
            if placed is not None:
                placed([(row, leaves[evidence.subject]) for row, evidence in items])
            self._ledgered.mark(kind, items[-1][0])

    def recorded_up_to(self, kind: str) -> int:
        """The last row id of ``kind`` that has a leaf."""
        return self._ledgered.up_to(kind)

    def revision(self) -> int:
        """A number that changes whenever the page of checks would."""
        return self._store.revision()

    def _system(self, named: str) -> GradedSystem:
        if named:
            return self._registry.system(named)
        systems = self._registry.systems()
        if not systems:
            raise system_not_found()
        return systems[0]

    def _own(self) -> Own:
        return Own(
            ledger_size=self._parts.ledger.size,
            ledger_ok=self._ledger_ok,
            retention_days=self._parts.retention_days,
            rules_loaded=self._parts.rules_loaded,
        )


def _leaf_of(evaluation: Evaluation, actor: str) -> NewEvidence:
    return NewEvidence(
        kind="evaluation",
        actor=actor,
        subject=f"check:{evaluation.check}/system:{evaluation.system}",
        summary=one_line(f"{evaluation.verdict}: {evaluation.reason.zh}"),
        payload=body_of(evaluation),
    )
