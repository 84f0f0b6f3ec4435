"""What the center has of each sensor: per lane and boot the highest sequence stored; pure, no files.

A sensor sends a lane in order, so one number a boot is enough to know a repeated batch. Thousands of boots of
a lane are kept, the least recently stored is forgotten first; of a boot that is not known, everything is new:
rather twice than never. Beside them stands the newest boot of each sensor and the key that signed it: a boot
before it, signed by the same key, is a copy.
"""

from typing import Final, NamedTuple

import msgspec

from sensors.wire import StoredHeader

EPOCHS_MAX: Final = 4_096

_Marks = dict[str, dict[str, dict[int, int]]]  # sensor -> lane -> epoch -> sequence


class Boot(NamedTuple):
    """A start of a sensor, and the key its batches were signed with (b"": not known)."""

    epoch: int
    key: bytes


class _State(msgspec.Struct, frozen=True, array_like=True):
    """The checkpoint's bytes."""

    marks: _Marks
    newest: dict[str, tuple[int, bytes]] = {}


class Watermarks:
    """Mutable; owned by the listener's committer alone."""

    def __init__(self, marks: _Marks | None = None, newest: dict[str, Boot] | None = None) -> None:
        self._marks: Final[_Marks] = marks if marks is not None else {}
        self._newest: Final[dict[str, Boot]] = newest if newest is not None else {}

    @classmethod
    def decode(cls, state: bytes) -> "Watermarks":
        """From the bytes of ``encode``; b'' is the empty set. Raises msgspec.MsgspecError."""
        if not state:
            return cls()
        try:
            read = msgspec.msgpack.decode(state, type=_State)
        except msgspec.ValidationError:  # as version 1 wrote them
            return cls(msgspec.msgpack.decode(state, type=_Marks))
        return cls(read.marks, {sensor: Boot(*boot) for sensor, boot in read.newest.items()})

    def encode(self) -> bytes:
        """For the log's checkpoint."""
        newest = {sensor: (boot.epoch, boot.key) for sensor, boot in self._newest.items()}
        return msgspec.msgpack.encode(_State(self._marks, newest))

    def mark(self, sensor: str, lane: str, epoch: int) -> int:
        """The highest stored sequence; 0 where nothing is known of that boot."""
        return self._marks.get(sensor, {}).get(lane, {}).get(epoch, 0)

    def newest(self, sensor: str) -> Boot:
        """The newest boot of which something is stored; epoch 0 where nothing is known."""
        return self._newest.get(sensor, Boot(0, b""))

    def first_new(self, sensor: str, lane: str, epoch: int, first: int, last: int) -> int | None:
        """The first sequence of a range that is not stored yet; None where all of it is."""
        epochs = self._marks.get(sensor, {}).get(lane, {})
        new = max(first, epochs.get(epoch, 0) + 1)
        return new if new <= last else None

    def advance(self, header: StoredHeader, key: bytes = b"") -> None:
        """Take note of a stored frame, signed with this key."""
        epochs = self._marks.setdefault(header.sensor, {}).setdefault(header.lane, {})
        epochs[header.epoch] = max(epochs.pop(header.epoch, 0), header.last)  # put last: recently stored
        while len(epochs) > EPOCHS_MAX:
            del epochs[next(iter(epochs))]
        if header.epoch >= self.newest(header.sensor).epoch:
            self._newest[header.sensor] = Boot(header.epoch, key)
