"""Each act with an anomaly model on record: made, on trial, promoted, rejected, rolled back, refused.

The pipeline process writes acts beside the models; the process that owns the ledger makes a leaf of each.
"""

from datetime import datetime
from pathlib import Path

import msgspec

from compliance.ledger import Ledger, NewEvidence
from detection.anomaly.model_acts import Act, acts_in
from sensors.segment_checkpoint import write_durably

RECORD_SECONDS = 10.0
LEAVES_KEPT = 200
_CURSOR = "recorded.json"


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """How many acts are on record, and the leaves of the last of them in order."""

    acts: int = 0
    leaves: tuple[int, ...] = ()


class ModelRecords:
    """What the jobs loop calls."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self._ledger, self._folder = ledger, folder

    def record(self, now: datetime) -> int:
        """Append what is not on record yet; how many. A kill in between may record an act twice."""
        done = _recorded(self._folder)
        acts = acts_in(self._folder, done.acts)
        if acts:
            leaves = (*done.leaves, *self._ledger.append([evidence_of(act) for act in acts], now))
            new = Recorded(acts=done.acts + len(acts), leaves=leaves[-LEAVES_KEPT:])
            write_durably(self._folder / _CURSOR, msgspec.json.encode(new))
        return len(acts)


def leaves_of(folder: Path) -> dict[int, int]:
    """The ledger's record of each of the last acts, by the act's number from 0."""
    done = _recorded(folder)
    return dict(enumerate(done.leaves, start=done.acts - len(done.leaves)))


def _recorded(folder: Path) -> Recorded:
    try:
        return msgspec.json.decode((folder / _CURSOR).read_bytes(), type=Recorded)
    except (FileNotFoundError, msgspec.MsgspecError):
        return Recorded()  # a damaged count: better every act twice than one not at all


def evidence_of(act: Act) -> NewEvidence:
    """The leaf of an act."""
    return NewEvidence(
        kind="model",
        actor=act.actor or "system:pipeline",
        subject=f"model:{act.kind}/{act.version:06d}",
        summary=f"{act.act} {act.why}".strip(),
        payload=msgspec.json.encode(act, order="sorted"),
    )
