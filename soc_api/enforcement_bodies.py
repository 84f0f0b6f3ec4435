"""Bodies of attestations and documents, and of a check explained."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from soc_api.bodies import Body, Text, Verdict
from soc_api.order_bodies import Digest, OrderRow

Claimed = Literal["符合", "部分符合", "不符合", "不适用"]
Gate = Literal["transfer", "go-live"]
SystemId = Annotated[str, Field(max_length=64)]


class Ask(Body):
    """One question of a form; a date may be ``within_days`` old at most."""

    name: str
    title: Text
    kind: Literal["text", "date", "number", "choice"]
    required: bool
    choices: list[str]
    within_days: int | None


class AttestationForm(Body):
    """What a person states for a check."""

    valid_days: int
    attachments: int
    review: bool
    asks: list[Ask]


class StatementOrder(Body):
    """POST /api/v1/attestations and /attestations/draft; ``system`` '' is the first one in use."""

    system: SystemId = ""
    object: str = Field(default="", max_length=256)
    check: str = Field(max_length=16)
    verdict: Claimed
    reason: str = Field(default="", max_length=2000)
    answers: dict[str, str] = Field(default_factory=dict, max_length=32)
    attachments: list[Digest] = Field(default_factory=list, max_length=20)
    valid_days: int = Field(ge=1, le=1100)


class Draft(Body):
    """The exact bytes (UTF-8) a person signs with SM2 and GB/T 32918's default identity."""

    statement: str


class SignedOrder(Body):
    """POST /api/v1/attestations/signed, a step of a report: a draft and the person's signature.

    ``signature`` is hex of r then s, or of DER.
    """

    statement: str = Field(max_length=65536)
    key: Digest
    signature: str = Field(pattern=r"^[0-9a-fA-F]{2,512}$")


class AttestationRow(Body):
    """A statement and what has become of it; ``signed_by`` says whose signature it bears."""

    id: int
    system: str
    object: str
    check: str
    verdict: Claimed
    reason: str
    answers: dict[str, str]
    attachments: list[str]
    author: str
    made: datetime
    expires: datetime
    state: Literal["submitted", "accepted", "rejected", "withdrawn"]
    reviewer: str
    reviewed: datetime | None
    note: str
    signed_by: Literal["person", "center"]
    key: str
    counts: bool
    leaf: int | None


class AttestationPage(Body):
    """GET /api/v1/attestations; ``next`` is 0 at the end."""

    rows: list[AttestationRow]
    next: int


class Review(Body):
    """POST /api/v1/attestations/{id}/review."""

    accept: bool
    note: str = Field(default="", max_length=500)


class Withdrawal(Body):
    """POST /api/v1/attestations/{id}/withdraw."""

    note: str = Field(min_length=2, max_length=500)


class AttachmentRow(Body):
    """A file handed in; its bytes are the payload of the leaf."""

    sm3: str
    name: str
    bytes: int
    time: datetime
    actor: str
    leaf: int


class PersonKeyOrder(Body):
    """POST /api/v1/person-keys: an SM2 public key (PEM, SubjectPublicKeyInfo) of an account."""

    person: str = Field(pattern=r"^[a-z][a-z0-9._-]{1,31}$")
    public_pem: str = Field(max_length=4096)


class PersonKeyRow(Body):
    """A registered key; what it signed before it was revoked stays."""

    fingerprint: str
    person: str
    public_pem: str
    added: datetime
    added_by: str
    revoked: datetime | None


class PersonKeyPage(Body):
    """GET /api/v1/person-keys."""

    rows: list[PersonKeyRow]


class DocumentColumn(Body):
    """One column of a document."""

    name: str
    title: Text
    kind: str
    required: bool
    choices: list[str]


class DocumentKindRow(Body):
    """A kind of document with its columns and the checks that ask it."""

    kind: str
    title: Text
    columns: list[DocumentColumn]
    checks: list[str]


class DocumentRow(Body):
    """An imported document; ``rows`` counts its lines."""

    id: int
    system: str
    kind: str
    time: datetime
    actor: str
    sm3: str
    rows: int


class DocumentPage(Body):
    """GET /api/v1/documents."""

    kinds: list[DocumentKindRow]
    rows: list[DocumentRow]


class ReasonRow(Body):
    """One test or statement on one object, and what would change it."""

    fact: str
    state: Literal["satisfied", "partial", "unsatisfied", "inapplicable", "unknown"]
    why: Text
    wanted: str
    values: dict[str, Any]
    event: str
    seen: datetime | None
    stale_at: datetime | None
    change: Text


class ObjectReasons(Body):
    """One object with its verdict."""

    object: str
    verdict: Verdict
    reason: Text
    stale_at: datetime | None
    reasons: list[ReasonRow]


class GateStanding(Body):
    """What the check does to a gate now."""

    gate: Gate
    closes: bool
    fail_closed: bool
    at_once: bool


class CheckExplanation(Body):
    """GET /api/v1/checks/{check}/explanation."""

    check: str
    system: str
    verdict: Verdict
    reason: Text
    evaluated: datetime | None
    leaf: int | None
    objects: list[ObjectReasons]
    changes: list[Text]
    form: AttestationForm | None
    attestations: list[AttestationRow]
    orders: list[OrderRow]
    gates: list[GateStanding]
    days: int | None
