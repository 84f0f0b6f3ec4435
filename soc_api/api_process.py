"""The api process: console, API and jobs; the only one that writes the ledger."""

import signal
import socket
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version

import msgspec
import uvicorn

from compliance.casework import WATCH_SECONDS as CASEWORK_SECONDS
from compliance.casework import open_casework
from compliance.checklist import Check, load_checklist
from compliance.enforcement import Enforcement, EnforcementJobs, open_enforcement
from compliance.jobs import Feed, Jobs, Timer, deletion_feed, gap_feed, segment_feed
from compliance.ledger import Ledger, NewEvidence
from compliance.ledger_twin import twin_key
from compliance.registry_desk import WATCH_SECONDS, RegistryDesk
from compliance.report_desk import ReportDesk
from compliance.service import Compliance, Parts
from crypto.backends.choice import use
from crypto.keys import SigningKey
from crypto.words import LiuheError, Words
from detection.anomaly.learning import state_words
from detection.store.alert_store import AlertStore
from detection.store.anomaly_store import AnomalyStore
from detection.store.event_store import EventStore
from detection.store.hit_store import HitStore
from detection.store.host_inventory_store import HostInventoryStore
from detection.store.inventory_store import InventoryStore
from detection.store.shift_store import ShiftStore
from detection.store.state import Engine
from rules import ROOT
from sensors.network.secret import load_key
from soc_api.admin_plane import AdminPlane
from soc_api.anomaly_desk import AnomalyDesk, open_anomalies
from soc_api.app import create_app
from soc_api.audit_store import AuditStore
from soc_api.audit_watch import WATCH_SECONDS as AUDIT_SECONDS
from soc_api.audit_watch import AuditWatch
from soc_api.base_path import BasePath
from soc_api.change_desk import BEAT_SECONDS as CHANGE_SECONDS
from soc_api.change_desk import note_retention
from soc_api.change_opening import open_changes, open_support
from soc_api.context import Center
from soc_api.desk import console_sensors
from soc_api.enforcement_facts import own_facts
from soc_api.exception_side import exception_desk, triage_desk
from soc_api.folders import LOCAL_SYSTEM, Folders, audit_of, identity_of, state_engine
from soc_api.hunt_desk import HuntDesk
from soc_api.identity import Identity, Policy
from soc_api.identity_store import IdentityStore
from soc_api.incident_files import IncidentFiles
from soc_api.ledger_side import ledger_timers, open_witnessing, witness_rounds
from soc_api.migrate import upgrade
from soc_api.model_desk import ModelDesk
from soc_api.model_records import RECORD_SECONDS, ModelRecords
from soc_api.packet_desk import PacketDesk
from soc_api.packet_files import PacketFiles
from soc_api.packet_store import PacketStore
from soc_api.people import People, people_of
from soc_api.privacy import Privacy
from soc_api.queue_desk import QueueDesk
from soc_api.queue_rounds import queue_rounds
from soc_api.rankers import LEARN_SECONDS, RankerJob
from soc_api.reporting import report_desk
from soc_api.rule_console import ConsoleRules
from soc_api.rule_set import RuleSet, center_rules
from soc_api.rule_store import RuleStore
from soc_api.secret_box import center_key
from soc_api.settings import Console, Endpoint, Settings
from soc_api.speech import say
from soc_api.transfer_channels import load_channels
from soc_api.transfer_console import ConsoleTransfers
from soc_api.transfer_desk import Parts as TransferParts
from soc_api.transfer_door import transfer_door
from soc_api.transfer_ferry import Ferry
from soc_api.transfer_gate import check_gate, load_policy
from soc_api.transfer_store import TransferStore
from soc_api.transfer_uploads import Uploads
from soc_api.wall import Wall
from soc_api.wall_rules import shipped_wall
from soc_api.webhook_opening import open_webhooks
from soc_api.webhooks import webhook_rounds
from soc_api.witnessing import Witnessing

ENFORCEMENT_SECONDS = 1.0  # an act waits no longer for its leaf, a verdict for its end
STOP_SECONDS_MAX = 3  # open streams are cut after this, so that a stop stays calm


