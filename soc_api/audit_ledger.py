"""The audit log beside the evidence ledger: each line's digest is a leaf there, so a rewritten log shows.

Whoever owns the state database can rewrite the whole log with a chain that holds. The leaves were signed and
cosigned meanwhile; a line whose digest is not that of its leaf was changed after it was written.
"""

from typing import Final

import msgspec

from compliance.ledger_reader import LedgerView
from crypto.sm3 import sm3_hex
from crypto.words import Words
from soc_api.audit import Line
from soc_api.audit_store import AuditStore

KIND: Final = "audit"
_SUBJECT: Final = "audit:"
_FINDINGS_MAX: Final = 20


class AuditCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What was checked of the audit log; ``ok`` exactly where there are no findings."""

    ok: bool
    lines: int
    leaves: int  # lines whose digest the ledger holds under its checkpoint
    head: str  # digest of the last line
    findings: tuple[Words, ...]


def check_audit(audit: AuditStore, ledger: LedgerView) -> AuditCheck:
    """Follow the chain from the first line, and compare each leaf with its line."""
    wanted, twice = _leaves(ledger)
    held = len(wanted)
    findings = [
        Words(
            f"账本中审计日志第 {sequence} 行有两种说法",
            f"the ledger holds line {sequence} of the audit log in two versions",
        )
        for sequence in twice
    ]
    previous: Line | None = None
    lines = 0
    broken = audit.broken_at()
    if broken is not None:
        findings.append(
            Words(f"审计日志第 {broken} 行与前文不衔接", f"line {broken} of the audit log does not follow")
        )
    while found := audit.since(previous.sequence if previous else 0):
        for line in found:
            lines, previous = lines + 1, line
            leaf = wanted.pop(line.sequence, None)
            if leaf is not None and leaf != sm3_hex(line.digest.encode()):
                findings.append(
                    Words(
                        f"审计日志第 {line.sequence} 行与账本中的摘要不符",
                        f"line {line.sequence} of the audit log is not the one the ledger holds",
                    )
                )
    findings += [
        Words(
            f"账本中的审计日志第 {sequence} 行已不在日志中",
            f"line {sequence}, which the ledger holds, is no longer in the audit log",
        )
        for sequence in sorted(wanted)
    ]
    return AuditCheck(
        ok=not findings,
        lines=lines,
        leaves=held,
        head=previous.digest if previous else "",
        findings=tuple(findings[:_FINDINGS_MAX]),
    )


def _leaves(ledger: LedgerView) -> tuple[dict[int, str], list[int]]:
    """Sequence of a line -> SM3 of its first leaf's payload (the line's digest); and those told otherwise."""
    found: dict[int, str] = {}
    twice: list[int] = []
    for record, _ in ledger.records():
        number = line_of(record.kind, record.subject)
        if number is None:
            continue
        # A log that was rewritten and fed to the ledger once more must not hide its first leaf.
        if found.setdefault(number, record.payload_sm3) != record.payload_sm3:
            twice.append(number)
    return found, twice


def line_of(kind: str, subject: str) -> int | None:
    """The line of the audit log a leaf is about; None where it is about something else."""
    number = subject.removeprefix(_SUBJECT)
    return int(number) if kind == KIND and number.isascii() and number.isdigit() else None
