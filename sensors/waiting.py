"""Sources that read from a file which keeps: above a lane's high-water mark they wait at their cursor.

Copying a log into the spool while the center is slow only fills the disk twice. A source waits no longer than
what it stands at stays where it is: a rotated file may be deleted, so it is read on.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol, cast, runtime_checkable

from crypto.words import Words
from sensors.event import Observation
from sensors.source import Emit, Reduced, Source

WAIT_SECONDS_MAX: Final = 6 * 3600.0  # then the source is read on: a journal is cut at its end by others
WAITING: Final = Words(
    "中心较慢,停在文件的读取位置等待", "the center is slow: waits at its place in the file"
)

WaitForRoom = Callable[[str, Callable[[], bool]], None]


@runtime_checkable
class Patient(Protocol):
    """What a source has that may wait."""

    def pressing(self) -> bool:
        """Whether what it stands at may soon be gone, so that it must be read on."""
        ...


class Waiting:
    """A patient source whose ``emit`` waits for room; ``wait_for_room`` is the spool's."""

    resumes = True  # what reads from a file that keeps has a cursor

    def __init__(
        self,
        source: Source,
        wait_for_room: WaitForRoom,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = source.name
        self._source = source
        self._patient = cast("Patient", source)
        self._wait_for_room = wait_for_room
        self._monotonic = monotonic
        self._waits = False
        self._until: float | None = None  # end of patience, while there is no room

    @property
    def reduced(self) -> Words | None:
        """That it waits, or what the source itself does without."""
        if self._waits:
            return WAITING
        return self._source.reduced if isinstance(self._source, Reduced) else None

    def missing(self) -> Words | None:
        """As the source says."""
        return self._source.missing()

    def run(self, emit: Emit, stop: threading.Event) -> None:
        """Run the source; what it emits waits for room in its lane first."""

        def emit_with_room(seen: Sequence[Observation]) -> None:
            if seen:
                self._wait(seen[0].lane, stop)
            emit(seen)

        self._source.run(emit_with_room, stop)

    def _wait(self, lane: str, stop: threading.Event) -> None:
        asked = 0

        def give_up() -> bool:
            nonlocal asked
            asked += 1
            now = self._monotonic()
            if self._until is None:
                self._until = now + WAIT_SECONDS_MAX
            self._waits = True
            return stop.is_set() or now >= self._until or self._patient.pressing()

        self._wait_for_room(lane, give_up)
        self._waits = False
        if not asked:  # there was room at once
            self._until = None


def waiting(sources: Sequence[Source], wait_for_room: WaitForRoom) -> list[Source]:
    """The sources, those that can wait wrapped so that they do."""
    return [Waiting(one, wait_for_room) if isinstance(one, Patient) else one for one in sources]
