"""The sensor's configuration: ``sensor.toml`` in its data folder, written by ``sensor enroll``."""

import tomllib
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from crypto.words import BadInput, LiuheError, Words
from sensors.address import Address, parse_address
from sensors.device.settings import DeviceSettings
from sensors.host.settings import HostSettings
from sensors.limits import LimitSettings
from sensors.messages import SensorId, UnitName
from sensors.network.settings import NetworkSettings
from sensors.segment_checkpoint import write_durably

CONFIG_NAME: Final = "sensor.toml"
CONFIG_BYTES_MAX: Final = 256 * 1024
QUOTA_BYTES_MIN: Final = 1024 * 1024

Kind = Literal["host", "network"]
Quota = Annotated[int, msgspec.Meta(ge=QUOTA_BYTES_MIN, le=1 << 40)]

Days = Annotated[float, msgspec.Meta(ge=0.01, le=3_650)]


class SpoolSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ``[spool]`` table: how much of the disk each lane may take while the center is away, and how long.

    Together below 2 GiB: three days at 200 events a second.
    """

    alerts_bytes_max: Quota = 256 * 1024 * 1024
    flows_bytes_max: Quota = 768 * 1024 * 1024
    bulk_bytes_max: Quota = 768 * 1024 * 1024
    alerts_days_max: Days = 90.0
    flows_days_max: Days = 30.0
    bulk_days_max: Days = 30.0
    encrypt: bool = False  # SM4-GCM at rest, key in keys/spool.key
    format: Literal[1, 2] = 2  # of new segments; 1 is what older releases read

    def age_seconds(self) -> dict[str, float]:
        """The limits of age by lane."""
        days = {
            "alerts": self.alerts_days_max,
            "flows": self.flows_days_max,
            "bulk": self.bulk_days_max,
        }
        return {lane: limit * 86_400 for lane, limit in days.items()}

    def quota_bytes(self) -> dict[str, int]:
        """The quotas by lane."""
        return {
            "alerts": self.alerts_bytes_max,
            "flows": self.flows_bytes_max,
            "bulk": self.bulk_bytes_max,
        }


class LinkSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ``[link]`` table: what TLS of the uplink may be."""

    only_sm: bool = True
    """Refuse everything but TLS_SM4_GCM_SM3, curveSM2 and SM2 signatures."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of sensor.toml."""

    id: SensorId
    unit: UnitName
    kind: Kind
    center: Annotated[list[str], msgspec.Meta(min_length=1, max_length=8)]  # tried in turn
    link: LinkSettings = LinkSettings()
    spool: SpoolSettings = SpoolSettings()
    host: HostSettings = msgspec.field(default_factory=HostSettings)
    network: NetworkSettings = msgspec.field(default_factory=NetworkSettings)
    device: DeviceSettings = msgspec.field(default_factory=DeviceSettings)
    limits: LimitSettings = LimitSettings()

    def addresses(self) -> list[Address]:
        """The center's addresses. Raises BadInput."""
        return [parse_address(text) for text in self.center]


def load_settings(data: Path) -> Settings:
    """Settings of the sensor in ``data``. Raises BadInput (file and key), LiuheError (not enrolled)."""
    path = data / CONFIG_NAME
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise LiuheError(
            "sensor-absent",
            Words("此目录中没有已注册的传感器", "there is no enrolled sensor in this folder"),
            Words("请先运行 liuhe sensor enroll", "run liuhe sensor enroll first"),
            field=str(data),
        ) from None
    return parse_settings(raw, str(path))


def parse_settings(raw: bytes, path: str) -> Settings:
    """Settings from TOML bytes; ``path`` names them in errors. Raises BadInput."""
    if len(raw) > CONFIG_BYTES_MAX:
        raise _bad(f"{len(raw)} bytes > {CONFIG_BYTES_MAX}", path)
    try:
        settings = msgspec.convert(tomllib.loads(raw.decode("utf-8")), Settings)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise _bad(str(error), path) from error
    settings.addresses()
    return settings


def write_settings(data: Path, settings: Settings) -> None:
    """Write sensor.toml durably; tables that equal their defaults are left out."""
    write_durably(data / CONFIG_NAME, render_settings(settings).encode())


def render_settings(settings: Settings) -> str:
    """The TOML text of ``settings``; ``parse_settings`` gives them back."""
    defaults = Settings(id=settings.id, unit=settings.unit, kind=settings.kind, center=settings.center)
    table = msgspec.to_builtins(settings)
    usual = msgspec.to_builtins(defaults)
    lines = [f"{key} = {_literal(table[key])}" for key in ("id", "unit", "kind", "center")]
    for name in ("link", "spool", "host", "network", "device", "limits"):
        changed = {key: value for key, value in table[name].items() if value != usual[name][key]}
        if changed:
            lines += ["", f"[{name}]", *(f"{key} = {_literal(value)}" for key, value in changed.items())]
    return "\n".join(lines) + "\n"


def _literal(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_literal(one) for one in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    # A JSON string is a TOML basic string, apart from DEL, which TOML wants escaped.
    return msgspec.json.encode(str(value)).decode().replace("\x7f", "\\u007f")


def _bad(reason: str, path: str) -> BadInput:
    return BadInput(
        "sensor-config",
        Words(f"传感器配置有误:{reason}", f"bad sensor configuration: {reason}"),
        Words(
            "请对照 docs/reference/configuration.md 改正", "correct it, see docs/reference/configuration.md"
        ),
        field=path,
    )
