"""Each act with an anomaly model on record: made, on trial, promoted, rejected, rolled back, refused.

The pipeline process writes acts beside the models; the process that owns the ledger makes a leaf of each.
"""

from datetime import datetime
from pathlib import Path

import msgspec

from compliance.ledger import Ledger, NewEvidence
from detection.anomaly.registry import Act, acts_in
from sensors.segment_checkpoint import write_durably

RECORD_SECONDS = 10.0
_CURSOR = "recorded.json"


class ModelRecords:
    """What the jobs loop calls."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self._ledger, self._folder = ledger, folder

    def record(self, now: datetime) -> int:
        """Append what is not on record yet; how many. A kill in between may record an act twice."""
        after = self._after()
        acts = acts_in(self._folder, after)
        if acts:
            self._ledger.append([evidence_of(act) for act in acts], now)
            write_durably(self._folder / _CURSOR, msgspec.json.encode(after + len(acts)))
        return len(acts)

    def _after(self) -> int:
        try:
            return max(msgspec.json.decode((self._folder / _CURSOR).read_bytes(), type=int), 0)
        except (FileNotFoundError, msgspec.MsgspecError):
            return 0  # a damaged count: better every act twice than one not at all


def evidence_of(act: Act) -> NewEvidence:
    """The leaf of an act."""
    return NewEvidence(
        kind="model",
        actor="system:pipeline",
        subject=f"model:{act.kind}/{act.version:06d}",
        summary=f"{act.act} {act.why}".strip(),
        payload=msgspec.json.encode(act, order="sorted"),
    )
