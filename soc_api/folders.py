"""Where things lie in a center's data folder, and making a center there.

Nothing is half made: what ``create`` writes last is center.toml, so a folder with one is whole, and one that
an earlier attempt left without is finished by the next.
"""

import socket
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from compliance.attestation_store import AttestationStore
from compliance.registry import GradedSystem
from compliance.registry_store import RegistryStore
from crypto.keys import SigningKey
from crypto.link_authority import LinkAuthority
from crypto.words import LiuheError, Refused, Words
from detection.store.state import Engine, sqlite_path, state_in
from sensors.segment_checkpoint import write_durably
from soc_api.audit_store import AuditStore
from soc_api.identity import Identity, Policy
from soc_api.identity_store import IdentityStore
from soc_api.key_signatures import PersonKeys
from soc_api.migrate import upgrade
from soc_api.people import people_of
from soc_api.second_factor import PURPOSE, SecondFactors
from soc_api.second_factor_store import FactorStore
from soc_api.secret_box import SecretBox, center_key
from soc_api.settings import CONFIG_NAME, Settings, render_settings

FIRST_ACCOUNT = "duty"  # the shift leader whose one-time password set-up prints
LOCAL_SYSTEM = "local"
# What a center's folder may hold before it is made: what an attempt that died leaves.
_OWN = {
    "keys",
    "log",
    "events",
    "evidence",
    "reports",
    "models",
    "lists",
    "rules",
    "run",
    "logs",
    "sensors",
    "drill",
    "transfer",
    "witness",
    "incidents",
}


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
    def witness(self) -> Path:
        """Policy, logs and memory of witnessing, mode 0700; made when first used."""
        return self.data / "witness"

    @property
    def reports(self) -> Path:
        """Made reports."""
        return self.data / "reports"

    @property
    def packets(self) -> Path:
        """Raw packets that sensors sent for alerts, sealed, mode 0700."""
        return self.data / "packets"

    @property
    def incidents(self) -> Path:
        """The evidence locker of incidents, sealed, mode 0700."""
        return self.data / "incidents"

    @property
    def models(self) -> Path:
        """Frozen anomaly models."""
        return self.data / "models"

    @property
    def transfer(self) -> Path:
        """Channels, keys and packages of transfers; made when transfers are first used."""
        return self.data / "transfer"

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
    path = sqlite_path(folders.data, settings.storage.state)
    if path is not None and not path.is_file():
        # SQLite would make an empty one, and a center that lost its state would seem to work.
        raise LiuheError(
            "state-open",
            Words("状态库不见了", "the state database is missing"),
            Words("请从备份恢复,或核对 storage.state", "restore it from a backup, or check storage.state"),
            field=str(path),
        )
    return state_in(folders.data, settings.storage.state)


def create(data: Path, settings: Settings) -> str:
    """Make a center in ``data``; the one-time password of FIRST_ACCOUNT.

    Raises Refused where there is one or the folder holds other things, LiuheError (center-folder).
    """
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
        _refuse_strangers(data, settings)
        _make_folders(folders)
        _make_keys(folders, settings, now)
        password = _fill_state(folders, settings, now)
        write_durably(folders.config, render_settings(settings).encode())
    except OSError as error:
        raise LiuheError(
            "center-folder",
            Words(f"数据目录不可用:{error.strerror}", f"the data folder can't be used: {error.strerror}"),
            Words("请检查权限与磁盘空间", "check permissions and disk space"),
            field=str(error.filename or data),
        ) from error
    return password


def _refuse_strangers(data: Path, settings: Settings) -> None:
    """Never turn a home folder or /tmp into a center: it will be closed to everybody else."""
    state = sqlite_path(data, settings.storage.state)
    mine = (f"{CONFIG_NAME}.", state.name if state else CONFIG_NAME, "lost+found")
    found = sorted(path.name for path in data.iterdir()) if data.exists() else []
    strange = [name for name in found if name not in _OWN and not name.startswith(mine)]
    if strange:
        raise Refused(
            "folder-occupied",
            Words(f"目录中另有文件:{strange[0]}", f"the folder holds other things: {strange[0]}"),
            Words("请给出新的或空的目录", "give a new or an empty folder"),
            field=str(data),
        )


def _make_folders(folders: Folders) -> None:
    inner = folders.keys, folders.evidence, folders.reports, folders.models, folders.run, folders.logs
    for folder in (folders.data, *inner, folders.drill):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)


def _make_keys(folders: Folders, settings: Settings, now: datetime) -> None:
    if folders.ledger_key.exists() and not folders.ledger_key.stat().st_size:
        folders.ledger_key.unlink()  # an earlier attempt died before it wrote anything
    if not folders.ledger_key.exists():
        SigningKey.create(folders.ledger_key)
    LinkAuthority(folders.keys).create(settings.center.id, now)


def _fill_state(folders: Folders, settings: Settings, now: datetime) -> str:
    path = sqlite_path(folders.data, settings.storage.state)
    if path is not None:
        path.touch(mode=0o600)  # SQLite gives its other files the mode of this one
    engine = state_engine(folders, settings)
    try:
        upgrade(engine)
        password = _first_account(engine, folders, settings, now)
        people_of(engine, identity_of(engine, folders), settings.center.unit).setup.begin(now)
        _register_this_machine(engine, settings, now)
    finally:
        engine.dispose()
    return password


def identity_of(engine: Engine, folders: Folders, policy: Policy | None = None) -> Identity:
    """Accounts and sessions over the state database, second factors sealed by the center's key."""
    box = SecretBox(center_key(folders.keys), PURPOSE)
    signatures = PersonKeys(AttestationStore(engine))
    factors = SecondFactors(FactorStore(engine), box, signatures)
    return Identity(IdentityStore(engine), factors, policy=policy)


def audit_of(engine: Engine) -> AuditStore:
    """The audit log over the state database."""
    return AuditStore(engine)


def _first_account(engine: Engine, folders: Folders, settings: Settings, now: datetime) -> str:
    identity = identity_of(engine, folders)
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
