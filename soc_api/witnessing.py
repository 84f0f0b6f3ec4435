"""A center as witness of other ledgers and as one that is witnessed: files, key, records and alarms.

``witness/policy`` says whose cosignatures count for our ledger, ``witness/logs`` (its ``log`` lines) which
ledgers we cosign. Both are read anew each time; a changed policy becomes a leaf. A fork, and a witness that
has seen what our ledger does not hold, become a leaf and a critical alert.
"""

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal, NamedTuple

from compliance.cosigning import POLICY, Ask, Cosigning, Witnessed, cosigned_findings, kept_checkpoint
from compliance.evidence import EvidenceKind
from compliance.ledger import Ledger, NewEvidence
from compliance.ledger_files import replace_file
from compliance.ledger_twin import TWIN_KEY
from compliance.witness import Answer, Fork
from compliance.witness_book import WitnessBook
from compliance.witness_policy import Log, Policy
from crypto.cosignature import Verifier
from crypto.keys import SigningKey
from crypto.note import Checkpoint, parse_note
from crypto.sm3 import sm3_hex
from crypto.words import Words
from detection.alert import Claim, Match, claim
from detection.store.alert_store import AlertStore
from detection.store.hit_store import HitStore
from sensors.event import LogSource, Observation, stamp

LOGS: Final = "logs"
ROUND_SECONDS: Final = 15.0
_CENTER: Final = "liuhe.center"  # as what the center speaks where an event names its sensor
FORK: Final = Claim(
    rule="ledger-fork",
    detector="health",
    title=Words("存证账本分叉或被回退", "An evidence ledger was forked or rolled back"),
    severity="critical",
    attack=("T1565.001",),
    clauses=("8.1.4.3.c",),
)
UNWITNESSED: Final = Claim(
    rule="ledger-unwitnessed",
    detector="health",
    title=Words("存证账本过久未被见证", "The evidence ledger has gone unwitnessed for too long"),
    severity="high",
    attack=(),
    clauses=("8.1.4.3.c",),
)
PATIENCE: Final = timedelta(hours=1)
_TOLD: Final = "unwitnessed.told"
_ALARMS_MAX: Final = 20  # newest shown


def witness_name(center: str) -> str:
    """The name a center cosigns under."""
    return f"liuhe.local/{center}/witness"


def witness_key(keys: Path) -> SigningKey:
    """The key a center cosigns with, made when first asked for."""
    path = keys / "witness.pem"
    return SigningKey.load(path) if path.exists() else SigningKey.create(path)


class Alarm(NamedTuple):
    """One alert group about this or another ledger."""

    kind: Literal["fork", "unwitnessed"]
    group: str
    origin: str
    time: datetime
    open: bool
    reason: Words


class Seen(NamedTuple):
    """A ledger this center cosigns; ``size`` 0 where it has not asked yet."""

    origin: str
    size: int


