"""What a center says of itself to an administrator: how it runs, and what a start would stumble over."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from compliance.checklist import load_checklist
from compliance.ledger import LedgerReader
from crypto.backends.choice import use
from crypto.keys import SigningKey
from crypto.link_authority import LinkAuthority
from crypto.sm_tls import server_context
from crypto.words import LiuheError, Words
from detection.store.alert_store import AlertStore
from detection.store.inventory_store import InventoryStore
from detection.store.state import Engine
from rules import ROOT
from soc_api.folders import Folders, state_engine
from soc_api.migrate import newest_revision, revision_of
from soc_api.rule_set import shipped_rules
from soc_api.run import serves, url_of
from soc_api.settings import Settings, load_settings
from soc_api.supervisor import running_pid

CRYPTO_NOTE = Words(
    "软件密码实现,未经认证,密评不计分", "software cryptography, uncertified: no score in 密评"
)
CERTIFIED_NOTE = Words(
    "须用经认证的模块才计分:签名与解密密钥、重要数据的机密性与完整性、身份鉴别、通信信道、时间戳"
    "(docs/reference/cryptography.md)",
    "a score needs certified modules for: signing and decryption keys, secrecy and integrity of important "
    "data, who logs in, channels, time stamps (docs/reference/cryptography.md)",
)


def status_of(data: Path) -> dict[str, object]:
    """Numbers by name, fit for JSON. Raises LiuheError where there is no center."""
    folders, settings = Folders(data), load_settings(data)
    engine = state_engine(folders, settings)
    try:
        return _status(folders, settings, engine)
    finally:
        engine.dispose()


def _status(folders: Folders, settings: Settings, engine: Engine) -> dict[str, object]:
    crypto = use(settings.cryptography.backend).about()
    sensors = InventoryStore(engine).sensors(datetime.now(UTC))
    counts = AlertStore(engine).counts()
    pid = running_pid(folders.run)
    return {
        "center": settings.center.id,
        "running": pid is not None,
        "pid": pid,
        "console": url_of(settings),
        "serving": serves(settings),
        "ingest": f"{settings.ingest.host}:{settings.ingest.port}",
        "schema": revision_of(engine),
        "open_alerts": sum(counts.open_severities.values()),
        "sensors_online": sum(sensor.state == "online" for sensor in sensors),
        "sensors_seen": len(sensors),
        "ledger_size": _ledger_size(folders),
        "cryptography": str(CRYPTO_NOTE),
        "cryptography_certified": str(CERTIFIED_NOTE),
        "crypto_backend": crypto.name,
        "crypto_backend_note": str(crypto.note),
        "crypto_libraries": crypto.library,
    }


def problems_of(data: Path) -> list[str]:
    """One line for each thing that would stop or weaken a center."""
    problems: list[str] = []

    def tried(work: Callable[[], object]) -> None:
        try:
            work()
        except LiuheError as error:
            problems.append(str(error))
        except OSError as error:
            problems.append(f"{error.filename or data}: {error.strerror or error}")

    folders = Folders(data)
    tried(lambda: use(load_settings(data).cryptography.backend))  # self-tests it
    tried(lambda: SigningKey.load(folders.ledger_key))
    tried(lambda: server_context(LinkAuthority(folders.keys).identity()))
    tried(lambda: LinkAuthority(folders.keys).store())
    tried(lambda: load_checklist(ROOT / "checklist"))
    problems += [str(error) for error in shipped_rules().errors]
    if folders.config.exists():
        tried(lambda: problems.extend(_schema_problems(folders, load_settings(data))))
    return list(dict.fromkeys(problems))


def _schema_problems(folders: Folders, settings: Settings) -> list[str]:
    engine = state_engine(folders, settings)
    try:
        found, newest = revision_of(engine), newest_revision()
    finally:
        engine.dispose()
    if found == newest:
        return []
    return [str(Words(f"状态库版本 {found},应为 {newest}", f"schema {found}, not {newest}"))]


def _ledger_size(folders: Folders) -> int:
    try:
        reader = LedgerReader(folders.evidence)
    except LiuheError:
        return 0  # no leaf yet
    try:
        return reader.size
    finally:
        reader.close()
