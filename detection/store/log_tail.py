"""The events of the center's log that are not sealed yet, few of them decoded.

A frame never changes once written, so its summary is made once; what is sealed is forgotten.
"""

import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from crypto.words import BadInput
from sensors.event import Event
from sensors.segment_log import SegmentLog
from sensors.wire import frame_events

LOG_NAME: Final = "center"
READ_BYTES: Final = 1 << 20


class Summary(NamedTuple):
    """One frame: how many events of which times."""

    sequence: int
    events: int
    time_min: datetime
    time_max: datetime


class LogTail:
    """A reader of the log beside its writer; safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        self._log = SegmentLog.open(folder, name=LOG_NAME, writer=False)
        self._lock = threading.Lock()
        self._summaries: dict[int, Summary] = {}
        self._read_to = 0

    def frames(self, after: int, limit_bytes: int = READ_BYTES) -> list[tuple[int, bytes]]:
        """(sequence, payload) of the frames behind ``after``, in order; [] where there are none yet."""
        return [(frame.sequence, frame.payload) for frame in self._log.read(after, limit_bytes)]

    def summaries(self, after: int) -> list[Summary]:
        """Summaries of all frames behind ``after`` that hold events, brought up to date, in order."""
        with self._lock:
            self._summaries = {at: known for at, known in self._summaries.items() if at > after}
            self._read_to = max(self._read_to, after)
            while batch := self.frames(self._read_to):
                for sequence, payload in batch:
                    events = _readable(payload)
                    if events:
                        times = [event.time for event in events]
                        self._summaries[sequence] = Summary(sequence, len(events), min(times), max(times))
                    self._read_to = sequence
            return list(self._summaries.values())

    def frame_events(self, sequence: int) -> Sequence[Event]:
        """The events of one frame; none where it was released meanwhile."""
        for found, payload in self.frames(sequence - 1, limit_bytes=1):
            if found == sequence:
                return _readable(payload)
        return ()

    def events(self, after: int) -> Iterator[Event]:
        """All events behind ``after``, in the order they came."""
        while batch := self.frames(after):
            for _, payload in batch:
                yield from _readable(payload)
            after = batch[-1][0]


def _readable(payload: bytes) -> Sequence[Event]:
    """The events of a frame; none where it is malformed (the sealer sets such a frame aside)."""
    try:
        return frame_events(payload)
    except BadInput:
        return ()
