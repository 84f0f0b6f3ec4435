"""Windows kept to learn from again: an even sample of each of the last days, the same on every replay.

Which windows stay is decided by a digest of the window itself, so no lot is drawn. A day's rows are packed as
32-bit floats, since they go with every commit.
"""

import zlib
from hashlib import sha256
from typing import Final

import msgspec
import numpy as np

from detection.anomaly.encoding import Array
from detection.anomaly.windows import Closed

DAY_SECONDS: Final = 86_400
_PACKED_BYTES_MAX: Final = 16 * 1024 * 1024


class Day(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The sample of one day: how many windows there were, and rows of start, surprise and counts."""

    seen: int = 0
    packed: bytes = b""


class History:
    """The sample of one kind of entity."""

    def __init__(self, width: int, *, days_max: int, rows_max: int) -> None:
        self._width, self._days_max, self._rows_max = width, days_max, rows_max
        self._rows: dict[int, list[tuple[float, ...]]] = {}
        self._seen: dict[int, int] = {}
        self._packed: dict[int, bytes] = {}

    def add(self, window: Closed, surprise: float) -> None:
        """Keep the window, or one of its day less, once there are enough: each with the same chance."""
        day = window.start // DAY_SECONDS
        rows = self._rows.setdefault(day, [])
        seen = self._seen[day] = self._seen.get(day, 0) + 1
        row = (float(window.start), surprise, *window.values)
        if len(rows) < self._rows_max:
            rows.append(row)
        else:
            lot = sha256(f"{window.unit}\0{window.entity}\0{window.start}".encode()).digest()
            place = int.from_bytes(lot[:8]) % seen
            if place >= self._rows_max:
                return
            rows[place] = row
        self._packed.pop(day, None)
        while len(self._rows) > self._days_max:
            oldest = min(self._rows)
            for table in (self._rows, self._seen, self._packed):
                table.pop(oldest, None)

    @property
    def windows(self) -> int:
        """How many there were on the days it holds."""
        return sum(self._seen.values())

    def table(self) -> tuple[Array, Array, Array]:
        """(starts, surprises, counts) of all rows kept, in order of time."""
        rows = sorted(row for day in sorted(self._rows) for row in self._rows[day])
        whole = np.array(rows, dtype=np.float64).reshape(len(rows), 2 + self._width)
        return whole[:, 0], whole[:, 1], np.ascontiguousarray(whole[:, 2:])

    def days(self) -> dict[int, Day]:
        """What a snapshot keeps; days that did not change are not packed again."""
        for day, rows in self._rows.items():
            if day not in self._packed:
                table = np.array(rows, dtype="<f8")
                table[:, 0] -= day * DAY_SECONDS  # exact in 32 bits
                self._packed[day] = zlib.compress(table.astype("<f4").tobytes(), 1)
        return {day: Day(seen=self._seen[day], packed=self._packed[day]) for day in self._rows}

    def recall(self, days: dict[int, Day]) -> None:
        """Take up what a snapshot kept; a day that does not read is left aside."""
        for day, kept in sorted(days.items())[-self._days_max :]:
            unpacker = zlib.decompressobj()
            try:
                data = unpacker.decompress(kept.packed, _PACKED_BYTES_MAX)
                table = np.frombuffer(data, dtype="<f4").reshape(-1, 2 + self._width).astype(np.float64)
            except (zlib.error, ValueError):
                continue
            if not np.isfinite(table).all():
                continue
            table[:, 0] += day * DAY_SECONDS
            self._rows[day] = [tuple(row) for row in table[: self._rows_max].tolist()]
            self._seen[day] = max(kept.seen, len(self._rows[day]))
            self._packed[day] = kept.packed
