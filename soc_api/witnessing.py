"""A center as witness of other ledgers and as one that is witnessed: files, key, records and alarms.

``witness/policy`` says whose cosignatures count for our ledger, ``witness/logs`` (its ``log`` lines) which
ledgers we cosign. Both are read anew each time; a changed policy becomes a leaf. A fork, and a witness that
has seen what our ledger does not hold, become a leaf and a critical alert.
"""

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from compliance.cosigning import POLICY, Ask, Cosigning, Witnessed, kept_checkpoint
from compliance.evidence import EvidenceKind
from compliance.ledger import Ledger, NewEvidence
from compliance.ledger_files import replace_file
from compliance.ledger_twin import TWIN_KEY
from compliance.witness import Answer, Fork
from compliance.witness_book import WitnessBook
from compliance.witness_policy import Log, Policy
from crypto.cosignature import Verifier
from crypto.keys import SigningKey
from crypto.note import Checkpoint
from crypto.sm3 import sm3_hex
from crypto.words import LiuheError, Words
from detection.alert import Claim, Match, claim
from detection.store.alert_store import AlertStore
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


def witness_name(center: str) -> str:
    """The name a center cosigns under."""
    return f"liuhe.local/{center}/witness"


def witness_key(keys: Path) -> SigningKey:
    """The key a center cosigns with, made when first asked for."""
    path = keys / "witness.pem"
    return SigningKey.load(path) if path.exists() else SigningKey.create(path)


class Witnessing:
    """Both sides over the folder ``witness``; safe between threads."""

    def __init__(
        self,
        folder: Path,
        ledger: Ledger,
        alerts: AlertStore,
        *,
        name: str,
        key: SigningKey,
        unit: str,
    ) -> None:
        self._folder, self._ledger, self._alerts, self._unit = folder, ledger, alerts, unit
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
            except (LiuheError, OSError) as error:
                if str(error) != said:
                    said = str(error)
                    say(Words(f"见证未完成,稍后重试:{error}", f"cosigning failed, will try again: {error}"))

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
        """A leaf for what is other than when it was recorded last."""
        recorded, digest = self._folder / f"{name}.recorded", sm3_hex(payload)
        if (recorded.read_text() if recorded.exists() else sm3_hex(b"")) == digest:
            return
        changed = NewEvidence(
            kind=kind,
            actor="system:witness",
            subject=f"{name}:{digest[:16]}",
            summary=summary,
            payload=payload,
        )
        self._ledger.append([changed], now)
        replace_file(recorded, digest.encode())

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
        self._alarm(fork.origin, reason, fork.seen + b"\n" + fork.offered, now)

    def _contradicted(self, said: Words, now: datetime) -> None:
        """A witness has seen what our own ledger does not hold."""
        latest = self._ledger.latest()
        self._alarm(self._ledger.origin, said, latest.raw if latest else b"", now)

    def _alarm(self, origin: str, reason: Words, notes: bytes, now: datetime) -> None:
        """The leaf first: it stays whatever becomes of the alert."""
        leaf = self._ledger.append(
            [
                NewEvidence(
                    kind="witness",
                    actor="system:witness",
                    subject=f"fork:{origin}",
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
                "event.action": "fork",
                "gov.witness.origin": origin,
                "gov.witness.leaf": leaf,
            },
        )
        event = stamp(seen, unit=self._unit, sensor=_CENTER, epoch=0, sequence=leaf)
        matched = (Match(event=event.id, field="gov.witness.origin", value=origin),)
        alert = claim(FORK, entity=f"ledger:{origin}", reason=reason, events=(event,), matched=matched)
        self._alerts.commit([alert], [], None, now)
