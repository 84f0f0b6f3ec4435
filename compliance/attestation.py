"""A human statement about a check: signed, reviewed where the form asks for it, and over on its day.

What is signed are the canonical bytes of the ``Statement`` (JSON, sorted keys, UTF-8). Two ways, and the
attestation says which: ``person`` is the SM2 signature of a key registered for that person, made outside the
center; ``center`` is the center's SM2 signature over what the person stated within a logged-in session.
Pure: time is handed in. Format: docs/reference/attestations.md.
"""

from datetime import datetime
from typing import Final, Literal

import msgspec

from compliance.attestation_form import ATTACHMENTS_MAX, AttestationForm, bad_answer, check_answers
from compliance.checklist import Check
from crypto.words import BadInput, Refused, Words

Claimed = Literal["符合", "部分符合", "不符合", "不适用"]
State = Literal["submitted", "accepted", "rejected", "withdrawn"]
SignedBy = Literal["person", "center"]
REASON_CHARS_MAX: Final = 2_000
OBJECT_CHARS_MAX: Final = 256
STATEMENT_BYTES_MAX: Final = 64 * 1024
_DIGEST_HEX: Final = 64

_encoder: Final = msgspec.json.Encoder(order="sorted")


class Statement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody states; ``object`` '' is the graded system as a whole, attachments are SM3 digests."""

    schema: int = 1
    system: str
    object: str
    check: str
    verdict: Claimed
    reason: str
    answers: dict[str, str]
    attachments: tuple[str, ...]
    author: str
    made: datetime
    expires: datetime


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """Who signed: ``key`` is the SM3 of the public key's SubjectPublicKeyInfo, ``value`` hex."""

    method: SignedBy
    key: str
    value: str


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """A statement with its signature: the payload of its leaf."""

    statement: Statement
    signature: Signature


class Attestation(msgspec.Struct, frozen=True, kw_only=True):
    """A signed statement and what has become of it."""

    id: int
    signed: Signed
    state: State
    reviewer: str = ""
    reviewed: datetime | None = None
    note: str = ""
    leaf: int | None = None

    @property
    def statement(self) -> Statement:
        """What was stated."""
        return self.signed.statement

    def counts(self, now: datetime) -> bool:
        """Whether it says something at ``now``."""
        return self.state == "accepted" and now < self.statement.expires


def statement_bytes(statement: Statement) -> bytes:
    """The canonical bytes that are signed."""
    return _encoder.encode(statement)


def read_statement(data: bytes) -> Statement:
    """A statement as signed elsewhere. Raises BadInput (attestation-malformed) unless canonical."""
    try:
        if len(data) > STATEMENT_BYTES_MAX:
            raise _malformed(f"{len(data)} > {STATEMENT_BYTES_MAX} bytes")
        statement = msgspec.json.decode(data, type=Statement)
    except msgspec.DecodeError as error:
        raise _malformed(str(error)) from None
    if statement_bytes(statement) != data:
        raise _malformed("not in canonical form")
    return statement


def check_statement(check: Check, statement: Statement, now: datetime) -> None:
    """Silent where the statement may be taken. Raises BadInput naming what is wrong."""
    form = form_of(check)
    if statement.schema != 1:
        raise _malformed(f"schema {statement.schema} is not 1")
    if len(statement.object) > OBJECT_CHARS_MAX or not (
        statement.object.isprintable() or not statement.object
    ):
        raise bad_answer("object", Words("对象名称不合格式", "malformed name of the object"))
    _check_reason(statement)
    check_answers(form, statement.answers, now)
    digests = statement.attachments
    if not form.attachments <= len(digests) <= ATTACHMENTS_MAX:
        raise bad_answer(
            "attachments",
            Words(
                f"须附 {form.attachments} 份以上材料", f"{form.attachments} or more attachments are needed"
            ),
        )
    if any(len(digest) != _DIGEST_HEX or set(digest) - set("0123456789abcdef") for digest in digests):
        raise bad_answer("attachments", Words("附件须以 SM3 指明", "attachments are named by their SM3"))
    if not now < statement.expires <= statement.made + form.valid:
        days = form.valid.days
        raise bad_answer("expires", Words(f"有效期最长 {days} 天", f"it may hold {days} days at most"))


def form_of(check: Check) -> AttestationForm:
    """The form of a check. Raises Refused (attestation-not-asked) where a person's word doesn't count."""
    if check.form is None:
        raise Refused(
            "attestation-not-asked",
            Words(
                f"{check.id} 由遥测判定,不接受人工证明",
                f"{check.id} is decided by telemetry, not by statements",
            ),
            Words(f"请按整改方法处理:{check.remedy.zh}", f"follow the remedy: {check.remedy.en}"),
            field=check.id,
        )
    return check.form


def needs_review(check: Check, statement: Statement) -> bool:
    """Whether a second person must look: critical checks, 不适用, and forms that say so."""
    form = form_of(check)
    return form.review or check.severity == "critical" or statement.verdict == "不适用"


def check_reviewer(attestation: Attestation, reviewer: str) -> None:
    """Silent where ``reviewer`` may decide. Raises Refused (attestation-review)."""
    if attestation.state != "submitted":
        raise _review(Words("该证明已处理", "it is decided already"))
    if attestation.statement.author == reviewer:
        raise _review(Words("不得复核自己的证明", "nobody reviews a statement of their own"))


def _check_reason(statement: Statement) -> None:
    if len(statement.reason) > REASON_CHARS_MAX:
        raise bad_answer("reason", Words("说明过长", "the reason is too long"))
    if statement.verdict != "符合" and len(statement.reason.strip()) < 2:
        raise bad_answer(
            "reason", Words(f"{statement.verdict}须说明理由", f"{statement.verdict} needs a reason")
        )


def _malformed(reason: str) -> BadInput:
    return BadInput(
        "attestation-malformed",
        Words(f"证明内容有误:{reason}", f"malformed statement: {reason}"),
        Words("请对平台给出的原文签名", "sign the bytes the center gave"),
        field="statement",
    )


def _review(what: Words) -> Refused:
    return Refused(
        "attestation-review",
        what,
        Words("请由另一名有权限的人员复核", "another person with the permission reviews it"),
        field="reviewer",
    )
