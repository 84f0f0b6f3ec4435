"""The configuration a center gives a sensor: signed, numbered, never older than the one that is held.

What is signed says for which sensor it is, its unit, its version, tables that overlay those of sensor.toml,
and mapping tables that take the place of the shipped ones. The sensor believes it where the chain of the
signer leads from a signing certificate of its own center to the root it pinned when it enrolled. It keeps
what it was given as it came and checks the signature again at every start.
Documented in docs/reference/formats/sensor-configuration.md.
"""

import tomllib
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from crypto import sm3
from crypto.chain import TrustStore
from crypto.keys import SigningKey
from crypto.words import BadInput, LiuheError, Refused, Words
from crypto.x509 import Certificate, read_certificates
from sensors.host.tables import shipped
from sensors.messages import MESSAGE_BYTES_MAX, Configuration, SensorId, UnitName
from sensors.segment_checkpoint import write_durably
from sensors.settings import Settings

# Of sensor.toml; who and where the sensor is, no center sets.
TABLES: Final = ("spool", "host", "network", "device", "limits")
FILE_BYTES_MAX: Final = 256 * 1024
FILES_BYTES_MAX: Final = 1024 * 1024
VERSION_MAX: Final = (1 << 53) - 1
FOLDER: Final = "configuration"  # in the sensor's data folder
_HELD: Final = "held.msgpack"
_DOMAIN: Final = b"liuhe-sensor-configuration-1\0"

FileName = Annotated[str, msgspec.Meta(pattern=r"^mappings/[a-z0-9_]{1,48}\.toml$")]


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the signature is over."""

    center: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    sensor: SensorId
    unit: UnitName
    version: Annotated[int, msgspec.Meta(ge=1, le=VERSION_MAX)]
    made: datetime
    settings: dict[str, dict[str, Any]] = {}
    files: dict[FileName, bytes] = {}


def sign(body: Body, key: SigningKey, chain: list[Certificate]) -> Configuration:
    """The message with this body; ``chain`` is the signer's, leaf first, without the root."""
    data = msgspec.msgpack.encode(body)
    if len(data) > MESSAGE_BYTES_MAX - 64 * 1024:
        raise malformed(f"{len(data)} bytes are too many", "files")
    return Configuration(
        body=data, signature=key.sign(_DOMAIN + data), chain=[one.pem().decode() for one in chain]
    )


