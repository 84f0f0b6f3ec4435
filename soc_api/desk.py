"""Letting sensors in and out by the administrator's command; every such act stands in the audit log."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crypto.link_authority import LinkAuthority
from crypto.words import Refused, Words
from soc_api.audit import entry
from soc_api.enrolment import EnrolmentDesk
from soc_api.enrolment_store import EnrolmentStore
from soc_api.folders import Folders, audit_of, state_engine
from soc_api.sensor_renewal import RenewalDesk
from soc_api.sensor_renewal_store import RenewalStore
from soc_api.settings import load_settings


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


def revoke(data: Path, sensor: str, *, actor: str) -> None:
    """Refuse a sensor's certificate from now on. Raises Refused (sensor-not-found)."""
    folders, settings = Folders(data), load_settings(data)
    engine = state_engine(folders, settings)
    now = datetime.now(UTC)
    try:
        said = entry(time=now, actor=actor, source="local", action="sensor.revoke", about=f"sensor:{sensor}")
        audit_of(engine).record(said)
        authority = LinkAuthority(folders.keys)
        renewals = RenewalDesk(RenewalStore(engine), authority)
        desk = EnrolmentDesk(EnrolmentStore(engine), authority, settings.center.id, renewals=renewals)
        if not desk.revoke(sensor, actor=actor):
            raise Refused(
                "sensor-not-found",
                Words("没有这个在用的传感器", "there is no such sensor in use"),
                Words("请核对编号", "check its id"),
                field=sensor,
            )
    finally:
        engine.dispose()
