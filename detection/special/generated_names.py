"""Generated names (DGA): one source asks for many registered names that do not exist.

Made-looking names are told by the model of names; word lists by the sheer number of failures, in minutes or
over an hour; both sooner where another source asks for the same failing names.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec

from detection.alert import Alert
from detection.detector import feed_each
from detection.parameters import Saying
from detection.special.name_model import NameModel
from detection.special.names import is_reverse, parted
from detection.special.reading import shown, text
from detection.special.remembered import Remembered
from detection.special.told import Told
from sensors.event import Event

_SCORES_MAX: Final = 16_384


class GeneratedNamesParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``generated_names`` of rules/anomaly/special.toml."""

    window_seconds: int
    made_names: int
    made_score: float
    made_share: float
    shared_names: int
    shared_share: float
    any_names: int
    failed_share: float
    slow_seconds: int
    slow_names: int
    slow_share: float
    never: tuple[str, ...]
    repeat_seconds: int
    sources_max: int
    names_max: int
    alert: Saying


class Asked(msgspec.Struct):
    """Registered names of one source: those that failed with time and score, those that exist with time."""

    failed: dict[str, tuple[float, float]] = {}
    found: dict[str, float] = {}


class Memory(msgspec.Struct):
    """What outlives the process."""

    told: dict[str, float]


class GeneratedNamesDetector:
    """Claims generated names where enough of a source's names fail within the window."""

    name = "generated_names"
    datasets: frozenset[str] | None = frozenset({"net.dns"})

    def __init__(self, parameters: GeneratedNamesParameters, model: NameModel) -> None:
        self._parameters = parameters
        self._model = model
        self._score = lru_cache(maxsize=_SCORES_MAX)(self._scored)
        self._sources: Remembered[Asked] = Remembered(
            Asked, keys_max=parameters.sources_max, weight_max=parameters.sources_max * 16
        )
        self._askers: Remembered[dict[str, float]] = Remembered(
            dict, keys_max=parameters.sources_max * 4, weight_max=parameters.sources_max * 16
        )
        self._told = Told(parameters.repeat_seconds, parameters.sources_max)

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        """One alert per source, again after ``repeat_seconds`` of event time."""
        return feed_each(self._take, events)

    def memory(self) -> Memory:
        """What was told; the window is rebuilt by the replay after a start."""
        return Memory(told=dict(self._told.times))

    def remember(self, memory: Any) -> None:
        """Take up what an earlier process told."""
        self._told.recall(memory.told)

    def _take(self, event: Event) -> list[Alert]:
        if text(event, "dns.type") != "answer" or text(event, "network.protocol") in ("mdns", "llmnr"):
            return []
        name, source = text(event, "dns.question.name").lower(), text(event, "source.ip")
        if "." not in name or not source or is_reverse(name) or name.endswith(self._parameters.never):
            return []
        registered = self._counted(name)
        key, time = f"{event.unit}\0{source}", event.time.timestamp()
        code = text(event, "dns.response_code")
        asked = self._sources.touch(key)
        if code == "NOERROR":
            _put(asked.found, registered, time, self._parameters.names_max)
            asked.failed.pop(registered, None)
            return []
        if code != "NXDOMAIN" or registered in asked.found:
            return []
        if registered not in asked.failed:
            score = self._score(registered)
            _put(asked.failed, registered, (time, score), self._parameters.names_max)
        askers = self._askers.touch(f"{event.unit}\0{registered}")
        _put(askers, source, time, 8)
        self._sources.weigh(key, 1 + len(asked.failed) + len(asked.found))
        return self._claim(event, key, source, asked, time)

    def _scored(self, name: str) -> float:
        return self._model.scores([name])[0]

    def _counted(self, name: str) -> str:
        """The registered name; a made-looking name below it as a whole, where anybody may have one there."""
        before, registered = parted(name)
        if before and "." not in before and before != "www":
            top = registered.rpartition(".")[2]
            if self._score(f"{before}.{top}") >= self._parameters.made_score:
                return name
        return registered

    def _asked_by_others(self, unit: str, names: Iterable[str]) -> int:
        return sum(len(self._askers.touch(f"{unit}\0{name}")) > 1 for name in names)

    def _claim(self, event: Event, key: str, source: str, asked: Asked, time: float) -> list[Alert]:
        parameters = self._parameters
        if len(asked.failed) < parameters.shared_names:
            return []
        seconds = parameters.window_seconds
        recent, found = _within(asked, time, seconds)
        made = [name for name, score in recent.items() if score >= parameters.made_score]
        made_enough = len(made) >= parameters.made_share * len(recent)
        failing = len(recent) >= parameters.failed_share * (len(recent) + found)
        enough = len(recent) >= parameters.shared_names
        others = self._asked_by_others(event.unit, recent) if enough else 0
        shared = enough and others >= parameters.shared_share * len(recent)
        held = (
            (len(recent) >= parameters.made_names and made_enough)
            or (shared and failing and made_enough)
            or (len(recent) >= parameters.any_names and failing)
        )
        if not held and len(asked.failed) >= parameters.slow_names:
            seconds = parameters.slow_seconds
            recent, found = _within(asked, time, seconds)
            made = [name for name, score in recent.items() if score >= parameters.made_score]
            # with as many names that exist as are remembered the share is not known: a crawler, a forwarder
            many = len(recent) >= parameters.slow_names and found < parameters.names_max
            held = many and len(recent) >= parameters.slow_share * (len(recent) + found)
        if not held or not self._told.due(key, time):
            return []
        return [
            parameters.alert.alert(
                "special",
                entity=f"source:{source}",
                numbers={
                    "source": source,
                    "names": len(recent),
                    "made": len(made),
                    "seconds": seconds,
                    "shared": others,
                    "examples": list((made or list(recent))[:4]),
                },
                events=(event,),
                matched=shown(event, ("source.ip", "dns.question.name", "dns.response_code"), "names"),
            )
        ]


def _within(asked: Asked, time: float, seconds: int) -> tuple[dict[str, float], int]:
    """The names that failed within the window with their scores, and how many others exist."""
    recent = {name: score for name, (seen, score) in asked.failed.items() if abs(time - seen) <= seconds}
    return recent, sum(abs(time - seen) <= seconds for seen in asked.found.values())


def _put(table: dict[str, Any], key: str, value: object, size_max: int) -> None:
    """Put the newest last; the oldest goes where there are too many."""
    table.pop(key, None)
    table[key] = value
    if len(table) > size_max:
        del table[next(iter(table))]
