"""Where things lie in a center's data folder, and making a center there.

Nothing is half made: what ``create`` writes last is center.toml, so a folder with one is whole.
"""

import os
import socket
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from compliance.registry_store import GradedSystem, RegistryStore
from crypto.keys import SigningKey
from crypto.tls import create_authority, issue_server
from crypto.words import LiuheError, Refused, Words
from detection.store.state import Engine, open_state
from soc_api.audit_store import AuditStore
from soc_api.identity import Identity
from soc_api.identity_store import IdentityStore
from soc_api.migrate import upgrade
from soc_api.settings import CONFIG_NAME, Settings, render_settings

FIRST_ACCOUNT = "duty"  # the shift leader whose one-time password set-up prints
LOCAL_SYSTEM = "local"


class Folders(msgspec.Struct, frozen=True):
    """Paths below the data folder ``data``."""

    data: Path

    @property
    def config(self) -> Path:
        """center.toml."""
        return self.data / CONFIG_NAME

    @property
    def keys(self) -> Path:
        """Private keys and the authority, mode 0700."""
        return self.data / "keys"

    @property
    def ledger_key(self) -> Path:
        """The SM2 key that signs checkpoints."""
        return self.keys / "ledger.pem"

    @property
    def log(self) -> Path:
        """The segment log of received batches."""
        return self.data / "log"

    @property
    def evidence(self) -> Path:
        """The ledger."""
        return self.data / "evidence"

    @property
    def reports(self) -> Path:
        """Made reports."""
        return self.data / "reports"

    @property
    def models(self) -> Path:
        """Frozen anomaly models."""
        return self.data / "models"

    @property
    def run(self) -> Path:
        """Lock and pid of the running center."""
        return self.data / "run"

    @property
    def logs(self) -> Path:
        """What the processes said."""
        return self.data / "logs"

    @property
    def sensors(self) -> Path:
        """Data folders of sensors the center runs on its own machine."""
        return self.data / "sensors"

    @property
    def drill(self) -> Path:
        """The folder the drill changes a file in; the local host sensor watches it."""
        return self.data / "drill"


def state_engine(folders: Folders, settings: Settings) -> Engine:
    """The state database of the settings; a relative SQLite path is below the data folder."""
    scheme, _, path = settings.storage.state.partition(":///")
    if scheme == "sqlite" and not path.startswith("/"):
        return open_state(f"sqlite:///{folders.data.absolute() / path}")
    return open_state(settings.storage.state)


def create(data: Path, settings: Settings) -> str:
    """Make a center in ``data``; the one-time password of FIRST_ACCOUNT. Refused where there is one."""
    folders = Folders(data)
    if folders.config.exists():
        raise Refused(
            "center-exists",
            Words("此目录中已有监管中心", "there is a center in this folder already"),
            Words(
                "请换一个目录,或直接运行 liuhe center run", "choose another folder, or run liuhe center run"
            ),
            field=str(data),
        )
    now = datetime.now(UTC)
    try:
        folders.keys.mkdir(parents=True, exist_ok=True, mode=0o700)
        data.chmod(0o700)
        for folder in (
            folders.evidence,
            folders.reports,
            folders.models,
            folders.run,
            folders.logs,
            folders.drill,
        ):
            folder.mkdir(exist_ok=True, mode=0o700)
        if not folders.ledger_key.exists():
            SigningKey.create(folders.ledger_key)
        authority = create_authority(folders.keys, settings.center.id, now)
        issue_server(authority, settings.center.id, _names(settings.ingest.host), now)
    except OSError as error:
        raise LiuheError(
            "center-folder",
            Words(f"数据目录不可用:{error.strerror}", f"the data folder can't be used: {error.strerror}"),
            Words("请检查权限与磁盘空间", "check permissions and disk space"),
            field=str(error.filename or data),
        ) from error
    engine = state_engine(folders, settings)
    upgrade(engine)
    password = _first_account(engine, settings, now)
    _register_this_machine(engine, settings, now)
    _write_durably(folders.config, render_settings(settings))
    engine.dispose()
    return password


def identity_of(engine: Engine) -> Identity:
    """Accounts and sessions over the state database."""
    return Identity(IdentityStore(engine))


def audit_of(engine: Engine) -> AuditStore:
    """The audit log over the state database."""
    return AuditStore(engine)


def _first_account(engine: Engine, settings: Settings, now: datetime) -> str:
    identity = identity_of(engine)
    if identity.must_change(FIRST_ACCOUNT) is not None:
        # An earlier attempt died between the account and center.toml: give it a fresh password.
        return identity.reset_password(FIRST_ACCOUNT, now)
    return identity.create_account(FIRST_ACCOUNT, "值班长", "shift_lead", settings.center.unit, now)


def _register_this_machine(engine: Engine, settings: Settings, now: datetime) -> None:
    registry = RegistryStore(engine)
    system = GradedSystem(
        id=LOCAL_SYSTEM, unit=settings.center.unit, name=settings.center.name, level=3, grade="S3A3G3"
    )
    registry.register(system, unit_name=settings.center.name, now=now)
    registry.add_asset(socket.gethostname(), system=LOCAL_SYSTEM, kind="host", now=now)


def _names(host: str) -> list[str]:
    """Names the ingest certificate is good for: where it listens, and this machine's own."""
    return sorted({host, "localhost", "127.0.0.1", "::1", socket.gethostname()} - {"0.0.0.0", "::"})  # noqa: S104


def _write_durably(path: Path, text: str) -> None:
    temporary = path.with_suffix(".tmp")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
