"""The sensor as a whole: starts spool, uplink and sources in this order and stops them in reverse."""

import logging
import ssl
import threading
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

from crypto import tls
from crypto.words import LiuheError
from sensors.event import Observation
from sensors.heartbeat import HEARTBEAT_SECONDS, Heartbeat, write_status
from sensors.settings import Settings, load_settings
from sensors.source import Emit, Source
from sensors.source_thread import SourceThread
from sensors.spool import Spool
from sensors.uplink import Uplink

STOP_SECONDS: Final = 1.2  # for the sources; flush, uplink and spool take the rest of three seconds

logger = logging.getLogger(__name__)


def run(data: Path, stop: threading.Event) -> None:
    """Run the sensor enrolled in ``data`` until ``stop``; at most three seconds later this returns.

    Raises BadInput (sensor.toml), LiuheError (not enrolled, keys unreadable, spool in use).
    """
    settings = load_settings(data)
    keys = data / "keys"
    release = version("liuhe")

    def context() -> ssl.SSLContext:
        return tls.client_context(keys / "ca.pem", keys / "sensor.pem", keys / "sensor.key")

    context()  # unreadable keys are told at once, not by the first failed connection
    spool = Spool(
        data / "spool", sensor=settings.id, unit=settings.unit, quota_bytes=settings.spool.quota_bytes()
    )
    uplink = Uplink(spool, settings.addresses(), context, kind=settings.kind, version=release)
    ending = threading.Event()
    threads: list[SourceThread] = []
    try:
        emit = _emit_into(spool, settings)
        threads = [SourceThread(source, emit, ending) for source in sources_of(settings, data)]
        heartbeat = Heartbeat(spool, uplink, threads, kind=settings.kind, version=release)
        beating = threading.Thread(
            target=_beat, args=(heartbeat, spool, data / "run", ending), name="heartbeat", daemon=True
        )
        uplink.start()
        for thread in threads:
            thread.start()
        beating.start()
        stop.wait()
    finally:
        ending.set()
        deadline = time.monotonic() + STOP_SECONDS
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        spool.flush(0.5)
        uplink.stop(0.5)
        spool.close(0.8)


def sources_of(settings: Settings, data: Path) -> Sequence[Source]:
    """The sources of the sensor's kind; only these modules are imported."""
    if settings.kind == "host":
        from sensors.host.sources import host_sources

        cursors = data / "cursors"
        cursors.mkdir(parents=True, exist_ok=True, mode=0o700)
        return host_sources(settings.host, cursors)
    from sensors.network.sources import network_sources

    return network_sources(settings.network)


def _emit_into(spool: Spool, settings: Settings) -> Emit:
    """Host sources keep cursors and wait until their observations are durable; a capture cannot wait."""
    wait = settings.kind == "host"

    def emit(seen: Sequence[Observation]) -> None:
        spool.put(seen, wait=wait)

    return emit


def _beat(heartbeat: Heartbeat, spool: Spool, folder: Path, ending: threading.Event) -> None:
    """Every ten seconds, the first at once; a full disk or a closing spool does not end the sensor."""
    while True:
        status = heartbeat.status()
        try:
            write_status(folder, status)
            spool.put([heartbeat.observation(status)])
        except (LiuheError, OSError) as error:
            logger.warning("heartbeat: %s", error)
        if status.trouble is not None:
            logger.warning("spool: %s", status.trouble)
        if ending.wait(HEARTBEAT_SECONDS):
            return
