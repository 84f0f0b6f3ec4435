"""What the center has of each sensor: per lane and boot the highest sequence stored; pure, no files.

A sensor sends a lane in order, so one number a boot is enough to know a repeated batch. The latest boots of
a lane are kept; anything of an older one was sent before them and is a repetition.
"""

from typing import Final

import msgspec

from sensors.wire import StoredHeader

EPOCHS_MAX: Final = 16

_Marks = dict[str, dict[str, dict[int, int]]]  # sensor -> lane -> epoch -> sequence


class Watermarks:
    """Mutable; owned by the listener's committer alone."""

    def __init__(self, marks: _Marks | None = None) -> None:
        self._marks: _Marks = marks if marks is not None else {}

    @classmethod
    def decode(cls, state: bytes) -> "Watermarks":
        """From the bytes of ``encode``; b'' is the empty set. Raises msgspec.MsgspecError."""
        return cls(msgspec.msgpack.decode(state, type=_Marks) if state else None)

    def encode(self) -> bytes:
        """For the log's checkpoint."""
        return msgspec.msgpack.encode(self._marks)

    def mark(self, sensor: str, lane: str, epoch: int) -> int:
        """The highest stored sequence; 0 where nothing is known of that boot."""
        return self._marks.get(sensor, {}).get(lane, {}).get(epoch, 0)

    def first_new(self, sensor: str, lane: str, epoch: int, first: int, last: int) -> int | None:
        """The first sequence of a range that is not stored yet; None where all of it is."""
        epochs = self._marks.get(sensor, {}).get(lane, {})
        if epoch not in epochs and len(epochs) >= EPOCHS_MAX and epoch < min(epochs):
            return None
        new = max(first, epochs.get(epoch, 0) + 1)
        return new if new <= last else None

    def advance(self, header: StoredHeader) -> None:
        """Take note of a stored frame."""
        epochs = self._marks.setdefault(header.sensor, {}).setdefault(header.lane, {})
        epochs[header.epoch] = max(epochs.get(header.epoch, 0), header.last)
        while len(epochs) > EPOCHS_MAX:
            del epochs[min(epochs)]
