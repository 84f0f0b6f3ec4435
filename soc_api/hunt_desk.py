"""What hunting stands on: views, entities, hits, and drafts that become rules once they are accepted."""

import os
from datetime import datetime
from pathlib import Path
from typing import Final

from detection.store.entity_store import EntityStore
from detection.store.hit_store import HitStore
from detection.store.host_change_store import HostChangeStore
from detection.store.state import Engine
from sensors.segment_checkpoint import sync_folder
from soc_api.hunt_store import HuntStore, RuleDraft

OWN_RULES: Final = Path("rules", "own")  # below the data folder


class HuntDesk:
    """Safe to share between threads; ``data`` is the center's data folder."""

    def __init__(self, engine: Engine, data: Path) -> None:
        self.store = HuntStore(engine)
        self.entities = EntityStore(engine)
        self.changes = HostChangeStore(engine)
        self.hits = HitStore(engine)
        self._folder = data / OWN_RULES

    def accept(self, number: int, *, decider: str, reason: str, now: datetime) -> RuleDraft:
        """The draft as a file beside the center's rules. Raises Refused (draft-state, draft-own)."""
        after = self.store.decide_draft(number, "accepted", decider=decider, reason=reason, now=now)
        self._write(after)
        return after

    def refuse(self, number: int, *, decider: str, reason: str, now: datetime) -> RuleDraft:
        """It stays on record. Raises Refused (draft-state, draft-own)."""
        return self.store.decide_draft(number, "refused", decider=decider, reason=reason, now=now)

    def write_missing(self) -> int:
        """Write what was accepted and has no file, as after a crash between the two; how many."""
        missing = [
            draft
            for draft in self.store.drafts()
            if draft.state == "accepted" and not self._path(draft).exists()
        ]
        for draft in missing:
            self._write(draft)
        return len(missing)

    def _path(self, draft: RuleDraft) -> Path:
        return self._folder / f"{draft.rule}.yml"

    def _write(self, draft: RuleDraft) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._path(draft)
        temporary = path.with_suffix(".tmp")
        with temporary.open("wb") as file:
            file.write(draft.text.encode())
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
        sync_folder(self._folder)