class Witnessing:
    """Both sides over the folder ``witness``; safe between threads."""

    def __init__(
        self,
        folder: Path,
        ledger: Ledger,
        alerts: AlertStore,
        *,
        hits: HitStore,
        name: str,
        key: SigningKey,
        unit: str,
        patience: timedelta = PATIENCE,
    ) -> None:
        self._folder, self._ledger, self._alerts, self._unit = folder, ledger, alerts, unit
        self._hits, self.patience = hits, patience
        self.verifier: Final = Verifier(name, key.public, True)
        self._book = WitnessBook(folder, name, key, forked=self._forked)
        self._cosigning = Cosigning(folder, ledger, contradicted=self._contradicted)

    def logs(self) -> Mapping[str, Log]:
        """The ledgers this center cosigns. Raises BadInput where the file is wrong."""
        policy = Policy.load(self._folder / LOGS)
        return policy.logs if policy else {}

    def add_checkpoint(self, body: bytes, now: datetime) -> Answer:
        """Decide on one request of a peer. Raises BadInput."""
        return self._book.add_checkpoint(body, self.logs(), now)

    def witnessed(self) -> Witnessed:
        """How far our own ledger is cosigned."""
        return self._cosigning.witnessed()

    def kept(self) -> Checkpoint | None:
        """What our ledger had when its witnesses last signed."""
        return kept_checkpoint(self._folder, self._ledger)

    def findings(self) -> list[Words]:
        """What does not hold of the kept cosignatures."""
        return cosigned_findings(self._folder, self._ledger)

    def round(self, now: datetime, ask: Ask) -> bool:
        """Take our latest checkpoint to the witnesses; whether a quorum has signed it."""
        self._record_policy(now)
        return self._cosigning.round(now, ask)

    def run(self, stop: threading.Event, ask: Ask, say: Callable[[Words], None]) -> None:
        """Rounds until ``stop``; what fails is said once and tried again."""
        said = ""
        while not stop.wait(ROUND_SECONDS):
            try:
                self.round(datetime.now(UTC), ask)
                said = ""
            except Exception as error:  # noqa: BLE001 -- a broken round must not end cosigning for good
                if str(error) != said:
                    said = str(error)
                    say(Words(f"见证未完成,稍后重试:{error}", f"cosigning failed, will try again: {error}"))

    def waits_since(self, found: Witnessed) -> datetime | None:
        """Since when somebody could have signed: records older than the policy wait from its start on."""
        recorded = self._folder / "policy.recorded"
        lines = recorded.read_text().split("\n") if recorded.exists() else []
        if found.unwitnessed_since is None or len(lines) < 2:
            return found.unwitnessed_since
        return max(found.unwitnessed_since, datetime.fromisoformat(lines[1]))

    def watch(self, now: datetime) -> bool:
        """Tell of a ledger that waits too long for the quorum its policy asks for; once for each wait."""
        found, told = self.witnessed(), self._folder / _TOLD
        since = self.waits_since(found)
        if not found.quorum or since is None or now - since <= self.patience:
            return False
        mark = str(found.size)
        if told.exists() and told.read_text() == mark:
            return False
        minutes = int((now - since).total_seconds() // 60)
        behind = [one.witness for one in found.witnesses if one.size <= found.size]
        reason = Words(
            f"账本第 {found.size} 条起的记录已 {minutes} 分钟未达会签法定数;"
            f"未跟上的见证方:{'、'.join(behind)}",
            f"records from {found.size} on have had no quorum of witnesses for {minutes} minutes; "
            f"behind: {', '.join(behind)}",
        )
        self._alarm(UNWITNESSED, self._ledger.origin, reason, b"", now)
        replace_file(told, mark.encode())
        return True

    def alarms(self) -> list[Alarm]:
        """Forks and long waits on record, the newest first."""
        groups = [
            *self._hits.latest(FORK.rule, _ALARMS_MAX),
            *self._hits.latest(UNWITNESSED.rule, _ALARMS_MAX),
        ]
        found = [
            Alarm(
                kind="fork" if group.rule == FORK.rule else "unwitnessed",
                group=group.id,
                origin=group.entity.removeprefix("ledger:"),
                time=group.last_seen,
                open=group.state != "closed",
                reason=group.reason,
            )
            for group in groups
        ]
        return sorted(found, key=lambda one: one.time, reverse=True)[:_ALARMS_MAX]

    def watched(self) -> list[Seen]:
        """The ledgers this center cosigns and how far it has followed each. Raises BadInput."""
        return [
            Seen(origin=origin, size=Checkpoint.parse(parse_note(note).text).size if note else 0)
            for origin, note in ((name, self._book.seen(name)) for name in self.logs())
        ]

    def _record_policy(self, now: datetime) -> None:
        """Whose word counts is evidence itself: each policy that came into force has its leaf."""
        path = self._folder / POLICY
        policy = path.read_bytes() if path.exists() else b""
        if policy:
            Policy.parse(policy)  # only what can be followed is recorded as in force
        summary = "witness policy in force" if policy else "no witness policy in force"
        self._record("policy", policy, "witness", summary, now)

    def record_keys(self, now: datetime) -> None:
        """The public keys this center signs with, a leaf whenever they are others than before."""
        lines = [self.verifier.line()]
        if self._ledger.public:
            lines.insert(0, Verifier(self._ledger.origin, self._ledger.public, False).line())
        twin = self._ledger.folder / TWIN_KEY
        if twin.exists():
            lines.append(twin.read_text("ascii").strip())
        self._record("keys", "\n".join(lines).encode(), "key", f"{len(lines)} keys sign from now on", now)

    def _record(self, name: str, payload: bytes, kind: EvidenceKind, summary: str, now: datetime) -> None:
        """A leaf for what is other than when it was recorded last; the file keeps its digest and the time."""
        recorded, digest = self._folder / f"{name}.recorded", sm3_hex(payload)
        kept = recorded.read_text() if recorded.exists() else sm3_hex(b"")
        if kept.split("\n")[0] == digest:
            return
        changed = NewEvidence(
            kind=kind,
            actor="system:witness",
            subject=f"{name}:{digest[:16]}",
            summary=summary,
            payload=payload,
        )
        self._ledger.append([changed], now)
        replace_file(recorded, f"{digest}\n{now.isoformat()}".encode())

    def _forked(self, fork: Fork, now: datetime) -> None:
        """A peer's ledger contradicts what it signed before."""
        reason = Words(
            f"账本 {fork.origin} 在 {fork.size} 条处先后签署了互相矛盾的检查点"
            if fork.certain
            else f"账本 {fork.origin} 不能证明新检查点是 {fork.size} 条时的延续",
            f"ledger {fork.origin} signed two different roots at {fork.size} leaves"
            if fork.certain
            else f"ledger {fork.origin} cannot show that its new checkpoint extends the one at {fork.size}",
        )
        self._alarm(FORK, fork.origin, reason, fork.seen + b"\n" + fork.offered, now)

    def _contradicted(self, said: Words, now: datetime) -> None:
        """A witness has seen what our own ledger does not hold."""
        latest = self._ledger.latest()
        self._alarm(FORK, self._ledger.origin, said, latest.raw if latest else b"", now)

    def _alarm(self, what: Claim, origin: str, reason: Words, notes: bytes, now: datetime) -> None:
        """The leaf first: it stays whatever becomes of the alert."""
        action = what.rule.removeprefix("ledger-")
        leaf = self._ledger.append(
            [
                NewEvidence(
                    kind="witness",
                    actor="system:witness",
                    subject=f"{action}:{origin}",
                    summary=reason.zh,
                    payload=notes,
                )
            ],
            now,
        )[0]
        seen = Observation(
            time=now,
            logsource=LogSource(product="liuhe", service="witness"),
            fields={
                "event.dataset": "liuhe.witness",
                "event.action": action,
                "gov.witness.origin": origin,
                "gov.witness.leaf": leaf,
            },
        )
        event = stamp(seen, unit=self._unit, sensor=_CENTER, epoch=0, sequence=leaf)
        matched = (Match(event=event.id, field="gov.witness.origin", value=origin),)
        alert = claim(what, entity=f"ledger:{origin}", reason=reason, events=(event,), matched=matched)
        self._alerts.commit([alert], [], None, now)