def run_api(folders: Folders, settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises LiuheError where something can't be opened."""
    asked = threading.Event()  # a stop that comes before the server is there to take it
    _on_stop(asked.set)
    use(settings.cryptography.backend)  # self-tests it
    engine = state_engine(folders, settings)
    upgrade(engine)
    listeners = [_bound(settings.console)]
    if settings.administration.port:
        own = msgspec.structs.replace(settings.console, port=settings.administration.port)
        listeners.append(_bound(own))
    key = SigningKey.load(folders.ledger_key)
    origin = f"liuhe.local/{settings.center.id}/evidence/sm3"
    twin = twin_key(folders.keys) if settings.evidence.sha256_twin else None
    with Ledger.open(
        folders.evidence, center=settings.center.id, origin=origin, key=key, twin=twin
    ) as ledger:
        if ledger.recovered:
            say(ledger.recovered)
        # as the pipeline loads them, and from what it kept
        rules = center_rules(folders, settings)
        ledger.append([rules.evidence()], datetime.now(UTC))
        witnessing = open_witnessing(folders, settings, engine, ledger)
        checklist = load_checklist(ROOT / "checklist")
        enforcement = open_enforcement(engine, ledger, key, checklist, ROOT)
        center, jobs, transfer_parts = _opened(
            folders, settings, engine, ledger, rules, witnessing, enforcement
        )
        stop = threading.Event()
        worker = threading.Thread(target=jobs.run, args=(stop,), name="jobs")
        worker.start()
        webhooks = center.webhooks
        assert webhooks is not None
        try:
            with (
                transfer_door(transfer_parts, folders.transfer, settings.transfer, settings.link),
                witness_rounds(folders, witnessing),
                queue_rounds(center),
                webhook_rounds(webhooks, say),
            ):
                _serve(center, settings.console, listeners, asked)
        finally:
            stop.set()
            worker.join()
            for listener in listeners:
                listener.close()
    engine.dispose()


def _opened(
    folders: Folders,
    settings: Settings,
    engine: Engine,
    ledger: Ledger,
    rules: RuleSet,
    witnessing: Witnessing,
    enforcement: Enforcement,
) -> tuple[Center, Jobs, Callable[[], TransferParts]]:
    alerts, inventory = AlertStore(engine), InventoryStore(engine)
    events, audit = EventStore(folders.data, engine), audit_of(engine)
    checklist = tuple(enforcement.checks.values())
    transfer_parts = _transfer_parts(folders, engine, checklist)
    stores = alerts, inventory, events
    compliance = _compliance(settings, engine, ledger, rules, enforcement, stores, transfer_parts)
    desk = report_desk(
        folders, settings, engine, events=events, ledger=ledger, checklist=checklist, rules=len(rules.rules)
    )
    identity, people = _people(folders, settings, engine)
    center = Center(
        id=settings.center.id,
        name=settings.center.name,
        unit=settings.center.unit,
        version=version("liuhe"),
        identity=identity,
        people=people,
        audit=audit,
        alerts=alerts,
        inventory=inventory,
        events=events,
        ledger=ledger,
        compliance=compliance,
        reports=desk,
        sensors=console_sensors(folders, settings, engine, inventory),
        rules=ConsoleRules(rules, RuleStore(engine), HitStore(engine)),
        packets=PacketDesk(PacketStore(engine), PacketFiles(folders.packets, load_key(folders.keys)), alerts),
        transfers=ConsoleTransfers(transfer_parts, audit),
        uploads=Uploads(folders.transfer / "uploads"),
        witnessing=witnessing,
        enforcement=enforcement,
        registry=(registry := _registry(engine, inventory, checklist)),
        hosts=HostInventoryStore(engine),
        hunts=_hunts(engine, folders),
        queue=QueueDesk(engine, alerts, registry),
        casework=open_casework(engine, ROOT),
        webhooks=open_webhooks(folders, settings, engine, alerts, registry),
        support=(support := open_support(settings, audit)),
        changes=(changes := open_changes(engine, audit, RuleStore(engine), enforcement, support)),
        privacy=Privacy(center_key(folders.keys), frozenset(settings.privacy.names)),
        locker=IncidentFiles(folders.incidents, center_key(folders.keys)),
        exceptions=exception_desk(engine, alerts, events, rules),
        anomalies=(unusual := _unusual(engine, folders))[0],
        triage=triage_desk(engine, alerts, events),
        wall=Wall(ShiftStore(engine), shipped_wall(), folders.data / "map"),
        anomaly=_learning(unusual[0].models, alerts),
    )
    note_retention(changes.store, settings.storage.retention_days, datetime.now(UTC))
    more = [*ledger_timers(ledger, witnessing), *_timers(folders, center, unusual[1](ledger))]
    more.append(Timer("enforcement", ENFORCEMENT_SECONDS, EnforcementJobs(enforcement, compliance).beat))
    return center, _jobs(center, compliance, settings, desk, more), transfer_parts


def _learning(models: ModelDesk, alerts: AlertStore) -> Callable[[], Words]:
    """How far the detector of windows is, in one sentence."""
    needed = models.parameters().learning_windows
    return lambda: state_words(alerts.detector_state("anomaly"), needed)


def _timers(folders: Folders, center: Center, ranker: RankerJob) -> list[Timer]:
    watch = AuditWatch(center.audit, center.alerts, center.unit, say)
    timers = [
        Timer("audit", AUDIT_SECONDS, watch.beat),
        Timer("models", RECORD_SECONDS, ModelRecords(ranker.ledger, folders.models).record),
        Timer("ranker", LEARN_SECONDS, ranker.learn),
    ]
    if center.changes is not None:
        timers.append(Timer("changes", CHANGE_SECONDS, center.changes.beat))
    if center.support is not None:
        timers.append(Timer("support", 1.0, center.support.beat))
    return timers


def _unusual(engine: Engine, folders: Folders) -> tuple[AnomalyDesk, Callable[[Ledger], RankerJob]]:
    site = folders.data / "lists" / "windows.toml"
    return open_anomalies(AlertStore(engine), AnomalyStore(engine), folders.models, folders.keys, site)


def _people(folders: Folders, settings: Settings, engine: Engine) -> tuple[Identity, People]:
    rules, plane = settings.people, settings.administration
    policy = Policy(password_days=rules.password_days, sessions_max=rules.sessions_max)
    identity = identity_of(engine, folders, policy)
    there = AdminPlane(plane.addresses, plane.port)
    return identity, people_of(engine, identity, settings.center.unit, there, rules.banner)


def _compliance(
    settings: Settings,
    engine: Engine,
    ledger: Ledger,
    rules: RuleSet,
    enforcement: Enforcement,
    stores: tuple[AlertStore, InventoryStore, EventStore],
    transfer_parts: Callable[[], TransferParts],
) -> Compliance:
    alerts, inventory, events = stores
    parts = Parts(
        engine=engine,
        alerts=alerts,
        inventory=inventory,
        events=events,
        ledger=ledger,
        retention_days=settings.storage.retention_days,
        rules_loaded=len(rules.rules),
        kinds=enforcement.kinds,
        further=own_facts(transfer_parts, IdentityStore(engine)),
    )
    return Compliance(parts, tuple(enforcement.checks.values()))


def _registry(engine: Engine, inventory: InventoryStore, checklist: Sequence[Check]) -> RegistryDesk:
    desk = RegistryDesk(engine, inventory, checklist, ROOT / "grading")
    desk.plant(datetime.now(UTC))
    return desk


def _jobs(
    center: Center, compliance: Compliance, settings: Settings, desk: ReportDesk, timers: Sequence[Timer]
) -> Jobs:
    registry, exceptions, casework = center.registry, center.exceptions, center.casework
    assert casework is not None
    assert registry is not None
    assert exceptions is not None
    return Jobs(
        compliance,
        {
            "registry": registry.feed,
            "exception": exceptions.feed,
            "segment": segment_feed(center.events),
            "audit": audit_feed(center.audit),
            "gap": gap_feed(center.inventory),
            "deletion": deletion_feed(center.events),
        },
        interval_seconds=settings.checks.interval_seconds,
        say=say,
        placed={"gap": center.inventory.keep_gap_leaves},
        timers=[
            *timers,
            Timer("registry", WATCH_SECONDS, registry.beat),
            Timer("casework", CASEWORK_SECONDS, casework.work),
        ],
        desk=desk,
    )


def _transfer_parts(
    folders: Folders, engine: Engine, checklist: Sequence[Check]
) -> Callable[[], TransferParts]:
    rules = ROOT / "transfer"
    policy, gate = load_policy(rules), check_gate(engine, checklist)
    store, ferry = TransferStore(engine), Ferry(folders.transfer)

    def parts() -> TransferParts:
        channels = load_channels(folders.transfer)  # read anew: somebody may just have registered one
        return TransferParts(
            store=store, ferry=ferry, channels=channels, policy=policy, gate=gate, system=LOCAL_SYSTEM
        )

    return parts


def audit_feed(audit: AuditStore) -> Feed:
    """Audit lines as leaves: the line's own chained digest stands in the payload."""

    def feed(after: int) -> Sequence[tuple[int, NewEvidence]]:
        return [
            (
                line.sequence,
                NewEvidence(
                    kind="audit",
                    actor=line.entry.actor,
                    subject=f"audit:{line.sequence}",
                    summary=f"{line.entry.action} {line.entry.result}",
                    payload=line.digest.encode(),
                    time=line.entry.time,
                ),
            )
            for line in audit.since(after)
        ]

    return feed


def _bound(endpoint: Endpoint) -> socket.socket:
    """The console's listening socket. Raises LiuheError (port-in-use) in one line."""
    family = socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((endpoint.host, endpoint.port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise LiuheError(
            "port-in-use",
            Words(
                f"控制台端口不可用:{error.strerror}", f"the console's port can't be used: {error.strerror}"
            ),
            Words(
                "请释放端口,或修改 center.toml 的 console.port",
                "free it, or change console.port in center.toml",
            ),
            field=f"{endpoint.host}:{endpoint.port}",
        ) from error
    return listener


def _on_stop(work: Callable[[], None]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: work())


def _serve(center: Center, endpoint: Console, listeners: list[socket.socket], asked: threading.Event) -> None:
    app = create_app(center, base_path=endpoint.base_path)
    config = uvicorn.Config(
        BasePath(app, endpoint.base_path),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS_MAX,
        ssl_certfile=endpoint.certificate or None,
        ssl_keyfile=endpoint.key or None,
    )
    server = uvicorn.Server(config)
    # Open streams end by themselves when a stop is asked for, else each would hold it up.
    app.state.live.ends_when(lambda: server.should_exit)

    def end() -> None:
        server.should_exit = True

    # The server raises the signal that stopped it once more when it is done: with the default action that
    # would end the process before jobs and ledger have come to rest.
    _on_stop(end)
    if asked.is_set():
        end()
    server.run(sockets=listeners)


def _hunts(engine: Engine, folders: Folders) -> HuntDesk:
    """The desk of the hunt page, with every accepted rule in its place."""
    desk = HuntDesk(engine, folders.data)
    desk.write_missing()
    return desk
