"""Reading a saved audit.log from its beginning to its end."""

from collections.abc import Iterable, Iterator

from sensors.event import Observation
from sensors.host.audit.event import describe
from sensors.host.audit.record import parse_record
from sensors.host.audit.trail import AuditEvent, Trail
from sensors.host.observe import decoded, gap

_STARTS = (b"type=", b"node=")


def is_audit(line: bytes) -> bool:
    """Whether a log that begins with this line is an audit log."""
    return line.startswith(_STARTS) and b"msg=audit(" in line


def read_audit(lines: Iterable[bytes], name: str) -> Iterator[Observation]:
    """The events of an audit log; what is missing or of unknown form is told as gaps at the end."""
    trail, unknown, missing = Trail(), 0, 0

    def told(events: Iterable[AuditEvent]) -> Iterator[Observation]:
        nonlocal missing
        for event in events:
            missing += event.missing
            seen = describe(event)
            if seen is not None:
                yield seen

    for line in lines:
        record = parse_record(decoded(line))
        if record is not None:
            yield from told(trail.put(record))
        elif line.strip():
            unknown += 1
    yield from told(trail.flush())
    if missing:
        yield gap("read", f"{name}: audit events are missing by their serials", count=missing)
    if unknown:
        yield gap("read", f"{name}: lines of unknown form", count=unknown)
