"""Sensors on the center's own machine: enrolled with a token of its own desk, run by its supervisor."""

import subprocess
import sys
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from crypto.tls import Authority
from crypto.words import LiuheError, Words
from soc_api.enrolment import EnrolmentDesk
from soc_api.enrolment_store import EnrolmentStore
from soc_api.folders import Folders
from soc_api.settings import Settings
from soc_api.supervisor import Child

KINDS: Final = ("host", "network")
ENROL_SECONDS_MAX: Final = 60


def enrolled(folders: Folders, kind: str) -> bool:
    """Whether the local sensor of this kind has its certificate."""
    return (folders.sensors / kind / "sensor.toml").exists()


def enrol(folders: Folders, settings: Settings, engine: Engine, kind: str) -> None:
    """Enrol the local sensor of this kind through the listener, as any other sensor would."""
    desk = EnrolmentDesk(EnrolmentStore(engine), Authority.of(folders.keys), settings.center.id)
    host, port = settings.ingest.host, settings.ingest.port
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    token = desk.give_token(unit=settings.center.unit, addresses=[address], actor="system:center")
    done = subprocess.run(
        [*command("enroll"), "--token-file", "-", "--kind", kind, "--data", str(folders.sensors / kind)],
        input=token.encode(),
        capture_output=True,
        timeout=ENROL_SECONDS_MAX,
        check=False,
    )
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise LiuheError(
            "enrolment-failed",
            Words(f"本机{kind}传感器登记失败", f"the local {kind} sensor could not enrol"),
            Words(said[-1] if said else "请查看日志", said[-1] if said else "read the log"),
            field=kind,
        )
    _suit(folders, settings, kind)


def child(folders: Folders, kind: str) -> Child:
    """The process of the local sensor."""
    return Child(name=f"sensor-{kind}", command=[*command("run"), "--data", str(folders.sensors / kind)])


def command(verb: str) -> list[str]:
    """``liuhe sensor VERB`` by this very interpreter."""
    return [sys.executable, "-m", "soc_api.cli", "sensor", verb]


def _suit(folders: Folders, settings: Settings, kind: str) -> None:
    """Watch the drill's folder; leave out uplink and console, or the sensors would feed themselves."""
    path: Path = folders.sensors / kind / "sensor.toml"
    if kind == "host":
        _set(path, "host", "watch_extra", f'["{folders.drill.absolute()}"]')
    else:
        _set(path, "network", "ignore_ports", f"[{settings.ingest.port}, {settings.console.port}]")


def _set(path: Path, table: str, key: str, value: str) -> None:
    """Set one key of one table in a TOML file that has no such key yet."""
    lines = path.read_text("utf-8").splitlines()
    header = f"[{table}]"
    lines = [line for line in lines if line.partition("=")[0].strip() != key]
    if header not in lines:
        lines += ["", header]
    lines.insert(lines.index(header) + 1, f"{key} = {value}")
    path.write_text("\n".join(lines) + "\n", "utf-8")
