"""Keeps gap records alive until the center has them: each in the reserve and in the alerts lane."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from sensors.disk import REAL, Disk
from sensors.event import Observation, Value
from sensors.gap import gap_observation, joined
from sensors.gap_reserve import GapReserve, Reserved, fits


class Recorded(NamedTuple):
    """What must travel in the alerts lane, and whether what it speaks of may be dropped now."""

    observations: list[Observation]
    durable: bool


class GapLedger:
    """What it returns must be taken into the alerts lane at once, from the sequence it was told on.

    ``acked`` and ``durable`` tell how far the alerts lane is at the center and on disk.
    """

    def __init__(
        self, folder: Path, disk: Disk = REAL, *, acked: Callable[[], int], durable: Callable[[], int]
    ) -> None:
        self._reserve = GapReserve(folder, disk)
        self._acked = acked
        self._durable = durable

    def drops(self) -> list[tuple[str, int]]:
        """(lane, last) of the drops that were recorded and perhaps not done before a crash."""
        return [(one.lane, one.last) for one in self._reserve.held().values() if one.last]

    def record(
        self,
        records: Sequence[Mapping[str, Value]],
        sequence: int,
        now: datetime,
        *,
        lane: str = "",
        last: int = 0,
    ) -> "Recorded":
        """Make records durable before ``lane`` is dropped up to ``last``."""
        wanted = [
            Reserved(fields=fields, sequence=sequence + index, lane=lane, last=last)
            for index, fields in enumerate(joined(records))
        ]
        if not all(fits(one) for one in wanted) or not self._room(len(wanted)):
            return Recorded([], durable=False)
        travelling = [gap_observation(one.fields, now) for one in wanted]
        try:
            self._reserve.put(wanted)
        except OSError:
            # What a crash may bring back must keep its sequence, so it travels, though nothing is dropped.
            found = all(self._reserve.holds(one) for one in wanted)
            return Recorded(travelling if found else [], durable=False)
        return Recorded(travelling, durable=True)

    def knows(self, record: Mapping[str, Value]) -> bool:
        """Whether the same record is kept already; a start finds the same damage again."""
        return any(one.fields == record for one in self._reserve.held().values())

    def lost(self, first: int, last: int, sequence: int, now: datetime) -> Recorded:
        """The records that travelled in a lost range of the alerts lane, once more."""
        held = {slot: one for slot, one in self._reserve.held().items() if first <= one.sequence <= last}
        return self._again(held, sequence, now)

    def resume(self, sequence: int, now: datetime) -> list[Observation]:
        """After a start: the records that never became durable in the lane, once more."""
        held = {slot: one for slot, one in self._reserve.held().items() if one.sequence > self._durable()}
        return self._again(held, sequence, now).observations

    def _again(self, held: Mapping[int, Reserved], sequence: int, now: datetime) -> Recorded:
        durable = True
        for index, (slot, one) in enumerate(held.items()):
            try:
                self._reserve.change(slot, msgspec.structs.replace(one, sequence=sequence + index, last=0))
            except OSError:
                durable = False
        return Recorded([gap_observation(one.fields, now) for one in held.values()], durable)

    def _room(self, count: int) -> bool:
        """Empty the slots whose records the center has; where that is too little, those in the lane."""
        for known in (self._acked(), self._durable()):
            if self._reserve.free < count or known == self._acked():
                with suppress(OSError):
                    held = self._reserve.held().items()
                    self._reserve.clear([slot for slot, one in held if one.sequence <= known])
        return self._reserve.free >= count
