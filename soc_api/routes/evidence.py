"""The evidence ledger: its newest records, its checkpoint, payloads, and the whole of it recomputed."""

from typing import Annotated, Any, Final

from fastapi import Path, Query, Response

from compliance.ledger_reader import Leaf
from crypto.words import Refused, Words
from soc_api.bodies import EvidencePage, LeafRow, VerifyResult
from soc_api.context import Center
from soc_api.evidence_scope import need_center, need_record, scope_of_evidence, unit_of_subject
from soc_api.routes.guard import Here, Visitor, conflicts, needs, router
from soc_api.routes.recorded import recorded, taken
from soc_api.unit_scope import UnitScope
from soc_api.verification import verify_all

evidence = router("evidence")

_HIDDEN: Final = "***"
INDEX_MAX: Final = 2**53  # JSON's exact integers; no ledger comes near
_PAYLOAD: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}},
    **conflicts("The payload is gone or does not fit its digest"),
}


@evidence.get(
    "/evidence",
    summary="The newest records",
    response_model=EvidencePage,
    openapi_extra=needs("evidence.read"),
)
def page(
    center: Here,
    visit: Visitor,
    cursor: Annotated[str, Query(max_length=16, pattern=r"^[0-9]*$")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> EvidencePage:
    """Records under the newest signed checkpoint, newest first.

    Of other units' records an account sees the digests, so that the root can be recomputed, and no words.
    """
    signed = center.ledger.latest()
    if signed is None:
        return EvidencePage(size=0, root="", checkpoint="", rows=[], next="")
    scope = scope_of_evidence(center, visit)
    found = center.ledger.page(int(cursor) if cursor else signed.checkpoint.size, limit)
    return EvidencePage(
        size=signed.checkpoint.size,
        root=signed.checkpoint.root.hex(),
        checkpoint=signed.raw.decode(),
        rows=[_row(leaf, told=_within(center, scope, leaf)) for leaf in found.rows],
        next="" if found.next is None else str(found.next),
    )


@evidence.post(
    "/evidence/verify",
    summary="Recompute the ledger",
    response_model=VerifyResult,
    openapi_extra=needs("evidence.verify"),
)
def verify(center: Here, visit: Visitor) -> VerifyResult:
    """Recompute leaves, payloads, checkpoints, sealed segments and audit log; findings say what is wrong.

    It is the whole center's: an account of a unit below it recomputes from the digests it sees.
    """
    need_center(center, visit)
    with recorded(center, visit, "evidence.verify", "ledger"):
        witnessing = center.witnessing
        outcome = verify_all(
            center.ledger,
            center.events,
            center.audit,
            trusted=witnessing.kept() if witnessing else None,
            beside=witnessing.findings() if witnessing else (),
        )
        center.compliance.note_ledger(outcome.ok)
    return VerifyResult.model_validate(outcome, from_attributes=True)


@evidence.get(
    "/evidence/{index}/payload",
    summary="What a record is about, in full",
    response_class=Response,
    responses=_PAYLOAD,
    openapi_extra=needs("evidence.read"),
)
def payload(index: Annotated[int, Path(ge=0, le=INDEX_MAX)], center: Here, visit: Visitor) -> Response:
    """The payload of one record, checked against its SM3."""
    if index >= center.ledger.size:
        raise Refused(
            "record-not-found",
            Words(f"账本中没有第 {index} 条", f"the ledger has no record {index}"),
            Words("请在存证列表中选择", "choose one from the list"),
            field="index",
        )
    record = center.ledger.record(index)
    need_record(center, visit, record.subject)
    with recorded(center, visit, "evidence.read", f"record:{index}"):
        body = center.ledger.payload_of(record)
    name = f"liuhe-evidence-{index}-{taken(visit, center.clock())}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type="application/octet-stream", headers=headers)


def _within(center: Center, scope: UnitScope, leaf: Leaf) -> bool:
    return scope.units is None or scope.holds(unit_of_subject(center, leaf.record.subject))


def _row(leaf: Leaf, *, told: bool) -> LeafRow:
    record = leaf.record
    return LeafRow(
        index=leaf.index,
        kind=record.kind,
        time=record.time,
        actor=record.actor if told else _HIDDEN,
        subject=record.subject if told else _HIDDEN,
        summary=record.summary if told else _HIDDEN,
        payload_sm3=record.payload_sm3,
        leaf_hash=leaf.hash.hex(),
    )
