"""Statements of people, the files and documents they hand in, the keys they sign with."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Annotated, Any, Final, Literal

from fastapi import Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from compliance.attestation import Statement, read_statement
from compliance.enforcement import Enforcement
from compliance.registry import GradedSystem
from crypto.transfer.request import refuse_state_secrets
from soc_api.bodies import Text
from soc_api.context import Center
from soc_api.enforcement_bodies import (
    AttachmentRow,
    AttestationPage,
    AttestationRow,
    DocumentColumn,
    DocumentKindRow,
    DocumentPage,
    DocumentRow,
    Draft,
    PersonKeyOrder,
    PersonKeyPage,
    PersonKeyRow,
    Review,
    SignedOrder,
    StatementOrder,
    Withdrawal,
)
from soc_api.enforcement_rows import Choose, Enforcing, attestation_row
from soc_api.evidence_scope import need_file, scope_of_evidence
from soc_api.identity import Visit
from soc_api.routes.guard import Here, Visitor, conflicts, needs, router
from soc_api.routes.recorded import recorded, taken
from soc_api.unit_scope import actors_in, need_actor

attestations = router("attestations")

FILES: Final = ("/attachments", "/documents")  # paths that take a file as their body
_REFUSES: Final = conflicts("The statement, file or key cannot be taken, or was decided meanwhile")
_BINARY: Final[dict[str, Any]] = {
    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
}
_DIGEST: Final = r"^[0-9a-f]{64}$"

State = Literal["", "submitted", "accepted", "rejected", "withdrawn"]
Number = Annotated[int, Path(ge=1, le=2**53)]
Name = Annotated[str, Query(min_length=1, max_length=200)]


def _takes_file(permission: dict[str, str]) -> dict[str, Any]:
    return {**permission, "requestBody": {"required": True, "content": _BINARY}}


@attestations.get(
    "/attestations",
    summary="Statements of people",
    response_model=AttestationPage,
    openapi_extra=needs("checks.read"),
)
def page(
    center: Here,
    enforcement: Enforcing,
    choose: Choose,
    system: Annotated[str, Query(max_length=64)] = "",
    check: Annotated[str, Query(max_length=16)] = "",
    state: State = "",
    before: Annotated[int, Query(ge=0, le=2**53)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> AttestationPage:
    """Of one graded system, newest first."""
    found = enforcement.attestations.page(
        system=choose(system).id, check=check, state=state, before=before, limit=limit
    )
    rows = [attestation_row(one, center.clock()) for one in found]
    return AttestationPage(rows=rows, next=rows[-1].id if len(rows) == limit else 0)


@attestations.post(
    "/attestations",
    summary="State something",
    response_model=AttestationRow,
    status_code=201,
    responses=_REFUSES,
    openapi_extra=needs("attestations.make"),
)
def submit(
    body: StatementOrder, center: Here, enforcement: Enforcing, choose: Choose, visit: Visitor
) -> AttestationRow:
    """Signed by the center as what this person stated in this session; some need a second person."""
    _own_files(center, visit, enforcement, body.attachments)
    statement = _statement(body, center, visit, choose)
    with recorded(center, visit, "attestation.make", f"{body.check} {statement.system}"):
        made = enforcement.statements.submit(statement, center.clock())
    return attestation_row(made, center.clock())


@attestations.post(
    "/attestations/draft",
    summary="The bytes to sign",
    response_model=Draft,
    responses=_REFUSES,
    openapi_extra=needs("attestations.make"),
)
def draft(
    body: StatementOrder, center: Here, enforcement: Enforcing, choose: Choose, visit: Visitor
) -> Draft:
    """For a person with an SM2 key of their own; nothing is kept."""
    statement = _statement(body, center, visit, choose)
    return Draft(statement=enforcement.statements.draft(statement, center.clock()).decode())


@attestations.post(
    "/attestations/signed",
    summary="State something under one's own signature",
    response_model=AttestationRow,
    status_code=201,
    responses=_REFUSES,
    openapi_extra=needs("attestations.make"),
)
def submit_signed(
    body: SignedOrder, center: Here, enforcement: Enforcing, choose: Choose, visit: Visitor
) -> AttestationRow:
    """A draft of the last 30 minutes, signed by a key registered for this account."""
    _own_files(center, visit, enforcement, read_statement(body.statement.encode()).attachments)
    with recorded(center, visit, "attestation.make", f"key:{body.key}"):
        made = enforcement.statements.submit_signed(
            body.statement.encode(),
            body.key,
            body.signature,
            visit.actor,
            center.clock(),
            allowed=lambda system: bool(choose(system)),
        )
    return attestation_row(made, center.clock())


@attestations.post(
    "/attestations/{number}/review",
    summary="Accept or reject another person's statement",
    response_model=AttestationRow,
    responses=_REFUSES,
    openapi_extra=needs("attestations.review"),
)
def review(
    number: Number, body: Review, center: Here, enforcement: Enforcing, choose: Choose, visit: Visitor
) -> AttestationRow:
    """Nobody reviews a statement of their own."""
    choose(enforcement.attestations.get(number).statement.system)
    with recorded(center, visit, "attestation.review", f"attestation:{number}"):
        done = enforcement.statements.review(
            number, accept=body.accept, note=body.note, actor=visit.actor, now=center.clock()
        )
    return attestation_row(done, center.clock())


@attestations.post(
    "/attestations/{number}/withdraw",
    summary="Take a statement back",
    response_model=AttestationRow,
    responses=_REFUSES,
    openapi_extra=needs("attestations.make"),
)
def withdraw(
    number: Number, body: Withdrawal, center: Here, enforcement: Enforcing, choose: Choose, visit: Visitor
) -> AttestationRow:
    """From then on the check is 未知 until somebody states anew."""
    choose(enforcement.attestations.get(number).statement.system)
    with recorded(center, visit, "attestation.withdraw", f"attestation:{number}"):
        done = enforcement.statements.withdraw(number, note=body.note, actor=visit.actor, now=center.clock())
    return attestation_row(done, center.clock())


@attestations.post(
    "/attachments",
    summary="Hand in a file",
    response_model=AttachmentRow,
    status_code=201,
    responses=_REFUSES,
    openapi_extra=_takes_file(needs("attestations.make")),
)
async def attach(
    request: Request, center: Here, enforcement: Enforcing, visit: Visitor, name: Name
) -> AttachmentRow:
    """The file as the body; it lies in the ledger when this answers. State secrets are refused by name."""
    data = await _file(request, name)

    def keep() -> AttachmentRow:
        with recorded(center, visit, "attachment.add", name):
            kept = enforcement.statements.attach(name, data, visit.actor, center.clock())
        return AttachmentRow.model_validate(kept, from_attributes=True)

    return await run_in_threadpool(keep)


@attestations.get(
    "/attachments/{digest}",
    summary="A file handed in",
    response_class=Response,
    responses={200: {"content": _BINARY}, **_REFUSES},
    openapi_extra=needs("evidence.read"),
)
def attachment(
    digest: Annotated[str, Path(pattern=_DIGEST)], center: Here, enforcement: Enforcing, visit: Visitor
) -> Response:
    """Its bytes, checked against their SM3; looking is audited."""
    need_file(center, visit, enforcement, digest)
    with recorded(center, visit, "evidence.read", f"attachment:{digest}"):
        _, data = enforcement.statements.file(digest)
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{digest[:16]}-{taken(visit, center.clock())}"',
    }
    return Response(data, media_type="application/octet-stream", headers=headers)


@attestations.get(
    "/documents",
    summary="Documents read as facts",
    response_model=DocumentPage,
    openapi_extra=needs("checks.read"),
)
def documents(
    enforcement: Enforcing, choose: Choose, system: Annotated[str, Query(max_length=64)] = ""
) -> DocumentPage:
    """The kinds there are, and what was imported, newest first."""
    rows = enforcement.documents.page(choose(system).id)
    asked: dict[str, list[str]] = {}
    for check in enforcement.checks.values():
        for test in check.tests:
            asked.setdefault(test.fact, []).append(check.id)
    return DocumentPage(
        kinds=[
            DocumentKindRow(
                kind=kind.kind,
                title=Text(zh=kind.title.zh, en=kind.title.en),
                columns=[
                    DocumentColumn(
                        name=name,
                        title=Text(zh=column.zh, en=column.en),
                        kind=column.kind,
                        required=column.required,
                        choices=list(column.choices),
                    )
                    for name, column in kind.columns.items()
                ],
                checks=sorted(set(asked.get(f"import.{kind.kind}", ()))),
            )
            for kind in enforcement.kinds.values()
        ],
        rows=[
            DocumentRow(
                id=one.id,
                system=one.system,
                kind=one.kind,
                time=one.time,
                actor=one.actor,
                sm3=one.sm3,
                rows=len(one.rows),
            )
            for one in rows
        ],
    )


@attestations.post(
    "/documents",
    summary="Import a document",
    response_model=DocumentRow,
    status_code=201,
    responses=_REFUSES,
    openapi_extra=_takes_file(needs("attestations.make")),
)
async def bring(
    request: Request,
    center: Here,
    enforcement: Enforcing,
    choose: Choose,
    visit: Visitor,
    kind: Annotated[str, Query(max_length=64)],
    name: Name,
    system: Annotated[str, Query(max_length=64)] = "",
    trial: bool = False,
) -> DocumentRow:
    """A CSV file as the body; errors name row and column. ``trial`` reads it and keeps nothing."""
    data = await _file(request, name)

    def work() -> DocumentRow:
        chosen, now = choose(system).id, center.clock()
        if trial:
            count = enforcement.statements.try_document(kind, data)
            return DocumentRow(
                id=0, system=chosen, kind=kind, time=now, actor=visit.actor, sm3="", rows=count
            )
        with recorded(center, visit, "document.import", f"{kind} {chosen}"):
            kept = enforcement.statements.bring(chosen, kind, data, name, visit.actor, now)
        return DocumentRow(
            id=kept.id,
            system=chosen,
            kind=kind,
            time=kept.time,
            actor=kept.actor,
            sm3=kept.sm3,
            rows=len(kept.rows),
        )

    return await run_in_threadpool(work)


@attestations.get(
    "/person-keys",
    summary="Keys people sign with",
    response_model=PersonKeyPage,
    openapi_extra=needs("keys.manage"),
)
def keys(center: Here, enforcement: Enforcing, visit: Visitor) -> PersonKeyPage:
    """Registered public keys by person, of one's own units and those below."""
    within = actors_in(center, scope_of_evidence(center, visit))
    found = enforcement.attestations.person_keys()
    rows = [one for one in found if within is None or one.person in within]
    return PersonKeyPage(rows=[PersonKeyRow.model_validate(one, from_attributes=True) for one in rows])