def read(configuration: Configuration) -> Body:
    """The body of a configuration whose signature is another's matter. Raises BadInput."""
    try:
        body = msgspec.msgpack.decode(configuration.body, type=Body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise malformed(str(error), "configuration") from error
    if body.made.tzinfo is None:
        raise malformed("made has no zone", "made")
    check_files(body.files)
    return body


def verify(
    configuration: Configuration, trust: TrustStore, *, sensor: str, center: str, at: datetime
) -> Body:
    """What the center says to this sensor; an empty ``center`` takes any center below the root.

    Raises BadInput, Refused (``chain-*``, ``signature``, ``configuration-foreign``).
    """
    body = read(configuration)
    chain = [one for pem in configuration.chain for one in read_certificates(pem.encode())]
    if not chain:
        raise malformed("no certificate", "chain")
    verified = trust.verify(chain[0], at=at, usage="sign", kinds={"center-sign"}, extra=chain[1:])
    verified.key.verify(_DOMAIN + configuration.body, configuration.signature)
    if verified.identity.id != body.center or (center and body.center != center):
        raise _foreign(f"另一中心 {body.center}", f"another center, {body.center}", "center")
    if body.sensor != sensor:
        raise _foreign(f"另一传感器 {body.sensor}", f"another sensor, {body.sensor}", "sensor")
    return body


def effective(settings: Settings, body: Body | None) -> Settings:
    """sensor.toml overlaid by what the center says. Raises BadInput naming the key."""
    if body is None:
        return settings
    table: dict[str, Any] = msgspec.to_builtins(settings)
    for name, keys in body.settings.items():
        if name not in TABLES:
            raise malformed(f"a center does not set [{name}]", name)
        table[name] |= keys
    try:
        return msgspec.convert(table | {"unit": body.unit}, Settings)
    except msgspec.ValidationError as error:
        raise malformed(str(error), "settings") from error


def check_files(files: Mapping[str, bytes]) -> None:
    """Raise BadInput where a mapping table is too large, no TOML, or not made like the shipped one."""
    if sum(map(len, files.values())) > FILES_BYTES_MAX:
        raise malformed(f"files of more than {FILES_BYTES_MAX} bytes together", "files")
    for name, data in files.items():
        if len(data) > FILE_BYTES_MAX:
            raise malformed(f"more than {FILE_BYTES_MAX} bytes", name)
        try:
            given = tomllib.loads(data.decode("utf-8"))
            usual = shipped(Path(name).stem)
        except FileNotFoundError as error:
            raise malformed("no such mapping table", name) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
            raise malformed(str(error), name) from error
        if {key: type(value) for key, value in given.items()} != {
            key: type(value) for key, value in usual.items()
        }:
            raise malformed(f"keys must be {', '.join(usual)}, as in the shipped table", name)


class ConfigurationFolder:
    """``DATA/configuration``: the configuration held, as it came, and its mapping tables beside it."""

    def __init__(
        self, data: Path, sensor: str, trust: Callable[[], TrustStore], now: Callable[[], datetime]
    ) -> None:
        self.path: Final = data / FOLDER
        self._sensor: Final = sensor
        self._trust: Final = trust
        self._now: Final = now

    def held(self) -> Body | None:
        """What was accepted last. Raises BadInput, Refused where somebody changed it.

        The chain is judged at the time the configuration was made: a certificate that has ended since does
        not undo what was right then.
        """
        configuration = self._read()
        if configuration is None:
            return None
        made = read(configuration).made
        return verify(configuration, self._trust(), sensor=self._sensor, center="", at=made)

    def accept(self, configuration: Configuration, settings: Settings, *, center: str = "") -> Body | None:
        """Keep it durably; None where the very same is held. Raises Refused, BadInput: nothing changes then.

        An older version is refused, and so is another content under the version held.
        """
        body = verify(configuration, self._trust(), sensor=self._sensor, center=center, at=self._now())
        effective(settings, body)
        known = self._read()
        if known is not None:
            held = read(known)
            if body.version < held.version:
                raise _older(body.version, held.version)
            if configuration.body == known.body:
                return None
            if body.version == held.version:
                raise _older(body.version, held.version)
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_durably(self.path / _HELD, msgspec.msgpack.encode(configuration))
        return body

    def set_aside(self) -> None:
        """Keep what is held for whoever looks into it, and hold nothing."""
        path = self.path / _HELD
        if path.exists():
            path.replace(path.with_suffix(".refused"))

    def lay_out(self, body: Body | None) -> Path:
        """Write the mapping tables of a verified body, and none but them; the folder they lie in."""
        folder = self.path / "mappings"
        files = body.files if body is not None else {}
        wanted = {name.removeprefix("mappings/"): data for name, data in files.items()}
        for found in folder.glob("*") if folder.is_dir() else ():
            if found.name not in wanted:
                found.unlink()
        for name, data in wanted.items():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_durably(folder / name, data)
        return folder

    def _read(self) -> Configuration | None:
        path = self.path / _HELD
        try:
            with path.open("rb") as file:
                data = file.read(2 * MESSAGE_BYTES_MAX)
            return msgspec.msgpack.decode(data, type=Configuration)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LiuheError(
                "configuration-unreadable",
                Words(f"配置读不出:{error.strerror}", f"the configuration cannot be read: {error.strerror}"),
                Words("请检查权限和磁盘", "check permissions and disk"),
                field=str(path),
            ) from error
        except msgspec.MsgspecError as error:
            raise malformed(str(error), str(path)) from error


def digest(configuration: Configuration) -> str:
    """The SM3 of the body, for logs."""
    return sm3.sm3_hex(configuration.body)


def malformed(reason: str, field: str) -> BadInput:
    """What is said of a configuration that cannot be one."""
    return BadInput(
        "configuration-malformed",
        Words(f"下发的配置不可用:{reason}", f"this configuration cannot be used: {reason}"),
        Words(
            "请在中心用 liuhe center configure 改正", "correct it at the center with liuhe center configure"
        ),
        field=field,
    )


def _older(version: int, held: int) -> Refused:
    return Refused(
        "configuration-older",
        Words(
            f"配置版本 {version} 不新于现有的 {held},不予采用",
            f"version {version} is not newer than {held}, which is held",
        ),
        Words(
            "若中心由备份恢复,请在中心执行 liuhe center configure --raise-to",
            "where the center was restored from a backup, run liuhe center configure --raise-to there",
        ),
        field="version",
    )


def _foreign(zh: str, en: str, field: str) -> Refused:
    return Refused(
        "configuration-foreign",
        Words(f"配置属于{zh},不予采用", f"the configuration is for {en}"),
        Words("请核对中心与传感器", "check center and sensor"),
        field=field,
    )
