"""The event of one text record of a device: CEF, LEEF, Suricata's EVE, Zeek's JSON, or plain syslog.

The form is found from the text itself, so one listener and one file may carry several. A message chooses the
host name it bears, not the address that sent it: that stands in ``observer.ip``.
"""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from typing import Final, NamedTuple

import msgspec

from sensors.device.cef import DeviceRecord, parse_record
from sensors.device.eve import describe_eve
from sensors.device.mapping import Target, add_community_id, mapped, targets
from sensors.device.syslog import MESSAGE_BYTES_MAX, SEVERITIES, SyslogMessage, parse_syslog
from sensors.device.zeek import describe_zeek
from sensors.event import LogSource, Observation, Value
from sensors.host.auth_event import describe
from sensors.host.observe import decoded, observe
from sensors.host.tables import table

_EPOCH_MS_MIN: Final = 10_000_000_000  # a number below is seconds, from here on milliseconds
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TIME_FORMS: Final = ("%b %d %Y %H:%M:%S", "%b %d %Y %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S")
_YEARS_MAX: Final = 9_000  # nothing later than the year that a datetime can still move


class Origin(NamedTuple):
    """How a record came: ``name`` is the file's, for Zeek's logs; ``sender`` the address, '' for a file.

    ``received`` (aware) is the event's time where the record names none; ``zone`` is that of clocks which
    do not say theirs, None: the zone of ``received``.
    """

    received: datetime
    sender: str = ""
    name: str = ""
    zone: tzinfo | None = None


def describe_record(raw: bytes, origin: Origin) -> Observation | None:
    """The record's event; None where it says nothing (blank, or a comment of a log file)."""
    text = decoded(raw[:MESSAGE_BYTES_MAX]).strip("\r\n\x00 ")
    if not text or text.startswith("#"):
        return None
    if text.startswith("{"):
        return _json(text, origin) or _plain(text, origin)
    message = parse_syslog(text, origin.received, origin.zone)
    if "CEF:" in text or "LEEF:" in text:
        record = parse_record(text)
        if record is not None:
            return _device(record, message, origin)
    if message.text.startswith("{"):
        found = _json(message.text, origin)
        if found is not None:
            return found
    return _syslog(message, origin)


def _json(text: str, origin: Origin) -> Observation | None:
    try:
        record = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
    if not isinstance(record, dict):
        return None
    return describe_eve(record, origin.sender) or describe_zeek(record, origin.name, origin.sender)


def _plain(text: str, origin: Origin) -> Observation:
    return _syslog(parse_syslog(text, origin.received, origin.zone), origin)


def _syslog(message: SyslogMessage, origin: Origin) -> Observation:
    host = message.host or origin.sender
    seen = describe(message.program, message.pid, message.text, message.time, host=host)
    fields = {**seen.fields, "event.dataset": "syslog", **_syslog_fields(message, origin)}
    return msgspec.structs.replace(seen, fields=fields)


def _syslog_fields(message: SyslogMessage, origin: Origin) -> dict[str, Value]:
    fields: dict[str, Value] = {}
    if origin.sender:
        fields["observer.ip"] = origin.sender
    if message.priority >= 0:
        fields["log.syslog.priority"] = message.priority
        fields["log.syslog.facility.name"] = message.facility
        fields["log.syslog.severity.code"] = message.severity
        fields["log.syslog.severity.name"] = SEVERITIES[message.severity]
    if message.message_id:
        fields["log.syslog.msgid"] = message.message_id
    for name, value in message.data.items():
        fields[f"log.syslog.structured_data.{name}"] = value
    return fields


class _Form(NamedTuple):
    fields: dict[str, Target]
    times: tuple[str, ...]


@cache
def _form(name: str) -> _Form:
    given = table(name)
    return _Form(targets(given["fields"]), tuple(given["times"]["keys"]))


@cache
def _categories() -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((one["name"], tuple(one["words"])) for one in table("cef")["categories"])


def _device(record: DeviceRecord, message: SyslogMessage, origin: Origin) -> Observation:
    form = _form(record.form)
    native: dict[str, Value] = {
        "DeviceVendor": record.vendor,
        "DeviceProduct": record.product,
        "DeviceVersion": record.version,
        "SignatureId": record.signature,
        "Name": record.name,
        "Severity": record.severity,
        **record.pairs,
    }
    fields = _syslog_fields(message, origin) | mapped({**record.pairs}, form.fields)
    fields |= {
        "observer.vendor": record.vendor,
        "observer.product": record.product,
        "observer.version": record.version,
        "event.code": record.signature,
    }
    if record.name:
        fields["rule.name"] = record.name
    if record.severity >= 0:
        fields["event.severity"] = record.severity
    add_community_id(fields)
    source = LogSource(
        product=record.vendor.strip().lower(),
        category=_category(record),
        service=record.product.strip().lower(),
    )
    time = _device_time(record, form.times, message.time, origin)
    host = str(fields.get("observer.name") or message.host or origin.sender)
    return observe(f"device.{record.form}", source, fields, native=native, time=time, host=host)


def _category(record: DeviceRecord) -> str:
    said = f"{record.vendor} {record.product} {record.name}".lower()
    # A short Latin word counts as a whole one only, numbers of a model aside: "ips" also stands in "clips".
    parts = {part.rstrip("0123456789") for part in said.replace("-", " ").replace("_", " ").split()}
    for name, words in _categories():
        if any(word in parts if word.isascii() and len(word) <= 4 else word in said for word in words):
            return name
    return ""


def _device_time(record: DeviceRecord, keys: tuple[str, ...], said: datetime, origin: Origin) -> datetime:
    for key in keys:
        time = _time(record.pairs.get(key, ""), said, origin)
        if time is not None:
            return time
    return said


def _time(text: str, said: datetime, origin: Origin) -> datetime | None:
    text = text.strip()
    if text.isascii() and text.isdecimal() and 9 <= len(text) <= 14:
        number = int(text)
        try:
            return _EPOCH + timedelta(seconds=number / 1000 if number >= _EPOCH_MS_MIN else number)
        except OverflowError:
            return None
    zone = origin.zone or origin.received.tzinfo
    time: datetime | None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = _worded(text, said) if text else None
    if time is None or time.year > _YEARS_MAX:
        return None
    return (time if time.tzinfo is not None else time.replace(tzinfo=zone)).astimezone(UTC)


def _worded(text: str, said: datetime) -> datetime | None:
    for form in _TIME_FORMS:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 (the caller adds the zone)
        except ValueError:
            continue
    try:  # "Nov 22 09:08:07": the year is the message's
        return datetime.strptime(f"{said.year} {text}", "%Y %b %d %H:%M:%S")  # noqa: DTZ007
    except ValueError:
        return None
