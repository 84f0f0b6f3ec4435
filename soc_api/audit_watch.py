"""What threatens the audit log becomes a line of it and an alert: attempts to change it, acts refused.

Attempts past the center are kept by the database's triggers; acts refused because they could not be audited
are counted by the store. Both wait until a line can be written; until then the center says so aloud.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from crypto.words import LiuheError, Words
from detection.alert import Claim, Match, claim
from detection.store.alert_store import AlertStore
from sensors.event import LogSource, Observation, stamp
from soc_api.audit import Line, entry
from soc_api.audit_store import AuditStore

WATCH_SECONDS: Final = 5.0
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"
_CENTER: Final = "liuhe.center"
_LINES_TOLD_MAX: Final = 20
TAMPERED: Final = Claim(
    rule="audit-tampered",
    detector="health",
    title=Words("有人试图修改审计日志", "Somebody tried to change the audit log"),
    severity="critical",
    attack=("T1070",),
    clauses=("8.1.4.3.c",),
)
UNWRITABLE: Final = Claim(
    rule="audit-unwritable",
    detector="health",
    title=Words("审计日志曾写不进去", "The audit log could not be written"),
    severity="critical",
    clauses=("8.1.4.3.d",),
)


class AuditWatch:
    """Beats in the jobs of the center; ``say`` takes a sentence for the log of the process."""

    def __init__(
        self, audit: AuditStore, alerts: AlertStore, unit: str, say: Callable[[Words], None]
    ) -> None:
        self._audit, self._alerts, self._unit, self._say = audit, alerts, unit, say

    def beat(self, now: datetime) -> None:
        """Settle what was tried and what was refused since the last beat."""
        try:
            self._settle_attempts(now)
            self._settle_refusals(now)
        except LiuheError as error:
            self._say(error.what)

    def _settle_attempts(self, now: datetime) -> None:
        attempts = self._audit.attempts()
        if not attempts:
            return
        lines = sorted({one.line for one in attempts})
        told = ",".join(map(str, lines[:_LINES_TOLD_MAX])) + ("…" if len(lines) > _LINES_TOLD_MAX else "")
        verbs = "/".join(sorted({one.verb for one in attempts}))
        said = entry(
            time=now,
            actor="system:center",
            source="local",
            action="audit.tamper",
            about=f"{verbs} audit_log {told}",
            result="refused: append-only",
        )
        line = self._audit.settle(attempts, said)
        reason = Words(
            f"有人绕过中心对审计日志第 {told} 行执行 {verbs},已被数据库拒绝",
            f"{verbs} of lines {told} of the audit log was tried past the center; the database refused it",
        )
        self._alert(TAMPERED, line, reason, now)

    def _settle_refusals(self, now: datetime) -> None:
        refused = self._audit.refusals()
        if refused is None:
            return
        said = entry(
            time=now,
            actor="system:center",
            source="local",
            action="audit.unwritable",
            about=f"{refused.count} refused {refused.first:{_TIME}}..{refused.last:{_TIME}}",
            result="ok",
        )
        line = self._audit.record(said)
        self._audit.forget_refusals(refused.count)
        reason = Words(
            f"审计写不进去期间有 {refused.count} 个操作被拒绝执行",
            f"{refused.count} acts were refused while they could not be audited",
        )
        self._alert(UNWRITABLE, line, reason, now)

    def _alert(self, what: Claim, line: Line, reason: Words, now: datetime) -> None:
        seen = Observation(
            time=now,
            logsource=LogSource(product="liuhe", service="audit"),
            fields={
                "event.dataset": "liuhe.audit",
                "event.action": line.entry.action,
                "gov.audit.line": line.sequence,
                "message": line.entry.object,
            },
        )
        event = stamp(seen, unit=self._unit, sensor=_CENTER, epoch=1, sequence=line.sequence)
        matched = (Match(event=event.id, field="event.action", value=line.entry.action),)
        alert = claim(what, entity="audit:log", reason=reason, events=(event,), matched=matched)
        self._alerts.commit([alert], [], None, now)
