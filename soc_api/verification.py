"""The whole evidence recomputed: ledger, payloads, sealed segments and audit log, as one answer."""

from collections.abc import Sequence
from time import perf_counter

import msgspec

from compliance.ledger import LedgerReader
from crypto.note import Checkpoint
from crypto.words import Words
from detection.store.event_store import EventStore
from soc_api.audit_ledger import check_audit
from soc_api.audit_store import AuditStore


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What was recomputed and what does not fit; ``ok`` exactly where there are no findings."""

    ok: bool
    size: int
    root: str
    checked_leaves: int
    checked_payloads: int
    checked_segments: int
    seconds: float
    findings: Sequence[Words]


def verify_all(
    ledger: LedgerReader,
    events: EventStore,
    audit: AuditStore,
    *,
    trusted: Checkpoint | None = None,
    beside: Sequence[Words] = (),
) -> Verification:
    """Recompute every leaf, payload, checkpoint, digest of a sealed segment and line of the audit log.

    ``trusted`` is a checkpoint the ledger must not have fallen behind, ``beside`` what does not hold of the
    files that lie apart from it.
    """
    began = perf_counter()
    segments = [sealed for sealed in events.segments() if sealed.status == "sealed"]
    findings = events.verify_segments()
    findings += check_audit(audit, ledger).findings
    outcome = ledger.verify(trusted=trusted, beside=beside)
    return Verification(
        ok=outcome.ok and not findings,
        size=outcome.size,
        root=outcome.root,
        checked_leaves=outcome.checked_leaves,
        checked_payloads=outcome.checked_payloads,
        checked_segments=len(segments),
        seconds=perf_counter() - began,
        findings=[*outcome.findings, *findings],
    )
