"""Letting sensors in, elsewhere and out by the administrator's command; each act stands in the audit log."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from compliance.registry_store import RegistryStore
from crypto.link_authority import LinkAuthority
from crypto.words import BadInput, Words
from detection.store.inventory_store import InventoryStore
from detection.store.state import Engine
from soc_api.audit import entry
from soc_api.enrolment import EnrolmentDesk
from soc_api.enrolment_store import EnrolmentStore
from soc_api.folders import Folders, audit_of, state_engine
from soc_api.migrate import upgrade
from soc_api.sensor_configuration_store import ConfigurationStore
from soc_api.sensor_console import ConsoleSensors
from soc_api.sensor_renewal import RenewalDesk
from soc_api.sensor_renewal_store import RenewalStore
from soc_api.settings import Settings, load_settings

REASON_CHARS_MAX: Final = 500


def give_token(data: Path, *, unit: str, addresses: Sequence[str], hours: int, actor: str) -> str:
    """A one-time token for a sensor of ``unit`` (default: the center's own). Raises BadInput."""
    folders, settings = Folders(data), load_settings(data)
    engine = state_engine(folders, settings)
    desk = EnrolmentDesk(EnrolmentStore(engine), LinkAuthority(folders.keys), settings.center.id)
    host, port = settings.ingest.host, settings.ingest.port
    own = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    unit = unit or settings.center.unit
    try:
        # Announced before it exists: a token nobody can account for must not be.
        said = entry(
            time=datetime.now(UTC), actor=actor, source="local", action="sensor.token", about=f"unit:{unit}"
        )
        audit_of(engine).record(said)
        return desk.give_token(
            unit=unit, addresses=addresses or [own], actor=actor, valid=timedelta(hours=hours)
        )
    finally:
        engine.dispose()


def revoke(data: Path, sensor: str, *, actor: str, reason: str = "") -> None:
    """Refuse a sensor's certificate from now on. Raises Refused (sensor-not-found), BadInput (its reason)."""
    if len(reason) > REASON_CHARS_MAX or not (reason.isprintable() or not reason):
        raise BadInput(
            "sensor-reason",
            Words("吊销原因不合格式", "malformed reason"),
            Words(f"最多 {REASON_CHARS_MAX} 个可见字符", f"{REASON_CHARS_MAX} visible characters at most"),
            field="reason",
        )
    with _console(data, actor, "sensor.revoke", f"sensor:{sensor} {reason}".rstrip()) as (console, now):
        console.revoke(sensor, reason, actor, now)


def move(data: Path, sensor: str, *, unit: str, group: str = "", actor: str) -> None:
    """Let its events belong to another unit. Raises Refused (sensor-not-found), BadInput (sensor-place)."""
    about = f"sensor:{sensor} unit:{unit} group:{group}"
    with _console(data, actor, "sensor.move", about) as (console, now):
        console.move(sensor, unit, group, actor, now)


def drain(data: Path, sensor: str, *, actor: str) -> None:
    """Take what it still has, and nothing after it. Raises Refused (sensor-not-found)."""
    with _console(data, actor, "sensor.drain", f"sensor:{sensor}") as (console, now):
        console.drain(sensor, now)


def resume(data: Path, sensor: str, *, actor: str) -> None:
    """Take everything again. Raises Refused (sensor-not-found)."""
    with _console(data, actor, "sensor.resume", f"sensor:{sensor}") as (console, now):
        console.resume(sensor, now)


def console_sensors(
    folders: Folders, settings: Settings, engine: Engine, inventory: InventoryStore
) -> ConsoleSensors:
    """The register as the console and the commands use it."""
    store, authority = EnrolmentStore(engine), LinkAuthority(folders.keys)
    configurations = ConfigurationStore(engine)
    host, port = settings.ingest.host, settings.ingest.port
    return ConsoleSensors(
        store,
        EnrolmentDesk(
            store,
            authority,
            settings.center.id,
            renewals=RenewalDesk(RenewalStore(engine), authority),
        ),
        inventory,
        unit=settings.center.unit,
        unit_name=RegistryStore(engine).unit_name,
        addresses=[f"[{host}]:{port}" if ":" in host else f"{host}:{port}"],
        moved=lambda actor, now: configurations.touch(actor, now, "move"),
    )


@contextmanager
def _console(data: Path, actor: str, action: str, about: str) -> Iterator[tuple[ConsoleSensors, datetime]]:
    """What the console's sensors page calls, and the time; the act is announced before it is done."""
    folders, settings = Folders(data), load_settings(data)
    engine = state_engine(folders, settings)
    now = datetime.now(UTC)
    try:
        upgrade(engine)
        audit_of(engine).record(entry(time=now, actor=actor, source="local", action=action, about=about))
        yield console_sensors(folders, settings, engine, InventoryStore(engine)), now
    finally:
        engine.dispose()
