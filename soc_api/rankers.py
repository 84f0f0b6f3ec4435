"""Weights learned from closings: signed like models, each version a ledger leaf; a changed one is refused."""

from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from compliance.ledger import Ledger, NewEvidence
from crypto.keys import SigningKey
from crypto.words import Refused
from detection.anomaly.feedback import FeedbackParameters, Reranker, learned
from detection.calendar import Calendar
from detection.store.anomaly_store import AnomalyStore
from sensors.segment_checkpoint import write_durably

LEARN_SECONDS: Final = 600.0
RANKER_KEY: Final = "ranker.pem"
KEPT: Final = 14
_BYTES_MAX: Final = 64 * 1024


class Rankers:
    """One process writes, the one that owns the ledger."""

    def __init__(self, folder: Path, key: SigningKey) -> None:
        self._folder, self._key = folder, key
        self._read: tuple[int, Reranker | None] = (-1, None)

    def newest(self) -> Reranker | None:
        """The newest version that this center made and signed; None where there is none."""
        versions = self._versions()
        newest = versions[-1] if versions else 0
        if self._read[0] != newest:
            good = (self._load(version) for version in reversed(versions))
            self._read = newest, next((one for one in good if one is not None), None)
        return self._read[1]

    def keep(self, made: Reranker) -> bytes:
        """Write a version, durable on return; its body."""
        body = msgspec.json.encode(made, order="sorted")
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / f"{made.version:06d}.json"
        write_durably(path.with_suffix(".sig"), self._key.sign(body).hex().encode())
        write_durably(path, body)
        for version in self._versions()[:-KEPT]:
            for suffix in (".json", ".sig"):
                (self._folder / f"{version:06d}{suffix}").unlink(missing_ok=True)
        return body

    def next_version(self) -> int:
        """The number after the last."""
        return max([0, *self._versions()]) + 1

    def _versions(self) -> list[int]:
        names = (path.stem for path in self._folder.glob("*.json"))
        return sorted(int(name) for name in names if name.isdecimal())

    def _load(self, version: int) -> Reranker | None:
        path = self._folder / f"{version:06d}.json"
        try:
            body, sign = path.read_bytes()[:_BYTES_MAX], path.with_suffix(".sig").read_text()[:512]
            self._key.public.verify(body, bytes.fromhex(sign))
            made = msgspec.json.decode(body, type=Reranker)
        except (Refused, OSError, ValueError, msgspec.MsgspecError):
            return None
        fits = made.version == version and len(made.weights) - 1 == len(made.center) == len(made.scale)
        return made if fits else None


class RankerJob:
    """What the jobs loop calls: learn anew where closings were added."""

    def __init__(
        self,
        rankers: Rankers,
        store: AnomalyStore,
        ledger: Ledger,
        calendar: Calendar,
        parameters: FeedbackParameters,
    ) -> None:
        self._rankers, self._store, self.ledger = rankers, store, ledger
        self._calendar, self._parameters = calendar, parameters

    def learn(self, now: datetime) -> bool:
        """Whether a new version was made: only from other labels than the last one's."""
        labels = self._store.labels(now)
        made = learned(labels, self._calendar, self._parameters, self._rankers.next_version())
        last = self._rankers.newest()
        if made is None or (last is not None and (made.weights, made.center) == (last.weights, last.center)):
            return False
        body = self._rankers.keep(made)
        leaf = NewEvidence(
            kind="model",
            actor="system:ranker",
            subject=f"model:ranker/{made.version:06d}",
            summary=f"made of {made.labels} closings, {made.odd} of them true",
            payload=body,
        )
        self.ledger.append([leaf], now)
        return True
