"""Probe source: every configuration probe at start and then each interval."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from crypto.words import Words
from sensors.event import Observation
from sensors.host import (
    probe_access,
    probe_accounts,
    probe_activity,
    probe_audit,
    probe_exposure,
    probe_kernel,
    probe_logs,
    probe_operation,
    probe_remote,
    probe_software,
    probe_time,
    probe_trust,
)
from sensors.host.probe import HostFiles, Probe, run_probe

Emit = Callable[[Sequence[Observation]], None]

PROBES: Final[tuple[Probe, ...]] = (
    *probe_accounts.PROBES,
    *probe_access.PROBES,
    *probe_time.PROBES,
    *probe_logs.PROBES,
    *probe_exposure.PROBES,
    *probe_software.PROBES,
    *probe_kernel.PROBES,
    *probe_audit.PROBES,
    *probe_remote.PROBES,
    *probe_trust.PROBES,
    *probe_activity.PROBES,
    *probe_operation.PROBES,
)


class ProbeSource:
    """Source ``probes``; documented probe by probe in docs/reference/probes.md."""

    name = "probes"

    def __init__(self, *, interval_seconds: float = 300.0, root: Path = Path("/")) -> None:
        self._interval_seconds = interval_seconds
        self._files = HostFiles(root)

    def missing(self) -> Words | None:
        """Nothing: a probe that cannot read says so in its own event."""
        return None

    def run(self, emit: Emit, stop: threading.Event) -> None:
        """Emit one event per probe and interval until ``stop``."""
        while True:
            for probe in PROBES:
                if stop.is_set():
                    return
                emit([run_probe(probe, self._files)])
            if stop.wait(self._interval_seconds):
                return
