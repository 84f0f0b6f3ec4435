"""The center's configuration: one TOML file in its data folder, see docs/reference/configuration.md."""

import tomllib
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from crypto.words import BadInput, LiuheError, Words
from detection.alert import Severity

CONFIG_NAME: Final = "center.toml"
CONFIG_BYTES_MAX: Final = 64 * 1024

# Loopback by default: a console or listener that others can reach is a decision of the administrator.
LOOPBACK: Final = "127.0.0.1"

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Identifier = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")]
Status = Literal["stable", "test", "experimental"]
Role = Literal["ingest", "detect", "store", "api", "jobs"]

ALL_ROLES: Final[tuple[Role, ...]] = ("ingest", "detect", "store", "api", "jobs")
RETENTION_DAYS_MIN: Final = 190  # six months by law plus a margin, so that an audit day never lacks data


class Identity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[center]: who this center is."""

    id: Identifier = "local"
    name: Name = "本机安全监管中心"
    tier: Literal["city", "department", "province"] = "department"
    unit: Name = "320000-local"


class Endpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[console] and [ingest]: where a listener binds."""

    host: Name = LOOPBACK
    port: Port = 8600
    certificate: str = ""  # PEM chain; without one the console binds loopback only
    key: str = ""


class Console(Endpoint, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[console]: the console's listener, and the path below which a proxy shows it."""

    base_path: Annotated[str, msgspec.Meta(max_length=128, pattern=r"^(/[A-Za-z0-9._~-]+)*$")] = ""


class Storage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[storage]: where state lives and how long events stay."""

    state: str = "sqlite:///state.sqlite"
    retention_days: Annotated[int, msgspec.Meta(ge=1, le=36500)] = RETENTION_DAYS_MIN
    allow_short_retention: bool = False


class Checks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[checks]: how often the checklist is evaluated."""

    interval_seconds: Annotated[int, msgspec.Meta(ge=10, le=86400)] = 60


class Ledgering(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[evidence]: how the ledger is kept."""

    sha256_twin: bool = False  # a second tree over SHA-256, for tools that know no SM3
    # An alert where records wait longer for the witnesses the policy asks for.
    unwitnessed_minutes_max: Annotated[int, msgspec.Meta(ge=2, le=100_000)] = 60


class Detection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[detection]: how events find their rules."""

    unknown_to_all: bool = False  # events that say nothing of their log source are tried on every rule
    imported_level: Severity = "high"  # imported rules below it stay silent
    imported_status: Status = "test"  # less mature ones stay silent


class Cryptography(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[cryptography]: which implementation of SM2, SM3 and SM4 serves."""

    backend: Literal["openssl", "native", "reference"] = "openssl"


class Transfer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[transfer]: the door for packages of other centers; certificates lie in ``transfer/tls``."""

    enabled: bool = False
    host: Name = LOOPBACK
    port: Port = 8620
    authority: str = ""  # CA file of the peers; else ca.pem in transfer/tls


class Reports(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[reports]: the monthly report is drafted on the 1st; when it is due."""

    due_day: Annotated[int, msgspec.Meta(ge=1, le=31)] = 5


class Link(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[link]: what TLS of sensors and of online transfers may be; certificates are SM2 in any case."""

    only_sm: bool = True


class PeopleRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[people]: what holds for every account beside the rules that are fixed."""

    password_days: Annotated[int, msgspec.Meta(ge=1, le=365)] = 90
    sessions_max: Annotated[int, msgspec.Meta(ge=1, le=20)] = 5  # of one account at a time
    banner: Annotated[str, msgspec.Meta(max_length=300)] = ""  # above the login


class Administration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[administration]: where the three administrators may act from; empty: anywhere the console serves."""

    addresses: Annotated[tuple[str, ...], msgspec.Meta(max_length=64)] = ()
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0  # of their own, on the console's host


class NameRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[privacy]: which roles see names in alerts and events without saying why; others see pseudonyms."""

    names: tuple[Literal["security_admin", "analyst", "shift_lead", "compliance_officer"], ...] = ()


class Support(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[support]: the port of the remote support channel, closed unless a ticket holds it open; 0: none."""

    host: Annotated[str, msgspec.Meta(max_length=64)] = ""  # empty: the console's
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0


class Outgoing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[webhooks]: where webhooks may go besides public addresses; a CA for receivers of one's own."""

    private: str = ""  # networks with commas between them
    authority: str = ""  # CA file; else the system's


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of center.toml."""

    center: Identity = Identity()
    console: Console = Console()
    ingest: Endpoint = Endpoint(port=8610)
    storage: Storage = Storage()
    checks: Checks = Checks()
    evidence: Ledgering = Ledgering()
    detection: Detection = Detection()
    cryptography: Cryptography = Cryptography()
    transfer: Transfer = Transfer()
    link: Link = Link()
    reports: Reports = Reports()
    webhooks: Outgoing = Outgoing()
    people: PeopleRules = PeopleRules()
    privacy: NameRules = NameRules()
    support: Support = Support()
    administration: Administration = Administration()
    roles: tuple[Role, ...] = ALL_ROLES


def load_settings(data: Path) -> Settings:
    """Settings of the center in ``data``. Raises BadInput (file and key), LiuheError where none is there."""
    path = data / CONFIG_NAME
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise LiuheError(
            "center-absent",
            Words("此目录中没有监管中心", "there is no center in this folder"),
            Words("请先运行 liuhe center init", "run liuhe center init first"),
            field=str(data),
        ) from None
    return parse_settings(raw, str(path))


def parse_settings(raw: bytes, path: str) -> Settings:
    """Settings from TOML bytes; ``path`` names them in errors. Raises BadInput."""
    if len(raw) > CONFIG_BYTES_MAX:
        raise _bad(f"{len(raw)} bytes > {CONFIG_BYTES_MAX}", path)
    try:
        table = tomllib.loads(raw.decode("utf-8"))
        settings = msgspec.convert(table, Settings)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise _bad(str(error), path) from error
    return _checked(settings, path)


def _checked(settings: Settings, path: str) -> Settings:
    console = settings.console
    if console.host not in (LOOPBACK, "::1", "localhost") and not console.certificate:
        raise _bad("console.certificate is required when console.host is not loopback", path)
    support = settings.support
    if support.port and support.host not in ("", LOOPBACK, "::1", "localhost") and not console.certificate:
        raise _bad("console.certificate is required when support.host is not loopback", path)
    short = settings.storage.retention_days < RETENTION_DAYS_MIN
    if short and not settings.storage.allow_short_retention:
        raise _bad(f"storage.retention_days < {RETENTION_DAYS_MIN} needs allow_short_retention = true", path)
    if not settings.roles:
        raise _bad("roles is empty", path)
    return settings


def render_settings(settings: Settings) -> str:
    """The TOML text of ``settings``; parse_settings gives them back."""
    lines = [f"roles = [{', '.join(_quoted(role) for role in settings.roles)}]", ""]
    for name, section in msgspec.to_builtins(settings).items():
        if isinstance(section, dict):
            lines.append(f"[{name}]")
            lines += [f"{key} = {_literal(value)}" for key, value in section.items()]
            lines.append("")
    return "\n".join(lines)


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_literal(one) for one in value)}]"
    return str(value) if isinstance(value, int) else _quoted(str(value))


def _quoted(text: str) -> str:
    # A JSON string is a TOML basic string, apart from DEL, which TOML wants escaped.
    return msgspec.json.encode(text).decode().replace("\x7f", "\\u007f")


def _bad(reason: str, path: str) -> BadInput:
    return BadInput(
        "center-config",
        Words(f"中心配置有误:{reason}", f"bad center configuration: {reason}"),
        Words(
            "请对照 docs/reference/configuration.md 改正", "correct it, see docs/reference/configuration.md"
        ),
        field=path,
    )
