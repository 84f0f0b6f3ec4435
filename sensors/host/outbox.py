"""Outbox between a source that must not wait and an emit that may: bounded, and honest about what it drops.

A process may live half a millisecond, a durable emit may take ten: facts are read at once and emitted by a
thread of their own.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Self

from sensors.event import Observation
from sensors.host.observe import gap

Emit = Callable[[Sequence[Observation]], None]

OBSERVATIONS_MAX: Final = 10_000  # about 30 MB of process events: ten seconds at 1,000 a second
BATCH_MAX: Final = 500
_CLOSE_SECONDS: Final = 1.0


class Outbox:
    """Observations on their way to ``emit``, in order; use as a context."""

    def __init__(self, name: str, emit: Emit, *, observations_max: int = OBSERVATIONS_MAX) -> None:
        self._name = name
        self._emit = emit
        self._observations_max = observations_max
        self._waiting: deque[Observation] = deque()
        self._dropped = 0
        self._emitting = False
        self._closing = False
        self._error: BaseException | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=f"{name}-outbox", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(_CLOSE_SECONDS)

    def put(self, seen: Observation) -> None:
        """Hand on; dropped and counted where the outbox is full. Raises what ``emit`` raised."""
        with self._changed:
            if self._error is not None:
                raise self._error
            if len(self._waiting) >= self._observations_max:
                self._dropped += 1
                return
            self._waiting.append(seen)
            self._changed.notify()

    def idle(self) -> bool:
        """Whether everything put so far was emitted: only then may a cursor move."""
        with self._changed:
            return not (self._waiting or self._dropped or self._emitting or self._error)

    def check(self) -> None:
        """Raise what ``emit`` raised, so that a quiet source notices too."""
        with self._changed:
            if self._error is not None:
                raise self._error

    def _run(self) -> None:
        while True:
            with self._changed:
                self._emitting = False
                self._changed.wait_for(lambda: self._waiting or self._dropped or self._closing)
                if not self._waiting and not self._dropped:
                    return
                batch = [self._waiting.popleft() for _ in range(min(BATCH_MAX, len(self._waiting)))]
                dropped, self._dropped = self._dropped, 0
                self._emitting = True
            if dropped:
                batch.append(gap(self._name, "events came faster than they could be stored", count=dropped))
            try:
                self._emit(batch)
            except BaseException as error:  # noqa: BLE001 (handed to the source's own thread)
                with self._changed:
                    self._error = error
                return