@attestations.post(
    "/person-keys",
    summary="Register a person's public key",
    response_model=PersonKeyRow,
    status_code=201,
    responses=_REFUSES,
    openapi_extra=needs("keys.manage"),
)
def add_key(body: PersonKeyOrder, center: Here, enforcement: Enforcing, visit: Visitor) -> PersonKeyRow:
    """SM2 only; one key belongs to one person."""
    need_actor(center, visit, scope_of_evidence(center, visit), f"user:{body.person}")
    with recorded(center, visit, "person-key.add", body.person):
        kept = enforcement.statements.add_key(
            f"user:{body.person}", body.public_pem, visit.actor, center.clock()
        )
    return PersonKeyRow.model_validate(kept, from_attributes=True)


@attestations.post(
    "/person-keys/{fingerprint}/revoke",
    summary="Revoke a person's key",
    status_code=204,
    responses=_REFUSES,
    openapi_extra=needs("keys.manage"),
)
def revoke_key(
    fingerprint: Annotated[str, Path(pattern=_DIGEST)], center: Here, enforcement: Enforcing, visit: Visitor
) -> None:
    """No new signature of it is taken; what it signed stays."""
    for one in enforcement.attestations.person_keys():
        if one.fingerprint == fingerprint:
            need_actor(center, visit, scope_of_evidence(center, visit), one.person)
    with recorded(center, visit, "person-key.revoke", fingerprint):
        enforcement.attestations.revoke_key(fingerprint, visit.actor, center.clock())


def _own_files(center: Center, visit: Visit, enforcement: Enforcement, digests: Sequence[str]) -> None:
    """Nobody gets at another unit's file by naming it in a statement of one's own."""
    for digest in digests:
        need_file(center, visit, enforcement, digest)


async def _file(request: Request, name: str) -> bytes:
    refuse_state_secrets((), (name,))
    return await request.body()


def _statement(
    body: StatementOrder, center: Center, visit: Visit, choose: Callable[[str], GradedSystem]
) -> Statement:
    now = center.clock()
    refuse_state_secrets((), (body.reason, *body.answers.values()))
    return Statement(
        system=choose(body.system).id,
        object=body.object,
        check=body.check,
        verdict=body.verdict,
        reason=body.reason,
        answers=body.answers,
        attachments=tuple(body.attachments),
        author=visit.actor,
        made=now,
        expires=now + timedelta(days=body.valid_days),
    )
