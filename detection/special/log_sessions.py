"""Sessions in logs: the lines of one connection, command or request, joined by a key until nothing follows.

What the key is stands in the parameters, by source: fields of the event (the process of a connection), or
what follows a mark in the line (an id of a block or request). A session ends by a line that says so, or by a
gap in the time of its sensor's events.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

from detection.special.reading import host_of, text
from sensors.event import Event

_SKEW_SECONDS: Final = 300.0  # an event so far ahead of its receipt does not move the clock
_LOOK_SECONDS: Final = 1.0  # of event time between two looks for sessions that ended
_ID_CHARS_MAX: Final = 64
_CLOCKS_MAX: Final = 20_000


class SessionSource(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of ``sources`` in table ``log_sequences`` of rules/anomaly/special.toml."""

    name: str
    programs: frozenset[str] = frozenset()  # none: any program whose line has the mark
    keys: tuple[str, ...] = ()  # the first field that is there
    after: str = ""  # or what follows this mark in the line: letters, digits, - and _
    ends: tuple[str, ...] = ()  # parts of a line after which the session is over
    gap_seconds: float

    def key_of(self, event: Event, message: str) -> str:
        """What joins the line to others of its session; '' if nothing does."""
        if self.after:
            place = message.find(self.after)
            return "" if place < 0 else _identifier(message[place + len(self.after) :][:_ID_CHARS_MAX])
        for name in self.keys:
            value = event.fields.get(name)
            if value is not None and value != "":
                return str(value)[:_ID_CHARS_MAX]
        return ""

    def is_end(self, message: str) -> bool:
        """Whether the line says that the session is over."""
        return any(part in message for part in self.ends)


class Session(msgspec.Struct):
    """Kinds of the lines so far, times of the first and the last, and both as events."""

    source: str
    host: str
    begun: float
    last: float
    steps: list[str]
    first: Event
    final: Event


class Line(NamedTuple):
    """A line that belongs to a session of this source, under this key."""

    source: SessionSource
    key: str
    message: str


class Open(msgspec.Struct):
    """What outlives the process: open sessions by sensor and source, and the clocks of sensors."""

    sessions: dict[str, dict[str, Session]]
    clocks: dict[str, float]


class LogSessions:
    """Joins lines; at most ``sessions_max`` sessions are open and none has more than ``lines_max`` lines."""

    def __init__(
        self, sources: tuple[SessionSource, ...], *, sessions_max: int, lines_max: int, kept: Open | None
    ) -> None:
        self._sources = sources
        self._by_program = {program: source for source in sources for program in source.programs}
        self._by_mark = tuple(source for source in sources if not source.programs and source.after)
        self._sessions_max = sessions_max
        self._lines_max = lines_max
        self._open = kept or Open({}, {})
        self._count = sum(map(len, self._open.sessions.values()))

    def line_of(self, event: Event) -> Line | None:
        """The session line in the event; None where it is none."""
        message: Any = event.fields.get("message")
        if type(message) is not str or not message:
            return None
        program = (text(event, "Program") or text(event, "process.name")).partition("(")[0]
        source = self._by_program.get(program)
        if source is None:
            source = next((one for one in self._by_mark if one.after in message), None)
        if source is None:
            return None
        key = source.key_of(event, message)
        return Line(source, f"{event.unit}\0{host_of(event)}\0{key}", message) if key else None

    def ended(self, event: Event) -> Iterator[Session]:
        """Sessions of the event's sensor that its time shows to be over, those begun first first."""
        time = event.time.timestamp()
        if event.ingested is not None and time > event.ingested.timestamp() + _SKEW_SECONDS:
            return
        before = self._open.clocks.get(event.sensor)
        if before is not None and time < before + _LOOK_SECONDS:
            return
        self._open.clocks[event.sensor] = time
        if len(self._open.clocks) > _CLOCKS_MAX:
            del self._open.clocks[next(iter(self._open.clocks))]
        for source in self._sources:
            table = self._open.sessions.get(f"{event.sensor}\0{source.name}")
            while table:
                key = next(iter(table))
                if table[key].last + source.gap_seconds >= time:
                    break
                yield self._close(table, key)

    def add(self, event: Event, line: Line, kind: str) -> Iterator[Session]:
        """Put the line into its session; yields those that are thereby over."""
        time = event.time.timestamp()
        table = self._open.sessions.setdefault(f"{event.sensor}\0{line.source.name}", {})
        session = table.get(line.key)
        if session is not None and session.last + line.source.gap_seconds < time:
            yield self._close(table, line.key)
            session = None
        if session is None:
            session = Session(line.source.name, host_of(event), time, time, [], event, event)
            self._count += 1
        else:
            del table[line.key]
        table[line.key] = session  # the one that spoke longest ago is first
        session.steps.append(kind)
        session.begun, session.last = min(session.begun, time), max(session.last, time)
        session.final = event
        if line.source.is_end(line.message) or len(session.steps) >= self._lines_max:
            yield self._close(table, line.key)
        elif self._count > self._sessions_max:
            yield self._close(table, next(iter(table)))

    def state(self) -> Open:
        """Open sessions and clocks."""
        return self._open

    def _close(self, table: dict[str, Session], key: str) -> Session:
        self._count -= 1
        return table.pop(key)


def _identifier(rest: str) -> str:
    """The letters, digits, - and _ it begins with."""
    for place, character in enumerate(rest):
        if not (character.isalnum() or character in "-_"):
            return rest[:place]
    return rest
