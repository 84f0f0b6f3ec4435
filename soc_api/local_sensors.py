"""Sensors on the center's own machine: enrolled with a token of its own desk, run by its supervisor."""

import subprocess
import sys
from typing import Final

import msgspec

from crypto.link_authority import LinkAuthority
from crypto.words import LiuheError, Words
from detection.store.state import Engine
from sensors.heartbeat import read_status
from sensors.link import TRUST_NAME
from sensors.settings import CONFIG_NAME, load_settings, write_settings
from soc_api.enrolment import EnrolmentDesk
from soc_api.enrolment_store import EnrolmentStore
from soc_api.folders import Folders
from soc_api.settings import Settings
from soc_api.supervisor import Child

KINDS: Final = ("host", "network")
ENROL_SECONDS_MAX: Final = 60


def enrolled(folders: Folders, kind: str) -> bool:
    """Whether the local sensor of this kind has its certificate, and trust of the present kind."""
    data = folders.sensors / kind
    return (data / CONFIG_NAME).exists() and (data / "keys" / TRUST_NAME).is_dir()


def enrol(folders: Folders, settings: Settings, engine: Engine, kind: str) -> None:
    """Enrol the local sensor of this kind through the listener, as any other sensor would."""
    desk = EnrolmentDesk(EnrolmentStore(engine), LinkAuthority(folders.keys), settings.center.id)
    if (folders.sensors / kind / CONFIG_NAME).exists():  # of a release before SM TLS: its place is taken anew
        former = load_settings(folders.sensors / kind).id
        desk.revoke(former, actor="system:center", reason="enrolled anew for SM TLS")
    address = _address(settings)
    token = desk.give_token(unit=settings.center.unit, addresses=[address], actor="system:center")
    try:
        done = subprocess.run(
            [*command("enroll"), "--token-file", "-", "--kind", kind, "--data", str(folders.sensors / kind)],
            input=token.encode(),
            capture_output=True,
            timeout=ENROL_SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _not_enrolled(kind, error.stderr) from error
    if done.returncode:
        raise _not_enrolled(kind, done.stderr)


def _not_enrolled(kind: str, stderr: bytes | None) -> LiuheError:
    said = (stderr or b"").decode("utf-8", "replace").strip().splitlines()
    return LiuheError(
        "enrolment-failed",
        Words(f"本机{kind}传感器登记失败", f"the local {kind} sensor could not enrol"),
        Words(said[-1] if said else "请查看日志", said[-1] if said else "read the log"),
        field=kind,
    )


def child(folders: Folders, kind: str) -> Child:
    """The process of the local sensor."""
    return Child(name=f"sensor-{kind}", command=[*command("run"), "--data", str(folders.sensors / kind)])


def command(verb: str) -> list[str]:
    """``liuhe sensor VERB`` by this very interpreter."""
    return [sys.executable, "-m", "soc_api.cli", "sensor", verb]


def suit(folders: Folders, settings: Settings, kind: str) -> None:
    """Bring sensor.toml in line with center.toml, before every start: ports and folders may have moved.

    The host sensor watches the drill's folder; the network sensor leaves out uplink and console, or the
    sensors would feed themselves. What an administrator added stays. Raises BadInput (sensor.toml).
    """
    data = folders.sensors / kind
    found = load_settings(data)
    host, network = found.host, found.network
    if kind == "host":
        watched = list(dict.fromkeys([*host.watch_extra, str(folders.drill.absolute())]))
        host = msgspec.structs.replace(host, watch_extra=watched)
    else:
        ports = dict.fromkeys([*network.ignore_ports, settings.ingest.port, settings.console.port])
        network = msgspec.structs.replace(network, ignore_ports=list(ports))
    wanted = msgspec.structs.replace(found, center=[_address(settings)], host=host, network=network)
    if wanted != found:
        write_settings(data, wanted)


def missing(folders: Folders) -> list[Words]:
    """What the local sensors cannot see here and why, by their last heartbeat."""
    found = []
    for kind in KINDS:
        status = read_status(folders.sensors / kind / "run")
        for source in status.sources if status else []:
            if source.state in ("missing", "failed"):
                why = source.detail
                found.append(Words(f"{source.name} 未采集:{why.zh}", f"not seen: {source.name}: {why.en}"))
    return found


def _address(settings: Settings) -> str:
    """The listener as seen from this machine."""
    host, port = settings.ingest.host, settings.ingest.port
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
