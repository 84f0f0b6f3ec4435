"""Flat Windows records as JSON lines, asked of the rules before they become events.

Making an event of a line costs ten times as much as matching it, and few lines match. What is decided here is
only that a line satisfies no rule; any other line, and any that is not plain, takes the usual way
(detection/offline.py), which this module must agree with: tests/detection/sigma/test_windows_lines.py.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from detection.condition import Keyword, fields, leaves
from detection.matcher.matcher import Matcher
from detection.sigma.routing import Routing
from detection.sigma.rule import Rule
from sensors.event import LogSource, Value
from sensors.host.observe import VALUE_CHARS_MAX
from sensors.host.read_evtx import NAMES_MAX, WINDOWS, category_of
from sensors.host.tables import table

SLICE: Final = 512  # lines decoded at once: more do not stay in the processor's cache
SOURCES_MAX: Final = 4_096
_PLAIN: Final = frozenset({str, int, float, bool})
_PLAIN_OR_LIST: Final = _PLAIN | {list}


class _Record(msgspec.Struct, gc=False):
    """A record's values under the names its event will have, but for copies of values under ECS names."""

    native: dict[str, Any]
    fields: Mapping[str, Value]


class _Source(msgspec.Struct):
    """How records of one channel and event id are read; ``matcher`` is None where they must become events."""

    matcher: Matcher | None
    renames: tuple[tuple[str, str], ...]
    fields: dict[str, Value]
    code: int
    quiet: bool = False  # whether no keyword stands in ``fields``, so that the line holds every text


class WindowsLines:
    """Sorts out lines that satisfy no rule."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.left_out = 0  # lines that need not become events
        self._routing = Routing(rules)
        self._read_by: dict[str, frozenset[str]] = {}  # rule id -> ECS names it reads
        self._sources: dict[tuple[object, object, object], _Source] = {}
        self._decode = msgspec.json.Decoder(dict[str, Any]).decode

    def worth(self, lines: Sequence[bytes]) -> list[bool]:
        """For each line, whether it must become an event: it may satisfy a rule, or is no plain record."""
        found: list[bool] = []
        for start in range(0, len(lines), SLICE):
            found += self._slice(lines[start : start + SLICE])
            self._routing.asked(SLICE)
        self.left_out += found.count(False)
        return found

    def _slice(self, lines: Sequence[bytes]) -> list[bool]:
        worth = [True] * len(lines)
        waiting: dict[tuple[int, bool], tuple[_Source, list[int], list[_Record]]] = {}
        for index, line in enumerate(lines):
            taken = self._record(line)
            if taken is not None:
                source, record = taken
                key = id(source.matcher), source.quiet
                group = waiting.get(key)
                if group is None:
                    group = waiting[key] = source, [], []
                group[1].append(index)
                group[2].append(record)
        for source, indexes, records in waiting.values():
            assert source.matcher is not None
            written = [lines[index] for index in indexes] if source.quiet else None
            for index, answer in zip(indexes, source.matcher.match(records, written), strict=True):
                if not answer:
                    worth[index] = False
        return worth

    def _record(self, line: bytes) -> tuple[_Source, _Record] | None:
        if len(line) > VALUE_CHARS_MAX:  # some value may be cut
            return None
        try:
            record = self._decode(line)
            source = self._source(record)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, TypeError, KeyError):
            return None  # the usual way says what is wrong with it
        if source.matcher is None or not _is_plain(record):
            return None
        for old, new in source.renames:
            if old in record:
                record.setdefault(new, record[old])
        provider = record.get("SourceName") or record.get("Provider_Name") or ""
        computer = record.get("Hostname") or record.get("Computer")
        if type(provider) is not str or type(computer) is not str:
            return None
        record["EventID"] = source.code
        record["Provider_Name"] = provider
        record["Computer"] = computer
        return source, _Record(record, source.fields)

    def _source(self, record: dict[str, Any]) -> _Source:
        key = record["Channel"], record["EventID"], record.get("EventType")
        source = self._sources.get(key)
        # True and 1.0 equal 1 as a key, and are other event ids
        if source is None or type(key[1]) not in (int, str):
            if len(self._sources) >= SOURCES_MAX:
                self._sources.clear()
            source = self._sources[key] = self._read(*key)
        return source

    def _read(self, channel: object, code: object, kind: object) -> _Source:
        plain = isinstance(code, str) and code.isascii() and code.isdigit() and code == str(int(code[:9]))
        if not isinstance(channel, str) or not (plain or type(code) is int):
            return _Source(None, (), {}, -1)
        number = int(str(code))
        mapped = table("windows_events")
        service = str(mapped["services"].get(channel, ""))
        category = category_of(mapped, service, number, {"EventType": str(kind)})
        rules, matcher = self._routing.route(LogSource(product=WINDOWS, category=category, service=service))
        own: dict[str, Value] = {
            "event.dataset": f"windows.{service or 'other'}",
            "event.code": str(number),
            "event.kind": "event",
        }
        renames = mapped["native"].get(service, {}).get(str(number), {})
        known = all(self._readable(rule, own) for rule in rules)
        quiet = not matcher.says([str(value) for value in own.values()])
        return _Source(matcher if known else None, tuple(renames.items()), own, number, quiet)

    def _readable(self, rule: Rule, own: Mapping[str, Value]) -> bool:
        """Whether the rule reads nothing that only the whole event has."""
        read = self._read_by.get(rule.id)
        if read is None:
            read = frozenset(name for name in fields(rule.condition) if "." in name)
            if any(isinstance(leaf, Keyword) and leaf.operator == "regex" for leaf in leaves(rule.condition)):
                read |= {"."}  # a name no record has
            self._read_by[rule.id] = read
        return read <= own.keys()


def _is_plain(record: dict[str, Any]) -> bool:
    """Whether the event will have these values as they are."""
    kinds = set(map(type, record.values()))
    if not kinds <= _PLAIN:
        if not kinds <= _PLAIN_OR_LIST:
            return False
        for value in record.values():
            if type(value) is list and (len(value) > NAMES_MAX or not _PLAIN.issuperset(map(type, value))):
                return False
    if "Event" in record or "logsource" in record or "#attributes" in record:  # other forms of records
        return False
    return len(record) < NAMES_MAX
