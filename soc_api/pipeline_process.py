"""The pipeline process: receives batches into the event log, detects, stores, seals.

Listener and detection share the process but meet only in the log: detection follows what is durable there.
"""

import asyncio
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from crypto.backends.choice import use
from crypto.link_authority import LinkAuthority
from crypto.words import BadInput, LiuheError, Refused, Words
from detection.anomaly.open import KEY_NAME, open_anomaly, open_budget, open_habits
from detection.detector import Detector
from detection.exceptions import Sieve
from detection.health import HealthDetector, health_parameters
from detection.pipeline import Pipeline, follow, restore
from detection.special.detectors import special_detectors
from detection.store.alert_store import AlertStore
from detection.store.event_store import EventStore
from detection.store.exception_store import ExceptionStore
from detection.store.log_tail import LOG_NAME
from detection.store.state import Engine
from sensors.network.secret import load_key
from sensors.segment_log import SegmentLog
from soc_api.center_identity import keep_identities
from soc_api.center_link import CenterLink
from soc_api.change_desk import retention_days
from soc_api.change_store import ChangeStore
from soc_api.enrolment import EnrolmentDesk
from soc_api.enrolment_store import EnrolmentStore
from soc_api.file_limit import raise_file_limit
from soc_api.folders import Folders, state_engine
from soc_api.ingest import IngestListener
from soc_api.migrate import upgrade
from soc_api.packet_desk import PacketCounter
from soc_api.packet_files import PacketFiles
from soc_api.packet_store import PacketStore
from soc_api.protected_assets import protected_assets
from soc_api.rule_set import center_rules
from soc_api.rule_store import RuleStore
from soc_api.running_rules import RunningRules
from soc_api.sensor_configuration import ConfigurationDesk
from soc_api.sensor_configuration_store import ConfigurationStore
from soc_api.sensor_control import SensorControl
from soc_api.sensor_renewal import RenewalDesk
from soc_api.sensor_renewal_store import RenewalStore
from soc_api.settings import Settings
from soc_api.speech import say
from soc_api.transfer_event_store import TransferEventStore

SEAL_SECONDS = 60.0  # between looks for complete log segments
SEAL_ALL_SECONDS = 600.0  # a quiet center seals what it has this often, so that it reaches the ledger
EXPIRE_SECONDS = 3_600.0
RENEW_SECONDS = 3_600.0
_T = TypeVar("_T")


def run_pipeline(folders: Folders, settings: Settings) -> None:
    """Work until SIGTERM or SIGINT. Raises LiuheError where something can't be opened."""
    use(settings.cryptography.backend)
    raise_file_limit()
    engine = state_engine(folders, settings)
    upgrade(engine)
    stop = threading.Event()
    log = SegmentLog.open(folders.log, name=LOG_NAME, writer=True, reserve=1_000)
    try:
        events = EventStore(folders.data, engine)
        failed = health_parameters().detector
        sieve = Sieve(ExceptionStore(engine, partial(protected_assets, engine)), _now())
        detectors = _detectors(folders, settings, engine)
        budget = _of_site(open_budget, folders.data / "lists")
        pipeline = Pipeline(detectors, AlertStore(engine), failed=failed, sieve=sieve, budget=budget)
        for name in restore(events, pipeline, _now()):
            say(
                Words(
                    f"检测器 {name} 的记忆出自其他版本,未采用,重新学习",
                    f"the memory of detector {name} is of another edition: set aside, it learns anew",
                )
            )
        asyncio.run(_run(folders, settings, engine, log, events, pipeline, stop))
    finally:
        log.close()
        engine.dispose()


