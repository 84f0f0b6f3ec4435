"""The sensor's own limits of memory and CPU: a sensor must not be what makes a host slow.

Looked at with every heartbeat. Over a limit in ``LOOKS`` heartbeats one after another is a strike. A strike
of CPU pauses the sources for a while that doubles with each strike of the last hour; file-backed sources wait
at their cursors meanwhile. A strike of memory starts the program anew. The third strike within the hour stays
paused to the end of that hour. Every strike is an event and an alert: a paused sensor is not a silent one.
"""

from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

import msgspec

from sensors.segment_checkpoint import write_durably

LOOKS: Final = 3  # heartbeats over the limit one after another: half a minute
GRACE_SECONDS: Final = 300.0  # after a start: the first look at every file and process is work
HOUR_SECONDS: Final = 3_600.0
PAUSE_SECONDS: Final = 60.0  # after the first strike
STRIKES_MAX: Final = 3
_MIB: Final = 1024 * 1024
_NAME: Final = "limits.json"
# By kind, where sensor.toml gives 0. A capture is given work by the network, a host sensor should be idle.
RSS_BYTES: Final = {"host": 100 * _MIB, "network": 1024 * _MIB}
CPU_PERCENT: Final = {"host": 20.0, "network": 100.0}


class LimitSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ``[limits]`` table of sensor.toml; 0 takes the default of the sensor's kind."""

    rss_bytes_max: Annotated[int, msgspec.Meta(ge=0, le=1 << 40)] = 0
    cpu_percent_max: Annotated[float, msgspec.Meta(ge=0, le=10_000)] = 0.0  # of one core
    enforce: bool = True


class Strike(NamedTuple):
    """What to do about a limit."""

    what: Literal["memory", "cpu"]
    value: float
    limit: float
    number: int
    """Of the strikes within the last hour."""
    pause_seconds: float
    restart: bool


class _State(msgspec.Struct):
    """Strikes outlive the process: a restart must not start the count anew."""

    strikes: list[float] = []
    paused_until: float = 0.0


class Limits:
    """Judges heartbeats; times are given, in seconds of the wall clock (strikes outlive a boot)."""

    def __init__(self, settings: LimitSettings, kind: str, folder: Path, started: float) -> None:
        self.rss_bytes_max: Final = settings.rss_bytes_max or RSS_BYTES[kind]
        self.cpu_percent_max: Final = settings.cpu_percent_max or CPU_PERCENT[kind]
        self._enforce: Final = settings.enforce
        self._path: Final = folder / _NAME
        self._started: Final = started
        self._state = self._read(started)
        self._over = {"memory": 0, "cpu": 0}

    def paused(self, now: float) -> bool:
        """Whether the sources wait."""
        # A clock that was set back must not keep them waiting for days.
        return now < self._state.paused_until <= now + HOUR_SECONDS

    def look(self, *, rss_bytes: int, cpu_percent: float, now: float) -> Strike | None:
        """The strike that this heartbeat completes."""
        if not self._enforce or 0 <= now - self._started < GRACE_SECONDS:
            return None
        over = {"memory": rss_bytes > self.rss_bytes_max, "cpu": cpu_percent > self.cpu_percent_max}
        for what, is_over in over.items():
            self._over[what] = self._over[what] + 1 if is_over else 0
        if self._over["memory"] >= LOOKS:
            return self._strike("memory", rss_bytes, self.rss_bytes_max, now)
        if self._over["cpu"] >= LOOKS:
            return self._strike("cpu", cpu_percent, self.cpu_percent_max, now)
        return None

    def _strike(self, what: Literal["memory", "cpu"], value: float, limit: float, now: float) -> Strike:
        self._over = {"memory": 0, "cpu": 0}
        recent = [at for at in self._state.strikes if now - HOUR_SECONDS < at <= now]
        number = len(recent) + 1
        pause = PAUSE_SECONDS * 2 ** (number - 1)
        if number >= STRIKES_MAX:
            pause = max(pause, recent[0] + HOUR_SECONDS - now)
        self._state = _State(strikes=[*recent, now][-STRIKES_MAX * 2 :], paused_until=now + pause)
        write_durably(self._path, msgspec.json.encode(self._state))
        return Strike(what, value, limit, number, pause, restart=what == "memory")

    def _read(self, now: float) -> _State:
        try:
            state = msgspec.json.decode(self._path.read_bytes(), type=_State)
        except (OSError, msgspec.MsgspecError):
            return _State()
        return _State(
            strikes=[at for at in state.strikes if now - HOUR_SECONDS < at <= now],
            paused_until=state.paused_until,
        )
