"""Reading a Windows event log file (EVTX): each record in Sigma's and ECS's names.

``native`` holds the record's EventData (or the one element under UserData) as it stands, with EventID,
Channel, Provider_Name and Computer; service, category and ECS names come from the table
``rules/mappings/windows_events.toml``.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from crypto.words import BadInput, Words
from sensors.event import LogSource, Observation, Value
from sensors.host.observe import gap, observe
from sensors.host.tables import table

WINDOWS: Final = "windows"
NAMES_MAX: Final = 500  # names of one record; a hostile record may hold any number
_NUMBERS: Final = ("process.pid", "process.parent.pid", "source.port", "destination.port")
_ABSENT: Final = ("", "-")
_REGISTRY_DELETED: Final = ("DeleteKey", "DeleteValue")


def read_evtx(path: Path) -> Iterator[Observation]:
    """Every record's event; damaged records are counted and told as one gap event at the end.

    Raises BadInput where the file is no EVTX file.
    """
    import evtx  # compiled; loaded only where such a file is read

    damaged = 0
    try:
        records = evtx.PyEvtxParser(str(path)).records_json()
    except (OSError, RuntimeError, ValueError) as error:
        raise _bad(path, str(error)) from error
    while True:
        try:
            record = next(records)
        except StopIteration:
            break
        except (OSError, RuntimeError, ValueError):
            damaged += 1
            if damaged > 100_000:
                raise _bad(path, "more than 100,000 damaged records") from None
            continue
        event = describe_record(record["data"]) if record is not None else None
        if event is None:
            damaged += 1
        else:
            yield event
    if damaged:
        yield gap("read", f"{path.name}: damaged records", count=damaged)


def describe_record(text: str) -> Observation | None:
    """The event of one record given as JSON; None where it has not the form of an event."""
    try:
        return describe_event(msgspec.json.decode(text, type=dict[str, dict[str, Any]])["Event"])
    except (msgspec.MsgspecError, RecursionError, LookupError):
        return None


def describe_event(event: Mapping[str, Any]) -> Observation | None:
    """The event of one record given as its elements; None where it has not the form of an event."""
    try:
        return _describe(event, event["System"])
    except (msgspec.MsgspecError, RecursionError, LookupError, TypeError, ValueError, AttributeError):
        return None


def _describe(event: Mapping[str, Any], system: Mapping[str, Any]) -> Observation:
    rules = table("windows_events")
    channel = str(system.get("Channel") or "")
    provider = str(_attribute(system.get("Provider"), "Name"))
    code = _number(_text(system.get("EventID")), -1)
    service = str(rules["services"].get(channel, ""))
    native = _data(event)
    renames = rules["native"].get(service, {}).get(str(code), {})
    for old, new in renames.items():
        if old in native:
            native.setdefault(new, native[old])
    fields = _ecs(native, rules["ecs"])
    native |= {
        "EventID": code,
        "Channel": channel,
        "Provider_Name": provider,
        "Computer": str(system.get("Computer") or ""),
    }
    fields |= {
        "event.code": str(code),
        "event.provider": provider or None,
        "event.kind": "event",
        "winlog.channel": channel or None,
        "winlog.record_id": _text(system.get("EventRecordID")) or None,
    }
    moment = datetime.fromisoformat(str(_attribute(system.get("TimeCreated"), "SystemTime")))
    return observe(
        f"windows.{service or 'other'}",
        LogSource(product=WINDOWS, category=category_of(rules, service, code, native), service=service),
        fields,
        native=native,
        time=moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC),
        host=str(system.get("Computer") or ""),
    )


def category_of(rules: Mapping[str, Any], service: str, code: int, native: Mapping[str, Value]) -> str:
    """The Sigma category of a record by its service and event id."""
    if service == "sysmon" and code == 12 and native.get("EventType") in _REGISTRY_DELETED:
        return "registry_delete"
    return str(rules["categories"].get(service, {}).get(str(code), ""))


def _data(event: Mapping[str, Any]) -> dict[str, Value]:
    """The record's own names and values; a list without names becomes ``Data``."""
    data = event.get("EventData")
    if not isinstance(data, dict):
        under = event.get("UserData")
        inner = (
            [one for name, one in under.items() if name != "#attributes"] if isinstance(under, dict) else []
        )
        data = inner[0] if len(inner) == 1 and isinstance(inner[0], dict) else {}
    found: dict[str, Value] = {}
    for name, value in list(data.items())[:NAMES_MAX]:
        if name != "#attributes" and value is not None:
            found[str(name)] = _value(value)
    return found


def _value(value: object) -> Value:
    if isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, list):
        return [one if isinstance(one, str | int | float | bool) else _text(one) for one in value[:NAMES_MAX]]
    return _text(value)


def _text(value: object) -> str:
    """A value's text; an element with attributes keeps its text under ``#text``."""
    if isinstance(value, dict):
        inner = value.get("#text", "")
        if isinstance(inner, list):
            return " ".join(str(one) for one in inner)
        return str(inner) if "#text" in value else msgspec.json.encode(value).decode()
    return "" if value is None else str(value)


def _ecs(native: Mapping[str, Value], names: Mapping[str, str]) -> dict[str, Value]:
    fields: dict[str, Value] = {}
    for name, ecs in names.items():
        value = native.get(name)
        if value is None or value in _ABSENT or isinstance(value, list) or ecs in fields:
            continue
        if ecs in _NUMBERS:
            number = _number(str(value), -1)
            if number >= 0:
                fields[ecs] = number
        else:
            fields[ecs] = str(value)
    executable = str(fields.get("process.executable", ""))
    if executable:
        fields["process.name"] = executable.rpartition("\\")[2]
    return fields


def _attribute(element: object, name: str) -> object:
    attributes = element.get("#attributes") if isinstance(element, dict) else None
    return attributes.get(name, "") if isinstance(attributes, dict) else ""


def _number(text: str, default: int) -> int:
    """A decimal or 0x number; Windows writes process ids both ways."""
    if len(text) > 20:
        return default
    try:
        return int(text, 0)
    except ValueError:
        return default


def _bad(path: Path, reason: str) -> BadInput:
    return BadInput(
        "evtx-malformed",
        Words(f"不是可读的 EVTX 文件:{reason}", f"not a readable EVTX file: {reason}"),
        Words("请给出完整的 .evtx 文件", "give a whole .evtx file"),
        field=str(path),
    )
