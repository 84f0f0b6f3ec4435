"""Files as events for offline detection: whatever the sensors read, and JSON lines of other systems.

A JSON line is an Event; or a Windows record, nested (``Event.System``) or flat (``Channel``, ``EventID``); or
any object, whose keys become native fields of an unknown log source. A bad line is told, the rest goes on.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

import msgspec

from crypto.words import BadInput, Words
from sensors.event import EVENT_BYTES_MAX, Event, LogSource, Observation, Value, decode, stamp
from sensors.host.read_evtx import describe_record
from sensors.read import read_file

Format = Literal["auto", "jsonl", "pcap", "evtx", "log"]
Sort = Callable[[Sequence[bytes]], Sequence[bool]]
UNIT: Final = "offline"
SORTED_AT_ONCE: Final = 512
_NO_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TIME_NAMES: Final = ("@timestamp", "UtcTime", "TimeCreated", "EventTime", "timestamp", "time", "ts")
_DEPTH_MAX: Final = 8
_NAMES_MAX: Final = 2_000

_objects: Final = msgspec.json.Decoder(dict[str, Any])


def events_in(
    path: Path, kind: Format, told: Callable[[BadInput], None], sort: Sort | None = None
) -> Iterator[Event]:
    """The events of a file, stamped as of a pseudo sensor named after it; bad lines go to ``told``.

    ``sort`` says which JSON lines are worth becoming events; the others are left out, and the ids of events
    are what they would be without it. Raises BadInput where the file as a whole cannot be read.
    """
    json = kind == "jsonl" or _looks_json(path, kind)
    seen: Iterator[Observation | Event | None] = _json_lines(path, told, sort) if json else read_file(path)
    for number, observation in enumerate(seen, start=1):
        if isinstance(observation, Event):
            yield observation
        elif observation is not None:
            yield stamp(observation, unit=UNIT, sensor=f"file:{path.name}", epoch=0, sequence=number)


def pasted(text: str) -> Event:
    """The event of one JSON object that somebody pasted, in any form a line may have. Raises BadInput."""
    data = text.strip().encode()
    try:
        if len(data) > EVENT_BYTES_MAX:
            raise ValueError(f"> {EVENT_BYTES_MAX} bytes")
        found = _line(data)
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError, BadInput) as error:
        reason = error.what.en if isinstance(error, BadInput) else str(error)
        raise BadInput(
            "event-unreadable",
            Words(f"事件读不懂:{reason[:300]}", f"the event cannot be understood: {reason[:300]}"),
            Words(
                "请粘贴一个 JSON 对象:本系统的事件,或 Windows 事件记录",
                "paste one JSON object: an event of this system, or a Windows event record",
            ),
            field="event",
        ) from None
    return (
        found if isinstance(found, Event) else stamp(found, unit=UNIT, sensor="pasted", epoch=0, sequence=1)
    )


def _looks_json(path: Path, kind: Format) -> bool:
    if kind != "auto":
        return False
    try:
        with path.open("rb") as file:
            return file.read(4096).lstrip().startswith(b"{")
    except OSError:
        return False  # read_file words the error


def _json_lines(
    path: Path, told: Callable[[BadInput], None], sort: Sort | None
) -> Iterator[Observation | Event | None]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise BadInput(
            "file-unreadable",
            Words(f"无法读取:{error.strerror}", f"cannot be read: {error.strerror}"),
            Words("请检查路径和权限", "check the path and its permissions"),
            field=str(path),
        ) from None
    with file:
        lines = _lines(file, path, told)
        while block := list(islice(lines, SORTED_AT_ONCE)):
            worth = sort([line for _, line in block]) if sort else [True] * len(block)
            for (number, line), one in zip(block, worth, strict=True):
                try:
                    yield _line(line) if one else None
                except (msgspec.MsgspecError, ValueError, TypeError, RecursionError, BadInput) as error:
                    told(_bad(path, number, error.what.en if isinstance(error, BadInput) else str(error)))


def _lines(file: BinaryIO, path: Path, told: Callable[[BadInput], None]) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers, empty ones and those too long left out."""
    number = 0
    while line := file.readline(EVENT_BYTES_MAX + 2):
        number += 1
        if len(line) > EVENT_BYTES_MAX:
            told(_bad(path, number, f"> {EVENT_BYTES_MAX} bytes"))
            while line and not line.endswith(b"\n"):  # the rest of the long line
                line = file.readline(EVENT_BYTES_MAX)
        elif line.strip():
            yield number, line


def _line(line: bytes) -> Observation | Event:
    record = _objects.decode(line)
    if "logsource" in record and "fields" in record:
        if "id" in record:
            return decode(line.strip())
        return msgspec.convert(record, Observation)
    if "Event" in record:
        return _record(line.decode())
    if "EventID" in record and "Channel" in record:
        return _record(msgspec.json.encode(_nested(record)).decode())
    native: dict[str, Value] = {}
    _flatten("", record, native, 0)
    return Observation(time=_time(record), logsource=LogSource(), fields={}, native=native)


def _record(text: str) -> Observation:
    found = describe_record(text)
    if found is None:
        raise ValueError("not a Windows event record")
    return found


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """A flat record as the event log wrote it: forwarders put EventData beside the header."""
    system = {
        "EventID": flat["EventID"],
        "Channel": flat["Channel"],
        "Computer": flat.get("Hostname") or flat.get("Computer") or "",
        "Provider": {"#attributes": {"Name": flat.get("SourceName") or flat.get("Provider_Name") or ""}},
        "TimeCreated": {"#attributes": {"SystemTime": _time(flat).isoformat()}},
    }
    data = {name: value for name, value in flat.items() if name not in ("EventID", "Channel")}
    return {"Event": {"System": system, "EventData": data}}


def _flatten(prefix: str, value: object, native: dict[str, Value], depth: int) -> None:
    if len(native) >= _NAMES_MAX or depth > _DEPTH_MAX:
        raise ValueError("too many or too deeply nested fields")
    if isinstance(value, dict):
        for name, inner in value.items():
            _flatten(f"{prefix}.{name}" if prefix else str(name), inner, native, depth + 1)
    elif isinstance(value, list):
        plain = [one for one in value if one is None or isinstance(one, str | int | float | bool)]
        native[prefix] = plain if len(plain) == len(value) else [msgspec.json.encode(value).decode()]
    elif value is None or isinstance(value, str | int | float | bool):
        native[prefix] = value


def _time(record: Mapping[str, Any]) -> datetime:
    for name in _TIME_NAMES:
        value = record.get(name)
        try:
            if isinstance(value, str):
                time = datetime.fromisoformat(value.strip())
                return time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC)
            if isinstance(value, int | float) and not isinstance(value, bool):
                return datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError):
            continue
    return _NO_TIME


def _bad(path: Path, number: int, reason: str) -> BadInput:
    return BadInput(
        "line-malformed",
        Words(f"该行读不懂:{reason}", f"the line cannot be understood: {reason}"),
        Words("每行一个 JSON 对象", "one JSON object a line"),
        field=f"{path}:{number}",
    )
