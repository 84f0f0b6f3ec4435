"""What somebody wants recorded, checked: everything that would make a leaf ambiguous is refused."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, get_args
from unicodedata import category

import msgspec

from compliance.evidence import Evidence, EvidenceKind
from compliance.ledger_payloads import PAYLOAD_BYTES_MAX
from compliance.ledger_reader import LEAF_BYTES_MAX
from crypto.words import BadInput, Words

BATCH_LEAVES_MAX: Final = 10_000
_TEXT_CHARS_MAX: Final = {"actor": 128, "source": 128, "subject": 256, "summary": 1024}
_UNPRINTABLE: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})  # controls, surrogates, line separators
_KINDS: Final = frozenset(get_args(EvidenceKind))


class NewEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants recorded; the ledger adds center, sequence, number and digest.

    ``time`` None is now; ``source`` '' is the kind.
    """

    kind: EvidenceKind
    actor: str
    subject: str
    summary: str
    payload: bytes
    time: datetime | None = None
    source: str = ""

    def record(self, center: str, sequence: int, number: int, digest: str, now: datetime) -> Evidence:
        """The leaf at its place."""
        return Evidence(
            kind=self.kind,
            center=center,
            sequence=sequence,
            source=self.source or self.kind,
            number=number,
            time=now if self.time is None else whole_second(self.time),
            actor=self.actor,
            subject=self.subject,
            summary=self.summary,
            payload_sm3=digest,
            payload_bytes=len(self.payload),
        )


def whole_second(time: datetime) -> datetime:
    """A time as leaves have it: UTC, no fraction."""
    return time.astimezone(UTC).replace(microsecond=0)


def check_entries(entries: Sequence[NewEvidence]) -> None:
    """Return silently where all can be recorded, else raise BadInput naming the entry and field."""
    if len(entries) > BATCH_LEAVES_MAX:
        raise bad_entry("entries", f"{len(entries)} > {BATCH_LEAVES_MAX}")
    for number, entry in enumerate(entries):
        _check(entry, number)


def _check(entry: NewEvidence, number: int) -> None:
    if entry.kind not in _KINDS:
        raise bad_entry(f"entries[{number}].kind", str(entry.kind))
    for field, most in _TEXT_CHARS_MAX.items():
        text: str = getattr(entry, field)
        if not text and field == "source":
            continue
        if not text or len(text) > most or _unprintable(text):
            raise bad_entry(f"entries[{number}].{field}", f"1-{most} characters on one line")
    if len(entry.payload) > PAYLOAD_BYTES_MAX:
        raise bad_entry(f"entries[{number}].payload", f"{len(entry.payload)} bytes > {PAYLOAD_BYTES_MAX}")
    if entry.time is not None and entry.time.tzinfo is None:
        raise bad_entry(f"entries[{number}].time", "no zone")
    assert 6 * sum(_TEXT_CHARS_MAX.values()) < LEAF_BYTES_MAX


def _unprintable(text: str) -> bool:
    return not text.isprintable() and any(category(one) in _UNPRINTABLE for one in text)


def bad_entry(field: str, reason: str) -> BadInput:
    """The error of an entry that cannot be recorded."""
    return BadInput(
        "evidence-malformed",
        Words(f"证据不合格式:{reason}", f"malformed evidence: {reason}"),
        Words(
            "请按 docs/reference/evidence.md 改正该字段", "correct that field, see docs/reference/evidence.md"
        ),
        field=field,
    )