async def _run(
    folders: Folders,
    settings: Settings,
    engine: Engine,
    log: SegmentLog,
    events: EventStore,
    pipeline: Pipeline,
    stop: threading.Event,
) -> None:
    """The listener on this loop, detection and sealing in threads; the first to fail stops all."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    failures: list[Exception] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 -- whatever it is, the process must end and be restarted
            failures.append(error)
        finally:
            loop.call_soon_threadsafe(ended.set)

    jobs = {
        "detect": partial(follow, events, pipeline, stop, _now),
        "store": partial(_keep, events, settings, stop, ChangeStore(engine)),
        "identity": partial(_renew, folders, settings, stop),
    }
    threads = [threading.Thread(target=guarded, args=(job,), name=name) for name, job in jobs.items()]
    for thread in threads:
        thread.start()
    try:
        async with _listener(folders, settings, engine, log, AlertStore(engine).position):
            await ended.wait()
    finally:
        stop.set()
        for thread in threads:
            await asyncio.to_thread(thread.join)
    if failures:
        raise failures[0]


def _listener(
    folders: Folders, settings: Settings, engine: Engine, log: SegmentLog, detected: Callable[[], int]
) -> IngestListener:
    authority = LinkAuthority(folders.keys)
    authority.create(settings.center.id, _now())  # of a center that was made before it had one
    register, renewals = EnrolmentStore(engine), RenewalDesk(RenewalStore(engine), authority)
    configurations = ConfigurationDesk(ConfigurationStore(engine), authority, settings.center.id)
    return IngestListener(
        log,
        CenterLink(authority, only_sm=settings.link.only_sm),
        EnrolmentDesk(register, authority, settings.center.id, renewals=renewals),
        center=settings.center.id,
        unit=settings.center.unit,
        hosts=[settings.ingest.host],
        port=settings.ingest.port,
        control=SensorControl(register, configurations, renewals),
        packets=PacketCounter(
            PacketStore(engine), PacketFiles(folders.packets, load_key(folders.keys)), _now
        ),
        acts=TransferEventStore(engine),
        detected=detected,
    )


def _detectors(folders: Folders, settings: Settings, engine: Engine) -> list[Detector]:
    rules = center_rules(folders, settings)
    for error in rules.errors:
        say(Words(f"规则不可用:{error}", f"rule unusable: {error}"))
    anomaly, refused = _anomaly(folders)
    for refusal in refused:
        say(Words(f"模型被拒绝:{refusal}", f"model refused: {refusal}"))
    book, now = RuleStore(engine), _now()
    book.note(rules.versions, now)
    detector = RunningRules(rules, book, now, unknown_to_all=settings.detection.unknown_to_all)
    habits = _of_site(open_habits, folders.data / "lists")
    return [detector, *_special(folders), anomaly, habits, HealthDetector(health_parameters())]


def _keep(
    events: EventStore, settings: Settings, stop: threading.Event, agreed: ChangeStore | None = None
) -> None:
    """Seal and expire; a full disk is said and tried again, nothing is lost meanwhile."""
    sealed_all = expired = _now()
    while not stop.wait(SEAL_SECONDS):
        now = _now()
        force = (now - sealed_all).total_seconds() >= SEAL_ALL_SECONDS
        try:
            events.seal(now, force=force)
            if force:
                sealed_all = now
            if (now - expired).total_seconds() >= EXPIRE_SECONDS:
                days = settings.storage.retention_days
                days = days if agreed is None else retention_days(agreed, days)
                events.expire(now - timedelta(days=days), now, days_min=days)
                expired = now
        except (OSError, LiuheError) as error:
            say(Words(f"封存未完成,稍后重试:{error}", f"sealing failed, will try again: {error}"))


def _special(folders: Folders) -> list[Detector]:
    """The special detectors as the site wants them; as shipped where its file is wrong, and that is said."""
    try:
        return special_detectors(site=folders.data / "lists" / "special.toml")
    except BadInput as error:
        say(
            Words(
                f"{error.field}:{error.what.zh};按出厂参数运行",
                f"{error.field}: {error.what.en}; the shipped values hold",
            )
        )
        return special_detectors()


def _anomaly(folders: Folders) -> tuple[Detector, list[Refused]]:
    """The windows' detector as the site wants it; as shipped where its file is wrong, and that is said."""
    site = folders.data / "lists" / "windows.toml"
    models, key = folders.models, folders.keys / KEY_NAME
    try:
        return open_anomaly(models, key, _now(), site)
    except BadInput as error:
        say(
            Words(
                f"{error.field}:{error.what.zh};按出厂参数运行",
                f"{error.field}: {error.what.en}; the shipped values hold",
            )
        )
        return open_anomaly(models, key, _now())


def _of_site(make: Callable[[Path | None], _T], lists: Path) -> _T:
    """What the site's lists say; as shipped where a file of them is wrong, and that is said."""
    try:
        return make(lists)
    except BadInput as error:
        say(
            Words(
                f"{error.field}:{error.what.zh};按出厂参数运行",
                f"{error.field}: {error.what.en}; the shipped values hold",
            )
        )
        return make(None)


def _renew(folders: Folders, settings: Settings, stop: threading.Event) -> None:
    """Keep the center's own certificates in force; what fails is said and tried again."""
    while True:
        try:
            keep_identities(LinkAuthority(folders.keys), settings.center.id, _now())
        except (OSError, LiuheError) as error:
            say(Words(f"中心证书续期未成,稍后重试:{error}", f"the center's certificates: {error}"))
        if stop.wait(RENEW_SECONDS):
            return


def _now() -> datetime:
    return datetime.now(UTC)
