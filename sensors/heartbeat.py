"""The sensor about itself: a heartbeat event every 10 s, and the same facts for ``liuhe sensor status``."""

import os
import resource
import socket
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, Protocol

import msgspec

from crypto.words import Words
from sensors.event import LogSource, Observation, Value
from sensors.segment_checkpoint import write_durably
from sensors.source_thread import SourceThread
from sensors.spool import Spool

HEARTBEAT_SECONDS: Final = 10.0
DATASET: Final = "liuhe.heartbeat"
STATUS_NAME: Final = "status.json"
_LOGSOURCE: Final = LogSource(product="liuhe", service="sensor")
_PAGE_BYTES: Final = resource.getpagesize()


class Connection(Protocol):
    """How the uplink does; ``sensors.uplink.Uplink``."""

    connected: bool
    state: Words


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What others than spool, uplink and sources know of the sensor."""

    configuration: int = 0
    certificate_expires: str = ""
    paused: bool = False


class SourceState(msgspec.Struct, frozen=True, kw_only=True):
    """How one source does."""

    name: str
    state: str
    detail: Words


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of one moment; run/status.json."""

    time: datetime
    sensor: str
    unit: str
    kind: str
    version: str
    epoch: int
    connected: bool
    uplink: Words
    backlog: dict[str, int]
    events: int
    cpu_percent: float
    rss_bytes: int
    trouble: Words | None
    sources: list[SourceState]
    last_sequence: dict[str, int] = {}
    drops: dict[str, int] = {}
    configuration: int = 0
    certificate_expires: str = ""
    paused: bool = False
    uptime_seconds: int = 0


class Heartbeat:
    """Looks at the running parts and changes nothing of them."""

    def __init__(
        self,
        spool: Spool,
        uplink: Connection,
        sources: Callable[[], Sequence[SourceThread]],
        *,
        kind: Literal["host", "network"],
        version: str,
        facts: Callable[[], Facts] = Facts,
    ) -> None:
        self._spool = spool
        self._uplink = uplink
        self._sources = sources
        self._facts = facts
        self._kind = kind
        self._version = version
        self._hostname = socket.gethostname()
        self._cpu = _cpu_seconds()
        self._at = self._started = time.monotonic()

    def status(self) -> Status:
        """The facts now; CPU is the share of one core since the last call."""
        cpu, at = _cpu_seconds(), time.monotonic()
        known = self._facts()
        percent = 100 * (cpu - self._cpu) / max(at - self._at, 0.001)
        self._cpu, self._at = cpu, at
        return Status(
            time=datetime.now(UTC),
            sensor=self._spool.sensor,
            unit=self._spool.unit,
            kind=self._kind,
            version=self._version,
            epoch=self._spool.epoch,
            connected=self._uplink.connected,
            uplink=self._uplink.state,
            backlog=self._spool.backlog(),
            events=self._spool.events_total,
            cpu_percent=round(percent, 2),
            rss_bytes=_rss_bytes(),
            trouble=self._spool.trouble,
            sources=[
                SourceState(name=one.name, state=one.state, detail=one.detail) for one in self._sources()
            ],
            last_sequence=self._spool.core.last_sequences(),
            drops=dict(self._spool.drops),
            configuration=known.configuration,
            certificate_expires=known.certificate_expires,
            paused=known.paused,
            uptime_seconds=int(at - self._started),
        )

    def observation(self, status: Status) -> Observation:
        """The heartbeat event of these facts."""
        fields: dict[str, Value] = {
            "event.dataset": DATASET,
            "event.kind": "state",
            "host.name": self._hostname,
            "gov.sensor.kind": status.kind,
            "gov.sensor.version": status.version,
            "gov.sensor.backlog": sum(status.backlog.values()),
            "gov.sensor.events": status.events,
            "gov.sensor.cpu_percent": status.cpu_percent,
            "gov.sensor.rss_bytes": status.rss_bytes,
            "gov.sensor.epoch": status.epoch,
            "gov.sensor.last_sequence": [f"{lane}={last}" for lane, last in status.last_sequence.items()],
            "gov.sensor.drops": [f"{reason}={count}" for reason, count in sorted(status.drops.items())],
            "gov.sensor.connected": status.connected,
            "gov.sensor.configuration": status.configuration,
            "gov.sensor.certificate_expires": status.certificate_expires,
            "gov.sensor.paused": status.paused,
            "gov.sensor.uptime_seconds": status.uptime_seconds,
            "gov.sensor.sources": [f"{one.name}={one.state}" for one in status.sources],
            "gov.sensor.source_details": [
                f"{one.name}={one.detail.zh}|{one.detail.en}" for one in status.sources if one.detail.en
            ],
        }
        return Observation(time=status.time, logsource=_LOGSOURCE, fields=fields, lane="alerts")


def write_status(folder: Path, status: Status) -> None:
    """Leave the facts for ``liuhe sensor status``."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_durably(folder / STATUS_NAME, msgspec.json.encode(status), sync=False)


def read_status(folder: Path) -> Status | None:
    """What the sensor last left; None where it never ran or the file is damaged."""
    try:
        return msgspec.json.decode((folder / STATUS_NAME).read_bytes(), type=Status)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _cpu_seconds() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _rss_bytes() -> int:
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * _PAGE_BYTES
    except (OSError, ValueError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
