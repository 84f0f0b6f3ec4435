"""The beats of the ledger: a checkpoint at least each minute, a heartbeat leaf each minute.

The heartbeat is what makes silence show: a minute without one is a minute the ledger did not run, and its
payload says how many records each kind of source had given by then.
"""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import msgspec

from compliance.ledger import Ledger, NewEvidence
from crypto.sm3 import sm3_hex

HEARTBEAT_SECONDS: Final = 60.0
CHECKPOINT_SECONDS: Final = 60.0
CHECKPOINT_LEAVES: Final = 1_000
_SOURCES_MAX: Final = 64  # named in a heartbeat; all of them go into its digest


class LedgerBeats:
    """What the jobs loop calls; ``state`` adds to the heartbeat what else should be on record."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        state: Callable[[], dict[str, Any]] = dict,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger, self._state, self._monotonic = ledger, state, monotonic
        self._signed = monotonic()

    def checkpoint(self, now: datetime) -> bool:
        """Sign where a minute has passed or enough leaves wait; whether there is a new checkpoint."""
        latest = self._ledger.latest()
        signed = latest.checkpoint.size if latest else 0
        waiting = self._ledger.size - signed
        if not waiting:
            return False
        if waiting < CHECKPOINT_LEAVES and self._monotonic() - self._signed < CHECKPOINT_SECONDS:
            return False
        self._ledger.checkpoint(now)
        self._signed = self._monotonic()
        return True

    def heartbeat(self, now: datetime) -> int:
        """Append the heartbeat; its leaf."""
        numbers = self._ledger.numbers()
        named = sorted(source for source in numbers if "/" not in source)[:_SOURCES_MAX]
        payload = {
            "size": self._ledger.size,
            "sources": {source: numbers[source] for source in named},
            "all_sources": len(numbers),
            "all_sources_sm3": sm3_hex(msgspec.json.encode(numbers, order="sorted")),
            **self._state(),
        }
        beat = NewEvidence(
            kind="heartbeat",
            actor="system:jobs",
            subject="ledger",
            summary=f"{self._ledger.size} leaves, {len(numbers)} sources",
            payload=msgspec.json.encode(payload, order="sorted"),
        )
        return self._ledger.append([beat], now)[0]
