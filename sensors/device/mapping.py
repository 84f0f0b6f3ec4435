"""From a device's own names to ECS: tables of ``rules/mappings`` applied to flat records.

A table maps a native name to an ECS field and a kind, ``"source.ip:ip"``. A value that is not of its kind (an
address that is none, a port of 70000) is left to the native record: a field holds what its name says or is
absent.
"""

from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address
from typing import Any, Final, NamedTuple

from sensors.event import Scalar, Value
from sensors.network.community import community_id

NAMES_MAX: Final = 400  # of one flat record
LIST_MAX: Final = 100
TEXT_CHARS_MAX: Final = 8 * 1024
DEPTH_MAX: Final = 8
_INT_MAX: Final = 2**63 - 1
_PROTOCOLS: Final = {"icmp": 1, "tcp": 6, "udp": 17, "ipv6-icmp": 58, "icmp6": 58, "sctp": 132}

Native = dict[str, Value]


class Target(NamedTuple):
    """An ECS field and how a value becomes one; None where it is none."""

    field: str
    convert: Callable[[Value], Value | None]


def targets(table: Mapping[str, str]) -> dict[str, Target]:
    """The compiled form of a table. Raises ValueError naming a kind that does not exist."""
    made = {}
    for name, text in table.items():
        field, _, kind = text.partition(":")
        if (kind or "text") not in _KINDS:
            raise ValueError(f"{name}: no kind {kind!r}; there are {', '.join(_KINDS)}")
        made[name] = Target(field, _KINDS[kind or "text"])
    return made


def mapped(native: Native, table: Mapping[str, Target]) -> dict[str, Value]:
    """The ECS fields of a record; of two names for one field the first in the table wins."""
    fields: dict[str, Value] = {}
    for name, target in table.items():
        value = native.get(name)
        if value is not None and value != "" and target.field not in fields:
            converted = target.convert(value)
            if converted is not None:
                fields[target.field] = converted
    return fields


def flat(record: Mapping[str, Any]) -> Native:
    """A JSON object as dotted names with scalars and lists; bounded, deeper or later parts are cut."""
    found: Native = {}
    _flatten("", record, found, DEPTH_MAX)
    return found


def add_community_id(fields: dict[str, Value]) -> None:
    """``network.community_id`` where both ends and the transport are known."""
    number = _PROTOCOLS.get(str(fields.get("network.transport", "")))
    here, there = fields.get("source.ip"), fields.get("destination.ip")
    if number is None or not isinstance(here, str) or not isinstance(there, str):
        return
    ports = [fields.get(f"{side}.port", 0) for side in ("source", "destination")]
    if all(isinstance(port, int) for port in ports):
        source, destination = ip_address(here).packed, ip_address(there).packed
        if len(source) == len(destination):
            made = community_id(number, source, destination, int(str(ports[0])), int(str(ports[1])))
            fields["network.community_id"] = made


def _flatten(prefix: str, value: Mapping[str, Any], found: Native, depth: int) -> None:
    for key, one in value.items():
        if len(found) >= NAMES_MAX:
            return
        name = f"{prefix}{key}"[:200]
        if isinstance(one, Mapping):
            if depth > 1:
                _flatten(f"{name}.", one, found, depth - 1)
        elif isinstance(one, list):
            flat_list = [_scalar(item) for item in _scalars(one)]
            if flat_list:
                found[name] = flat_list
        else:
            found[name] = _scalar(one)


def _scalars(items: list[Any]) -> Iterable[Any]:
    return (item for item in items[:LIST_MAX] if not isinstance(item, list | Mapping))


def _scalar(value: Any) -> Scalar:
    if isinstance(value, str):
        return value[:TEXT_CHARS_MAX]
    if isinstance(value, bool) or value is None or isinstance(value, float):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _INT_MAX else str(value)
    return str(value)[:TEXT_CHARS_MAX]


def _text(value: Value) -> Value | None:
    return value if isinstance(value, list) else str(value)


def _lower(value: Value) -> Value | None:
    return str(value).lower()


def _ip(value: Value) -> Value | None:
    try:
        return str(ip_address(str(value).strip("[] ").partition("%")[0]))
    except ValueError:
        return None


def _integer(value: Value) -> Value | None:
    if isinstance(value, bool | list):
        return None
    try:
        number = int(value) if isinstance(value, int | float) else int(str(value).strip(), 10)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) <= _INT_MAX else None


def _count(value: Value) -> Value | None:
    number = _integer(value)
    return number if isinstance(number, int) and number >= 0 else None


def _port(value: Value) -> Value | None:
    number = _integer(value)
    return number if isinstance(number, int) and 0 <= number <= 65_535 else None


def _mac(value: Value) -> Value | None:
    digits = "".join(one for one in str(value) if one.isalnum()).upper()
    if len(digits) != 12 or any(one not in "0123456789ABCDEF" for one in digits):
        return None
    return "-".join(digits[at : at + 2] for at in range(0, 12, 2))


def _list(value: Value) -> Value | None:
    return value if isinstance(value, list) else [value]


def _transport(value: Value) -> Value | None:
    return _NUMBERED.get(str(value).strip(), str(value).strip().lower())


_NUMBERED: Final = {"1": "icmp", "6": "tcp", "17": "udp", "47": "gre", "50": "esp", "58": "ipv6-icmp"}
_KINDS: Final[dict[str, Callable[[Value], Value | None]]] = {
    "text": _text,
    "lower": _lower,
    "ip": _ip,
    "port": _port,
    "count": _count,
    "integer": _integer,
    "mac": _mac,
    "list": _list,
    "transport": _transport,
}
