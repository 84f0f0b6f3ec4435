"""A step of a report under the person's own SM2 signature: what is signed, and whether it holds."""

from datetime import datetime
from typing import Final, Literal

import msgspec

from compliance.attestation_store import AttestationStore
from compliance.person_keys import bad_signature, check_person
from compliance.report.model import Step
from crypto.words import Words

STATEMENT_BYTES_MAX: Final = 4_096


class StepStatement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who takes which step with which report; ``content`` is the SM3 of its numbers and texts."""

    schema: Literal[1] = 1
    report: str
    step: Step
    content: str
    actor: str
    made: datetime


class OwnSignature(msgspec.Struct, frozen=True, kw_only=True):
    """The signed bytes, the key by its fingerprint, the signature in hex."""

    statement: str
    key: str
    value: str


_decoder: Final = msgspec.json.Decoder(StepStatement)


def step_bytes(statement: StepStatement) -> bytes:
    """The canonical bytes a person signs."""
    return msgspec.json.encode(statement, order="sorted")


def check_step(
    store: AttestationStore,
    own: OwnSignature,
    *,
    report: str,
    step: Step,
    content: str,
    actor: str,
    now: datetime,
) -> OwnSignature:
    """The signature as it is kept. Raises Refused (attestation-signature, person-key-not-found)."""
    data = own.statement.encode()
    try:
        said = _decoder.decode(data[: STATEMENT_BYTES_MAX + 1])
        same = step_bytes(said) == data
    except (msgspec.DecodeError, UnicodeDecodeError):
        same = False
    if not same or (said.report, said.step, said.content, said.actor) != (report, step, content, actor):
        raise bad_signature(
            Words("签名的不是这份报告的这一步", "what was signed is not this step of this report")
        )
    value = check_person(store, data, key=own.key, signature=own.value, person=actor, made=said.made, now=now)
    return msgspec.structs.replace(own, value=value)
