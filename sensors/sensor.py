"""The sensor as a whole: starts spool, uplink and sources in this order and stops them in reverse."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from crypto.release import release
from crypto.words import LiuheError, Refused
from sensors.address import Address
from sensors.configuration import Body, ConfigurationFolder, effective
from sensors.control import Control
from sensors.device.settings import DeviceSettings
from sensors.event import Observation, Value
from sensors.footprint import Footprint, lean
from sensors.heartbeat import Facts, Heartbeat
from sensors.lifecycle import Clock, Life, OwnFiles, lifecycle_event, own_roots
from sensors.limits import Limits
from sensors.link import IDENTITY_NAME, Line, SensorLink
from sensors.notify import Notifier
from sensors.renewal import Renewal
from sensors.segment_seal import load_keys
from sensors.settings import Settings, load_settings
from sensors.source import Emit, Source
from sensors.source_group import SourceGroup
from sensors.spool import Spool
from sensors.uplink import Uplink
from sensors.vitals import Vitals
from sensors.waiting import waiting

if TYPE_CHECKING:
    from sensors.network.packet_desk import PacketDesk

STOP_SECONDS: Final = 1.2  # for the sources; flush, uplink and spool take the rest of three seconds
_POLL_SECONDS: Final = 0.2

logger = logging.getLogger(__name__)


def run(
    data: Path,
    stop: threading.Event,
    restart: threading.Event | None = None,
    with_center: threading.Event | None = None,
) -> bool:
    """Run the sensor enrolled in ``data`` until ``stop``; at most three seconds later this returns.

    ``with_center``: whether it is stopped by its center, together with that.

    True where it is to be started anew: ``restart`` was set, from outside or because a new configuration or
    its own limits ask for it. Raises BadInput (sensor.toml), LiuheError (not enrolled, keys unreadable, spool
    in use).
    """
    again = restart if restart is not None else threading.Event()
    local = load_settings(data)
    link = SensorLink(data / "keys", only_sm=local.link.only_sm)
    link.check()  # unreadable keys are told at once, not by the first failed connection
    folder = ConfigurationFolder(data, local.id, link.trust.store, _now)
    settings, held, told = _configured(folder, local)
    if settings.kind == "host":
        lean()  # before the first thread
    spool = _spool(settings, data)
    control = Control(
        folder,
        Renewal(data / "keys" / IDENTITY_NAME, _now),
        link.trust,
        local,
        held=held,
        tell=lambda seen: spool.put([seen]),
        changed=again.set,
        now=_now,
        packets=_packets(settings, data),
    )
    uplink = _uplink(spool, settings, link, control)
    sources = SourceGroup(
        lambda: waiting(sources_of(settings, data), spool.wait_for_room),
        _emit_into(spool, wait=settings.kind == "host"),
        _emit_into(spool, wait=True),
    )
    heartbeat = _heartbeat(settings, spool, uplink, sources, control, link)
    life, notifier, ending = Life(data / "run", release()), Notifier(), threading.Event()
    vitals = _vitals(settings, data, spool, heartbeat, sources, life, notifier, again.set)
    beating = threading.Thread(target=vitals.run, args=(ending,), name="heartbeat", daemon=True)
    try:
        spool.put([*life.begin(_now()), *told])
        uplink.start()
        sources.start()
        beating.start()
        notifier.ready()
        _wait(settings, stop, again)
    finally:
        notifier.stopping()
        ending.set()
        sources.stop(STOP_SECONDS)
        _farewell(spool, life, _reason(stop, again, with_center))
        uplink.stop(0.5)
        spool.close(0.8)
        life.end()
    return again.is_set() and not stop.is_set()


def _wait(settings: Settings, stop: threading.Event, again: threading.Event) -> None:
    """Until one of both; a host sensor, which shares its machine, gives memory back meanwhile."""
    footprint = Footprint(time.monotonic())
    while not stop.wait(_POLL_SECONDS) and not again.is_set():
        if settings.kind == "host":
            footprint.tick(time.monotonic())


def _reason(stop: threading.Event, again: threading.Event, with_center: threading.Event | None) -> str:
    if stop.is_set():
        return "center-stop" if with_center is not None and with_center.is_set() else "stop"
    return "restart" if again.is_set() else "failure"


def _vitals(
    settings: Settings,
    data: Path,
    spool: Spool,
    heartbeat: Heartbeat,
    sources: SourceGroup,
    life: Life,
    notifier: Notifier,
    restart: Callable[[], None],
) -> Vitals:
    return Vitals(
        data / "run",
        spool,
        heartbeat,
        sources,
        life=life,
        clock=Clock(),
        own_files=OwnFiles(data / "run", own_roots(data), release()),
        limits=Limits(settings.limits, settings.kind, data / "run", time.time()),
        notifier=notifier,
        restart=restart,
    )


def _heartbeat(
    settings: Settings,
    spool: Spool,
    uplink: Uplink,
    sources: SourceGroup,
    control: Control,
    link: SensorLink,
) -> Heartbeat:
    def facts() -> Facts:
        return Facts(
            configuration=control.version(), certificate_expires=_expiry(link), paused=sources.paused
        )

    return Heartbeat(
        spool,
        uplink,
        lambda: sources.threads,
        kind=settings.kind,
        version=release(),
        facts=facts,
    )


def _spool(settings: Settings, data: Path) -> Spool:
    return Spool(
        data / "spool",
        sensor=settings.id,
        unit=settings.unit,
        quota_bytes=settings.spool.quota_bytes(),
        age_seconds=settings.spool.age_seconds(),
        keys=load_keys(data / "keys", sealing=settings.spool.encrypt),
        version=settings.spool.format,
    )


def _farewell(spool: Spool, life: Life, reason: str) -> None:
    try:
        spool.put([life.ending(_now(), reason)])
    except LiuheError as error:
        logger.warning("%s", error)
    spool.flush(0.5)


def _configured(
    folder: ConfigurationFolder, local: Settings
) -> tuple[Settings, Body | None, list[Observation]]:
    """What is in force. A configuration that was changed on disk is told and left aside, not a reason to die.

    Its number is then forgotten, so that the center sends it again.
    """
    held: Body | None = None
    told: list[Observation] = []
    try:
        held = folder.held()
        settings = effective(local, held)
    except LiuheError as error:
        logger.warning("%s", error)
        said: dict[str, Value] = {"reason": error.what.en, "code": error.code, "held": 0}
        told.append(lifecycle_event("configuration-refused", _now(), said))
        if isinstance(error, Refused) or error.exit_code == 2:
            folder.set_aside()
        held, settings = None, local
    if local.kind == "host":
        from sensors.host import tables

        tables.take_from(folder.lay_out(held))
    return settings, held, told


def _uplink(spool: Spool, settings: Settings, link: SensorLink, control: Control) -> Uplink:
    def connect(address: Address) -> Line:
        line = link.connect(address)
        control.center = line.center
        return line

    return Uplink(
        spool,
        settings.addresses(),
        connect,
        kind=settings.kind,
        version=release(),
        control=control,
    )


def _expiry(link: SensorLink) -> str:
    try:
        return link.identity().certificate.not_after.isoformat()
    except LiuheError:
        return ""


def _now() -> datetime:
    return datetime.now(UTC)


def sources_of(settings: Settings, data: Path) -> Sequence[Source]:
    """The sources of the sensor's kind, and of the devices that speak to it; only these are imported."""
    cursors = data / "cursors"
    cursors.mkdir(parents=True, exist_ok=True, mode=0o700)
    sources: list[Source] = []
    if settings.kind == "host":
        from sensors.host.sources import host_sources

        sources += host_sources(settings.host, cursors)
    else:
        from sensors.network.sources import network_sources

        sources += network_sources(settings.network, data)
    if settings.device != DeviceSettings():
        from sensors.device.sources import device_sources

        sources += device_sources(settings.device, cursors)
    return sources


def _packets(settings: Settings, data: Path) -> "PacketDesk | None":
    """The desk that answers out of the ring of raw packets; None where none are kept."""
    if settings.kind != "network" or not settings.network.packet_ring_bytes:
        return None
    from sensors.network.packet_desk import PacketDesk, ring_finder
    from sensors.network.secret import load_key
    from sensors.network.sources import PACKETS_FOLDER

    return PacketDesk(ring_finder(data / PACKETS_FOLDER, load_key(data / "keys")))


def _emit_into(spool: Spool, *, wait: bool) -> Emit:
    """Host sources keep cursors and wait until their observations are durable; a capture cannot wait."""

    def emit(seen: Sequence[Observation]) -> None:
        spool.put(seen, wait=wait)

    return emit
