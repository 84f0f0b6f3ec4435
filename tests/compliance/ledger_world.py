"""A small ledger with three checkpoints, and its verification, for the tests that damage it."""

from datetime import UTC, datetime
from pathlib import Path

from compliance.ledger import Ledger, LedgerReader, NewEvidence, VerifyOutcome
from crypto.keys import PublicKey, SigningKey
from crypto.note import Checkpoint

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SIZE = 23
KEY = SigningKey.generate()


def filled(folder: Path) -> Path:
    """``folder`` with a ledger of SIZE leaves."""
    with Ledger.open(folder, center="c", origin="o", key=KEY) as ledger:
        for number in range(SIZE):
            ledger.append([entry(number)], NOW)
            if number in (3, 11):
                ledger.checkpoint(NOW)
        ledger.checkpoint(NOW)
    return folder


def entry(number: int) -> NewEvidence:
    return NewEvidence(
        kind="audit", actor="user:a", subject=f"s:{number}", summary=f"摘要 {number}", payload=b"%d" % number
    )


def verified(folder: Path, public: PublicKey, trusted: Checkpoint | None = None) -> VerifyOutcome:
    reader = LedgerReader(folder, public=public)
    try:
        return reader.verify(trusted=trusted)
    finally:
        reader.close()


def english(outcome: VerifyOutcome) -> str:
    return "\n".join(finding.en for finding in outcome.findings)
