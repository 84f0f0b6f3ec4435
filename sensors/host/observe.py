"""Observation of a host source: the fields every host event carries, and text of unknown encoding."""

import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Final

from sensors.event import LogSource, Observation, Value

LINUX: Final = "linux"
VALUE_CHARS_MAX: Final = 16 * 1024  # one text value; a longer one is cut, not refused
GAP: Final = LogSource(product="liuhe", service="gap")


@cache
def host_name() -> str:
    """The name this host gives itself; read once, an event stream must not change its host."""
    return socket.gethostname() or "localhost"


def observe(
    dataset: str,
    logsource: LogSource,
    fields: Mapping[str, Value],
    *,
    native: Mapping[str, Value] | None = None,
    time: datetime | None = None,
    host: str = "",
    lane: str = "bulk",
) -> Observation:
    """An observation with ``host.name`` and ``event.dataset``; a field whose value is None is left out."""
    whole: dict[str, Value] = {"event.dataset": dataset, "host.name": host or host_name()}
    whole.update(_present(fields))
    return Observation(
        time=time or datetime.now(UTC),
        logsource=logsource,
        fields=whole,
        native=_present(native or {}),
        lane=lane,
    )


def gap(source: str, reason: str, *, count: int = 0, since: datetime | None = None) -> Observation:
    """What a source knows it did not see; ``count`` 0 where the number cannot be known."""
    now = datetime.now(UTC)
    fields: dict[str, Value] = {
        "gov.gap.lane": source,
        "gov.gap.first": 0,
        "gov.gap.last": 0,
        "gov.gap.count": count,
        "gov.gap.reason": reason,
        "gov.gap.from": (since or now).isoformat(),
        "gov.gap.to": now.isoformat(),
    }
    return observe("liuhe.gap", GAP, fields, time=now, lane="alerts")


def decoded(raw: bytes) -> str:
    """Text of a file name, argument or log line: UTF-8, else GB 18030, else with replacement marks."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    try:
        return raw.decode("gb18030")
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace")


def _present(table: Mapping[str, Value]) -> dict[str, Value]:
    return {name: _bounded(value) for name, value in table.items() if value is not None}


def _bounded(value: Value) -> Value:
    if isinstance(value, str) and len(value) > VALUE_CHARS_MAX:
        return value[:VALUE_CHARS_MAX]
    return value
