"""Log lines of programs: templates never seen before, and programs that fell silent.

A program is learned by lines and days. Silence is measured against the program's own longest pause, by the
clock of its sensor's heartbeats, and not over a time in which the sensor itself was silent.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from detection.alert import Alert
from detection.detector import feed_each
from detection.parameters import Saying
from detection.special.reading import host_of, shown, text
from detection.special.templates import Kept, LineKinds
from sensors.event import Event

_DAY: Final = 86_400.0


class LogLinesParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``log_lines`` of rules/anomaly/special.toml."""

    learning_lines: int
    learning_days: float
    settled_lines: int
    new_per_day: int
    templates_max: int
    programs_max: int
    silent_lines: int
    silent_pause_seconds: float
    silent_times: float
    silent_least_seconds: float
    heartbeat_seconds: float
    new: Saying
    silent: Saying


class Program(msgspec.Struct):
    """How long a program is known, when it last made a template, and its budget of today."""

    begun: float
    lines: int = 0
    since_new: int = 0
    day: int = 0
    told: int = 0


class Voice(msgspec.Struct):
    """A program on a host: lines, first and last, the longest pause, and whether its silence was told."""

    sensor: str
    lines: int = 0
    first: float = 0.0
    last: float = 0.0
    pause: float = 0.0
    told: bool = False


class Memory(msgspec.Struct):
    """What outlives the process."""

    programs: dict[str, Program]
    voices: dict[str, Voice]
    beats: dict[str, float]
    kinds: dict[str, Kept]


class LogLinesDetector:
    """Claims new templates and silence."""

    name = "log_lines"
    datasets: frozenset[str] | None = None

    def __init__(self, parameters: LogLinesParameters) -> None:
        self._parameters = parameters
        self.remember(Memory({}, {}, {}, {}))

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        """A new template within the budget, a silence once until the program speaks again."""
        return feed_each(self._take, events)

    def memory(self) -> Memory:
        """Templates, voices and heartbeats."""
        self._known.kinds = self._kinds.state()
        return self._known

    def remember(self, memory: Any) -> None:
        """Take up what an earlier process learned."""
        parameters = self._parameters
        self._known: Memory = memory
        self._kinds = LineKinds(
            programs_max=parameters.programs_max, templates_max=parameters.templates_max, kept=memory.kinds
        )

    def _take(self, event: Event) -> list[Alert]:
        if event.fields.get("event.dataset") == "liuhe.heartbeat":
            return self._beat(event)
        message = event.fields.get("message")
        program = text(event, "Program") or text(event, "process.name")
        if type(message) is not str or not message or not program:
            return []
        self._hear(event, program)
        return self._read(event, program, message)

    def _read(self, event: Event, program: str, message: str) -> list[Alert]:
        parameters, time = self._parameters, event.time.timestamp()
        key = f"{event.unit}\0{program}"
        known = self._known.programs.pop(key, None) or Program(begun=time)
        self._known.programs[key] = known  # the one heard longest ago is first, as among the templates
        if len(self._known.programs) > parameters.programs_max:
            del self._known.programs[next(iter(self._known.programs))]
        is_new, _, template = self._kinds.read(key, message)
        settled = known.since_new >= parameters.settled_lines
        known.lines += 1
        known.since_new = 0 if is_new else known.since_new + 1
        known.begun = min(known.begun, time)
        learned = (
            settled
            and known.lines > parameters.learning_lines
            and time - known.begun >= parameters.learning_days * _DAY
        )
        if not is_new or not learned:
            return []
        day = int(time // _DAY)
        if known.day != day:
            known.day, known.told = day, 0
        known.told += 1
        known.since_new = parameters.settled_lines  # one new line does not unsettle what is learned
        if known.told > parameters.new_per_day:
            return []
        numbers = {"program": program, "template": template, "lines": known.lines - 1}
        return [self._alert(parameters.new, event, program, numbers)]

    def _hear(self, event: Event, program: str) -> None:
        time = event.time.timestamp()
        key = f"{event.unit}\0{host_of(event)}\0{program}"
        voice = self._known.voices.get(key)
        if voice is None:
            voice = self._known.voices[key] = Voice(sensor=event.sensor, first=time, last=time)
            if len(self._known.voices) > self._parameters.programs_max * 8:
                del self._known.voices[next(iter(self._known.voices))]
        voice.lines += 1
        voice.pause = max(voice.pause, time - voice.last)
        voice.last = max(voice.last, time)
        voice.told = False

    def _beat(self, event: Event) -> list[Alert]:
        parameters, time = self._parameters, event.time.timestamp()
        before = self._known.beats.get(event.sensor)
        if before is not None and 0 <= time - before < 60:
            return []  # looked at once a minute
        self._known.beats[event.sensor] = time
        if len(self._known.beats) > parameters.programs_max:
            del self._known.beats[next(iter(self._known.beats))]
        voices = [(key, one) for key, one in self._known.voices.items() if one.sensor == event.sensor]
        if before is None or abs(time - before) > parameters.heartbeat_seconds:
            for _, voice in voices:  # the sensor was away: what it did not tell is no silence
                voice.last = max(voice.last, time)
            return []
        return [alert for key, voice in voices for alert in self._silence(event, key, voice, time)]

    def _silence(self, event: Event, key: str, voice: Voice, time: float) -> list[Alert]:
        parameters = self._parameters
        if (
            voice.told
            or voice.lines < parameters.silent_lines
            or voice.pause > parameters.silent_pause_seconds
        ):
            return []
        if voice.last - voice.first < parameters.learning_days * _DAY:
            return []
        quiet = time - voice.last
        if quiet < max(parameters.silent_least_seconds, parameters.silent_times * voice.pause):
            return []
        voice.told = True
        _, host, program = key.split("\0", 2)
        numbers = {
            "program": program,
            "host": host,
            "minutes": int(quiet // 60),
            "pause": int(voice.pause // 60),
            "lines": voice.lines,
        }
        return [self._alert(parameters.silent, event, program, numbers, host)]

    def _alert(
        self, saying: Saying, event: Event, program: str, numbers: dict[str, Any], host: str = ""
    ) -> Alert:
        return saying.alert(
            "special",
            entity=f"host:{host or host_of(event)}",
            numbers={"host": host or host_of(event), **numbers},
            events=(event,),
            matched=shown(event, ("message", "process.name"), program[:80]),
        )
