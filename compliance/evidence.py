"""The Evidence record: one canonical leaf of the SM3 ledger; its payload lies outside, found by digest.

JSON form documented field by field in docs/reference/evidence.md. Canonical bytes are JSON with sorted
keys, no spaces, UTF-8 (the RFC 8785 form for the types used here: strings and integers only).
"""

from datetime import datetime
from typing import Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

EvidenceKind = Literal[
    "evaluation",
    "attestation",
    "segment",
    "rule-set",
    "report",
    "audit",
    "heartbeat",
    "key",
    "gap",
    "deletion",
    "decision",  # a gate's answer with its grounds, an override, the release switch
    "order",  # a rectification order and what became of it
    "registry",  # a unit, graded system or asset entered, changed, moved to another state
    "incident",  # a case: opened, judged, reported, what was done, its files by their SM3
    "notice",  # a formal message (通报) and each step to its end
    "exception",  # what alerts are let pass: asked for, decided by a second person, ended
    "model",  # a version of an anomaly model: made, on trial, promoted, rejected, rolled back, refused
    "witness",  # the witness policy, a fork seen at a peer, a rollback told by one
]


class Evidence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One leaf. ``sequence`` counts from 0 without a hole within ``center``; ``time`` is UTC.

    So does ``number`` within ``source``: whoever holds two records of a source knows how many lie between.
    Records of schema 1 have neither. The fields stand in the order of the canonical bytes.
    """

    actor: str  # "system:<process>" or "user:<name>"
    center: str
    kind: EvidenceKind
    number: int | UnsetType = UNSET
    payload_bytes: int
    payload_sm3: str  # 64 hex digits; where the payload lies: docs/reference/formats/ledger.md
    schema: int = 2
    sequence: int
    source: str | UnsetType = UNSET  # the kind, or "<kind>/<who>" where several give records of one kind
    subject: str  # what it is about, for example "check:PLT-01/system:local" or "segment:000012"
    summary: str  # one line, numbers and verdict; never personal data
    time: datetime


_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(Evidence)


def leaf_bytes(record: Evidence) -> bytes:
    """Canonical bytes hashed into the ledger; the same record gives the same bytes everywhere."""
    return _encoder.encode(record)


def from_leaf(data: bytes) -> Evidence:
    """The record of a leaf. Raises msgspec.MsgspecError or UnicodeDecodeError where they are not one."""
    return _decoder.decode(data)
