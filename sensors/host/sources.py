"""All host sources, in one place."""

import os
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from crypto.words import Words
from sensors.event import Observation
from sensors.host.audit.sources import audit_source
from sensors.host.auth_log import AuthLogSource
from sensors.host.cursor import Cursor
from sensors.host.file_integrity import FileIntegritySource
from sensors.host.inventory.kinds import KINDS
from sensors.host.inventory.source import InventorySource
from sensors.host.journal import JournalSource
from sensors.host.listeners import ListenerSource
from sensors.host.logins import LoginSource
from sensors.host.probes import ProbeSource
from sensors.host.processes import ProcessSource
from sensors.host.settings import HostSettings
from sensors.host.uevent import open_device_events


class HostSource(Protocol):
    """What every source of this list is; the same shape as the sensor's own protocol."""

    name: str

    def missing(self) -> Words | None:
        """What keeps the source from running here, None where it can run."""

    def run(self, emit: Callable[[Sequence[Observation]], None], stop: threading.Event) -> None:
        """Emit until ``stop``."""


def host_sources(settings: HostSettings, cursors: Path) -> list[HostSource]:
    """The sources switched on; their cursors lie in the folder ``cursors``."""
    if _on_windows():
        from sensors.host.windows.source import WindowsEventSource  # a parser that nobody else needs

        return [WindowsEventSource(settings.windows_channels, Cursor(cursors, "windows-events"))]
    sources: list[HostSource] = []
    processes: ProcessSource | None = None
    if settings.processes:
        processes = ProcessSource(
            Cursor(cursors, "processes"),
            poll_seconds=settings.process_poll_seconds,
            executables=Cursor(cursors, "executables") if settings.executables else None,
        )
        sources.append(processes)
    if settings.audit:
        # Started processes are told once: by the audit trail where nobody else sees each of them.
        started = partial(_polls, processes)
        sources.append(audit_source(Path(settings.audit_log), Cursor(cursors, "audit"), started))
    if settings.listeners:
        sources.append(ListenerSource(interval_seconds=settings.listener_poll_seconds))
    if settings.logins:
        for name, path, failed in (
            ("btmp", settings.btmp_path, True),
            ("wtmp", settings.wtmp_path, False),
        ):
            sources.append(LoginSource(Path(path), Cursor(cursors, name), failed=failed))
    sources += _auth_sources(settings, cursors)
    if settings.file_integrity:
        chosen = [Path(one) for one in [*settings.watch_paths, *settings.watch_extra]]
        sources.append(FileIntegritySource(chosen, Cursor(cursors, "file-integrity")))
    if settings.probes:
        sources.append(ProbeSource(interval_seconds=settings.probe_interval_seconds))
    if settings.inventory:
        seconds = settings.inventory_interval_seconds
        sources.append(InventorySource(KINDS, cursors, interval_seconds=seconds, wake=open_device_events))
    return sources


def _on_windows() -> bool:
    return os.name == "nt"


def _polls(processes: ProcessSource | None) -> bool:
    """Whether no process source sees every start."""
    return processes is None or processes.reduced is not None


def _auth_sources(settings: HostSettings, cursors: Path) -> list[HostSource]:
    """The logs that exist; else the journal; the first log's absence is told where there is neither."""
    paths = [Path(one) for one in settings.auth_logs]
    present = [path for path in paths if path.exists()]
    sources: list[HostSource] = [
        AuthLogSource(path, Cursor(cursors, f"auth-log-{path.name}")) for path in present
    ]
    if present:
        return sources
    if settings.journal:
        return [JournalSource(Cursor(cursors, "journal"))]
    return [AuthLogSource(path, Cursor(cursors, f"auth-log-{path.name}")) for path in paths[:1]]
