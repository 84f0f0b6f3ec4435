"""The center that the tests of the HTTP interface talk to: real state stores, small doubles for the rest."""

import dataclasses
import shutil
import socket
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import msgspec
import pytest
from anyio.from_thread import start_blocking_portal
from described import undescribed
from sqlalchemy import Engine, text

from compliance.attestation_store import AttestationStore
from compliance.casework import open_casework
from compliance.checklist import load_checklist
from compliance.enforcement import open_enforcement
from compliance.ledger import Ledger, NewEvidence
from compliance.registry_desk import RegistryDesk
from crypto.keys import SigningKey
from crypto.otp import code_at, secret_of
from crypto.words import BadInput, Refused, Words
from detection.alert import Alert, Claim, Match, claim
from detection.store.alert_store import AlertStore
from detection.store.anomaly_store import AnomalyStore
from detection.store.event_store import EventStore
from detection.store.hit_store import HitStore
from detection.store.host_inventory_store import HostInventoryStore
from detection.store.inventory_store import InventoryStore
from detection.store.shift_store import ShiftStore
from detection.store.state import open_state
from rules import ROOT
from sensors.event import LogSource, Observation, Value, stamp
from sensors.token import Token, encode_token
from soc_api.admin_plane import AdminPlane
from soc_api.anomaly_desk import open_anomalies
from soc_api.app import equipped, routed
from soc_api.audit_store import AuditStore
from soc_api.case_feed import CaseFeed
from soc_api.change_opening import open_changes
from soc_api.context import Center
from soc_api.enrolment import EnrolmentDesk, SensorRecord, TokenRecord
from soc_api.enrolment_store import EnrolmentStore
from soc_api.exception_side import exception_desk, triage_desk
from soc_api.folders import create
from soc_api.hunt_desk import HuntDesk
from soc_api.identity import Identity, Visit
from soc_api.identity_store import IdentityStore
from soc_api.incident_files import IncidentFiles
from soc_api.key_signatures import PersonKeys
from soc_api.migrate import upgrade
from soc_api.packet_desk import PacketDesk
from soc_api.packet_files import PacketFiles
from soc_api.packet_store import PacketStore
from soc_api.passwords import Cost
from soc_api.people import people_of
from soc_api.privacy import Privacy
from soc_api.queue_desk import QueueDesk
from soc_api.rule_console import ConsoleRules
from soc_api.rule_set import RuleSet, shipped_rules
from soc_api.rule_store import RuleStore
from soc_api.second_factor import PURPOSE, SecondFactors
from soc_api.second_factor_store import FactorStore
from soc_api.secret_box import SecretBox
from soc_api.sensor_console import ConsoleSensors
from soc_api.settings import Endpoint, Settings, render_settings
from soc_api.transfer_port import (
    ChannelValue,
    GapValue,
    ReasonValue,
    RouteValue,
    StagedFile,
    TransferActValue,
    TransferAsk,
    TransferChoicesValue,
    TransferDetailValue,
    TransferFileValue,
    TransferPageValue,
    TransferRowValue,
    TransferSignatureValue,
    TrustValue,
    WayValue,
    ZoneValue,
)
from soc_api.transfer_uploads import Uploads
from soc_api.wall import Wall
from soc_api.wall_rules import shipped_wall
from soc_api.webhook_store import WebhookStore
from soc_api.webhooks import Webhooks

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
CHEAP = Cost(log2_n=4)
PASSWORD = "Correct-horse-7"
_RULES: RuleSet = shipped_rules(Path(__file__).with_name("console_rules"))
_CHECKS = load_checklist(ROOT / "checklist")
_APP = routed()  # building the routes takes longer than most tests


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A check as the compliance side returns it."""

    id: str = "PLT-01"
    layer: str = "platform"
    title: Words = Words("账号口令策略", "Password policy")
    severity: str = "high"
    clauses: tuple[str, ...] = ("8.1.4.1a",)
    method: str = "probe"
    verdict: str = "符合"
    reason: Words = Words("已启用", "enabled")
    evaluated: datetime | None = NOW
    stale_at: datetime | None = NOW + timedelta(days=1)
    leaf: int | None = 0


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """The evidence of a check."""

    event: str = "e1"
    time: datetime = NOW
    host: str = "web-01"
    probe: str = "accounts"
    method: str = "read /etc/login.defs"
    raw: str = "PASS_MAX_DAYS 90"
    values: dict[str, Any] = msgspec.field(default_factory=lambda: {"max_days": 90})
    satisfied: bool = True


class Detail(msgspec.Struct, frozen=True, kw_only=True):
    """One check with its evidence."""

    check: Row = Row()
    condition: str = "max_days <= 90"
    evidence: tuple[Piece, ...] = (Piece(),)
    remedy: Words = Words("无", "none")
    history: tuple[Row, ...] = (Row(),)


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of one layer."""

    layer: str = "platform"
    counts: dict[str, int] = msgspec.field(default_factory=lambda: {"符合": 1})


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """The checklist."""

    system: str = "local"
    system_name: str = "本机"
    grade: str = "S3A3G3"
    layers: tuple[Layer, ...] = (Layer(),)
    checks: tuple[Row, ...] = (Row(),)
    disclaimer: Words = Words("自查参考", "for self-assessment")


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A report."""

    id: str
    month: str
    scope: str = "unit"
    unit: str = "320000-local"
    edition: int = 1
    created: datetime = NOW
    actor: str = "user:lead"
    state: str = "draft"
    revision: int = 0
    corrects: str = ""
    due: str = "2026-12-05"
    pdf_sm3: str = "0" * 64
    xlsx_sm3: str = "1" * 64
    docx_sm3: str = "2" * 64
    p7s_sm3: str = ""
    content_sm3: str = "3" * 64
    leaf: int = 1


class ReportDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One report."""

    report: Report
    sections: tuple[Any, ...] = ()
    signatures: tuple[Any, ...] = ()
    next: str = "prepare"


class Kit(msgspec.Struct, frozen=True, kw_only=True):
    """A kit for an inspection."""

    name: str
    data: bytes


class Reports:
    """The desk of reports in memory; ``acts`` is what was asked of it."""

    def __init__(self) -> None:
        self.made: list[Report] = []
        self.acts: list[tuple[Any, ...]] = []

    def reports(self) -> Sequence[Report]:
        return tuple(self.made)

    def report_detail(self, report: str) -> ReportDetail:
        for made in self.made:
            if made.id == report:
                return ReportDetail(report=made)
        raise Refused("report-not-found", Words("无此报告", "no such report"), Words("核对", "check it"))

    def report_charts(self, report: str) -> Sequence[Any]:
        self.report_detail(report)
        series = SimpleNamespace(name="本期", values=(50.0, None))
        return (
            SimpleNamespace(
                kind="radar",
                title="图 1",
                labels=("甲", "乙"),
                series=(series,),
                unit="%",
                limit=100.0,
                mark=0.0,
            ),
        )

    def make_report(
        self, month: str, actor: str, now: datetime, *, scope: str = "unit", unit: str = ""
    ) -> Report:
        self.made.append(Report(id=f"{month}-1", month=month, actor=actor))
        return self.made[-1]

    def edit_report(self, report: str, texts: Mapping[str, str], actor: str, now: datetime) -> ReportDetail:
        self.acts.append(("edit", report, dict(texts), actor))
        return self.report_detail(report)

    def sign_report(
        self,
        report: str,
        step: str,
        *,
        content: str,
        actor: str,
        name: str,
        now: datetime,
        own: Any = None,
    ) -> ReportDetail:
        self.acts.append((step, report, content, actor, name, *([own.key] if own else [])))
        return self.report_detail(report)

    def report_draft(self, report: str, step: str, content: str, actor: str, now: datetime) -> bytes:
        return f"{report} {step} {content} {actor}".encode()

    def return_report(self, report: str, reason: str, actor: str, now: datetime) -> ReportDetail:
        self.acts.append(("return", report, reason, actor))
        return self.report_detail(report)

    def inspection_kit(self, audience: str, system: str, actor: str, now: datetime) -> "Kit":
        self.acts.append((audience, system, actor))
        return Kit(name=f"{audience}-{system}.zip", data=b"PK")

    def report_file(self, report: str, kind: str) -> bytes:
        self.report_detail(report)
        return f"{kind} of {report}".encode()

    def revision(self) -> int:
        return len(self.made)


class Compliance:
    """The compliance side in memory."""

    def __init__(self) -> None:
        self.evaluated = 0
        self.sound: bool | None = None

    def check_page(self, now: datetime, system: str = "") -> Page:
        return Page(system=system or "local")

    def check_detail(self, check: str, now: datetime, system: str = "") -> Detail:
        if check != "PLT-01":
            raise Refused("check-not-found", Words("无此检查", "no such check"), Words("核对", "check it"))
        return Detail()

    def evaluate(self, actor: str, now: datetime, system: str = "") -> Page:
        self.evaluated += 1
        return self.check_page(now, system)

    def note_ledger(self, ok: bool) -> None:
        self.sound = ok

    def revision(self) -> int:
        return self.evaluated


class Transfers:
    """The transfer side in memory: the two persons are told apart, nothing is sealed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: dict[str, TransferRowValue] = {}
        self.files: dict[str, tuple[StagedFile, ...]] = {}
        self.acts: list[TransferActValue] = []

    def page(self, state: str, cursor: str, limit: int, authors: Any = None) -> TransferPageValue:
        if cursor and not cursor.isdigit():
            raise BadInput("transfer-cursor", Words("游标", "cursor"), Words("重来", "again"), field="cursor")
        wanted = {"open": ("requested", "approved", "sealed"), "refused": ("refused",)}.get(state)
        found = [row for row in reversed(self.rows.values()) if wanted is None or row.state in wanted]
        found = [row for row in found if authors is None or row.author in authors]
        first = int(cursor or 0)
        more = str(first + limit) if len(found) > first + limit else ""
        return TransferPageValue(rows=tuple(found[first : first + limit]), next=more)

    def detail(self, transfer: str) -> TransferDetailValue:
        row = self._row(transfer)
        return TransferDetailValue(
            transfer=row,
            package_sm3="",
            manifest_sm3="",
            recipients=("c" * 32,),
            exports=0,
            files=tuple(
                TransferFileValue(name=one.name, size=one.size, sm3=one.sm3) for one in self.files[transfer]
            ),
            signatures=(
                TransferSignatureValue(role="author", name=row.author, key_id="a" * 64, signed=False),
            ),
            history=tuple(self.acts),
            receipts=(),
        )

    def channels(self, now: datetime) -> Sequence[ChannelValue]:
        return [
            ChannelValue(
                channel="province",
                direction="in",
                peer="provincial",
                one_way=True,
                epoch=1,
                sequence=7,
                gaps=(GapValue(first=3, last=4),),
                unconfirmed=2,
                silent=False,
                trouble=None,
                trust=TrustValue(mode="keys", keys=2, names=(), items=(), trouble=None),
            )
        ]

    def choices(self) -> TransferChoicesValue:
        way = WayValue(label="一般", from_zone="office", to_zone="supervision", contents=("csv", "txt"))
        route = RouteValue(
            channel="city", receiver="city", one_way=False, from_zone="office", to_zone="supervision"
        )
        return TransferChoicesValue(
            channels=(route,),
            zones=(ZoneValue(id="office", name=Words("办公网", "office network")),),
            labels=("一般", "重要", "核心"),
            marks=("内部",),
            incoming=("province",),
            ways=(way,),
            validity_days_max=30,
        )

    def request(self, ask: TransferAsk, person: str, now: datetime) -> TransferRowValue:
        if ask.label not in ("一般", "重要", "核心"):
            raise BadInput(
                "transfer-request", Words("标签", "label"), Words("改正", "correct it"), field="label"
            )
        id_ = f"out-{len(self.rows):032x}"
        self.files[id_] = ask.files
        for one in ask.files:
            assert one.path.read_bytes()
        row = TransferRowValue(
            id=id_,
            direction="out",
            state="requested",
            label=ask.label,
            marks=ask.marks,
            from_zone="office",
            to_zone="supervision",
            application=ask.application,
            purpose=ask.purpose,
            channel=ask.channel,
            sender="local",
            receiver="city",
            files=len(ask.files),
            bytes=sum(one.size for one in ask.files),
            issued=now,
            expires=now + timedelta(days=ask.days),
            author=person,
            approver="",
            sequence=None,
            receipt="",
            reason=None,
            package_ready=False,
        )
        return self._put(row, person, "transfer.request", now)

    def approve(self, transfer: str, person: str, passphrase: bytearray, now: datetime) -> TransferRowValue:
        row = self._row(transfer)
        if row.author == person:
            raise Refused(
                "transfer-dual-control", Words("须为两人", "two persons"), Words("换人", "ask another")
            )
        self._in(row, "requested")
        after = msgspec.structs.replace(row, state="approved", approver=person, sequence=1)
        return self._put(after, person, "transfer.approve", now)

    def refuse(self, transfer: str, person: str, reason: str, now: datetime) -> TransferRowValue:
        row = self._row(transfer)
        self._in(row, "requested", "approved", "sealed")
        said = ReasonValue(code="transfer-refused-by-person", message=Words(reason, reason))
        after = msgspec.structs.replace(row, state="refused", reason=said)
        return self._put(after, person, "transfer.refuse", now)

    def seal(self, transfer: str, person: str, passphrase: bytearray, now: datetime) -> TransferRowValue:
        row = self._row(transfer)
        self._in(row, "approved")
        if passphrase != b"unlock me":
            raise Refused("key-passphrase", Words("口令不对", "wrong passphrase"), Words("重试", "again"))
        return self._put(msgspec.structs.replace(row, state="sealed"), person, "transfer.seal", now)

    def export(self, transfer: str, person: str, now: datetime) -> TransferRowValue:
        row = self._row(transfer)
        self._in(row, "sealed", "exported")
        (self.folder / transfer).write_bytes(b"package of " + transfer.encode())
        after = msgspec.structs.replace(row, state="exported", package_ready=True)
        return self._put(after, person, "transfer.export", now)

    def package(self, transfer: str) -> Path:
        self._in(self._row(transfer), "exported")
        return self.folder / transfer

    def receipt(self, transfer: str) -> bytes:
        if not self._row(transfer).receipt:
            raise Refused("transfer-no-receipt", Words("没有回执", "no receipt"), Words("等待", "wait"))
        return b"{receipt}"

    def import_(self, channel: str, package: Path, person: str, now: datetime) -> TransferRowValue:
        data = package.read_bytes()
        if not data.startswith(b"package of out-"):
            raise Refused("package-malformed", Words("不是包", "no package"), Words("重发", "send it again"))
        sent = self._row(data.decode().removeprefix("package of "))
        row = msgspec.structs.replace(sent, id=f"in-{1:064x}", direction="in", state="imported")
        return self._put(row, person, "transfer.import", now)

    def revision(self) -> int:
        return len(self.acts)

    def _put(self, row: TransferRowValue, person: str, action: str, now: datetime) -> TransferRowValue:
        self.rows[row.id] = row
        self.files.setdefault(row.id, ())
        self.acts.append(
            TransferActValue(time=now, actor=f"user:{person}", action=action, result="ok", note="")
        )
        return row

    def _row(self, transfer: str) -> TransferRowValue:
        if transfer not in self.rows:
            raise Refused(
                "transfer-not-found", Words("没有这个传输", "no such transfer"), Words("核对", "check it")
            )
        return self.rows[transfer]

    def _in(self, row: TransferRowValue, *states: str) -> None:
        if row.state not in states:
            raise Refused("transfer-state", Words("状态不对", "not now"), Words("刷新", "reload"))


QUIET = SensorRecord(  # let in, and never spoke
    id="quiet",
    unit="320000-local",
    kind="host",
    hostname="db-01",
    certificate="",
    fingerprint="f" * 64,
    key_digest="",
    enrolled=NOW,
    group="数据库",
)


class Desk:
    """The desk without an authority: real tokens and revocations, no certificates."""

    def __init__(self, store: EnrolmentStore) -> None:
        self._store = store
        self._given = 0

    def give_token(
        self, *, unit: str, addresses: Sequence[str], actor: str, valid: timedelta, group: str = ""
    ) -> str:
        self._given += 1
        name = f"{self._given:016x}"
        self._store.add_token(
            TokenRecord(
                id=name,
                secret_sm3="0" * 64,
                unit=unit,
                actor=actor,
                created=NOW,
                expires=NOW + valid,
                group=group,
            )
        )
        return encode_token(Token(addresses=list(addresses), authority=bytes(32), id=name, secret=bytes(32)))

    def revoke(self, sensor: str, *, actor: str, reason: str = "") -> bool:
        return self._store.revoke(sensor, NOW, actor=actor, reason=reason)


class Client:
    """One browser: cookies, the CSRF token of its session, requests in the loop of the world."""

    def __init__(self, world: "World") -> None:
        self._world = world
        transport = httpx.ASGITransport(world.app, raise_app_exceptions=False, client=("192.0.2.7", 40000))
        self.http = httpx.AsyncClient(transport=transport, base_url="http://center")
        self.csrf = ""

    def __call__(self, method: str, path: str, **named: Any) -> httpx.Response:
        headers = {"X-CSRF-Token": self.csrf} if self.csrf and method != "GET" else {}
        headers |= named.pop("headers", {})
        url = f"/api/v1{path}"
        answer: httpx.Response = self._world.run(self.http.request, method, url, headers=headers, **named)
        assert not (wrong := undescribed(method, path, answer.status_code)), f"{wrong}\n{answer.text[:300]}"
        return answer

    def login(self, username: str, password: str, code: str | None = None) -> httpx.Response:
        """Log in with the code the person's device shows, if they have one."""
        shown = self._world.code(username) if code is None else code
        body = {"username": username, "password": password, "code": shown}
        answer = self("POST", "/session", json=body)
        if answer.status_code == 200:
            self.csrf = answer.json()["csrf"]
        return answer

    def bind(self) -> httpx.Response:
        """Bind a device in the session of a one-time password."""
        offer = self("POST", "/session/factor", json={}).json()
        code = code_at(secret_of(offer["secret"]), self._world.now)
        return self("POST", "/session/factor/code", json={"code": code})


class World:
    """A center at NOW with one event loop; ``now`` may be moved."""

    def __init__(self, folder: Path, events: EventStore) -> None:
        self.now = NOW
        self.password = PASSWORD
        self.folder = folder
        self.engine: Engine = open_state(f"sqlite:///{folder / 'state.sqlite'}")
        box = SecretBox(bytes(32), PURPOSE)
        signatures = PersonKeys(AttestationStore(self.engine))
        factors = SecondFactors(FactorStore(self.engine), box, signatures)
        self.identity = Identity(IdentityStore(self.engine), factors, cost=CHEAP)
        self.people = people_of(self.engine, self.identity, "320000-local")
        self.devices: dict[str, bytes] = {}
        self.audit = AuditStore(self.engine)
        self.alerts = AlertStore(self.engine)
        self.compliance = Compliance()
        self.reports = Reports()
        self.rules = RuleStore(self.engine)
        self.transfers = Transfers(folder)
        self.register = EnrolmentStore(self.engine)
        self.packets = PacketStore(self.engine)
        self.packet_files = PacketFiles(folder / "packets", bytes(32))
        inventory = InventoryStore(self.engine)
        self.sensors = ConsoleSensors(
            self.register,
            cast("EnrolmentDesk", Desk(self.register)),
            inventory,
            unit="320000-local",
            unit_name=lambda code: {"320000-local": "省数据局"}.get(code, code),
            addresses=["192.0.2.1:8610"],
        )
        self.let_in(QUIET)
        self.uploads = Uploads(folder / "uploads")
        key = SigningKey.create(folder / "key.pem")
        self.ledger = Ledger.open(folder / "evidence", center="local", origin="liuhe.test/local", key=key)
        self.enforcement = open_enforcement(self.engine, self.ledger, key, _CHECKS, ROOT)
        self.registry = RegistryDesk(self.engine, inventory, _CHECKS, ROOT / "grading")
        self.casework = open_casework(self.engine, ROOT)
        self.center = Center(
            id="local",
            name="测试中心",
            unit="320000-local",
            version="0",
            identity=self.identity,
            people=self.people,
            audit=self.audit,
            alerts=self.alerts,
            inventory=inventory,
            events=events,
            ledger=self.ledger,
            compliance=self.compliance,
            reports=self.reports,
            sensors=self.sensors,
            rules=ConsoleRules(_RULES, self.rules, HitStore(self.engine)),
            packets=PacketDesk(self.packets, self.packet_files, self.alerts),
            transfers=self.transfers,
            uploads=self.uploads,
            registry=self.registry,
            queue=QueueDesk(self.engine, self.alerts, self.registry),
            hosts=HostInventoryStore(self.engine),
            hunts=HuntDesk(self.engine, folder),
            exceptions=exception_desk(self.engine, self.alerts, events, _RULES),
            anomalies=open_anomalies(
                self.alerts, AnomalyStore(self.engine), folder / "models", folder, folder / "windows.toml"
            )[0],
            triage=triage_desk(self.engine, self.alerts, events),
            wall=Wall(ShiftStore(self.engine), shipped_wall(), folder / "map"),
            enforcement=self.enforcement,
            casework=self.casework,
            locker=IncidentFiles(folder / "incidents", bytes(32)),
            webhooks=Webhooks(
                WebhookStore(self.engine),
                self.alerts,
                CaseFeed(self.casework.acts, lambda _system: "320000-local"),
                SecretBox(bytes(32), "webhook"),
                center="local",
                resolve=lambda host, port: ["93.184.216.34"],
            ),
            privacy=Privacy(bytes(32)),
            changes=open_changes(self.engine, self.audit, self.rules, self.enforcement),
            anomaly=lambda: Words("学习中", "learning"),
            clock=lambda: self.now,
        )
        self.app = equipped(_APP, self.center, static=folder / "static")
        self._stack = ExitStack()
        self.portal = self._stack.enter_context(start_blocking_portal())
        self._stack.enter_context(
            self.portal.wrap_async_context_manager(self.app.router.lifespan_context(self.app))
        )
        self._clients: list[Client] = []

    def let_in(self, sensor: SensorRecord) -> None:
        """Keep an enrolled sensor, as the desk would."""
        token = TokenRecord(
            id=f"for-{sensor.id}",
            secret_sm3="0" * 64,
            unit=sensor.unit,
            actor="user:a",
            created=NOW,
            expires=NOW,
        )
        self.register.add_token(token)
        assert self.register.enrol(token.id, sensor)

    def run(self, function: Any, *arguments: Any, **named: Any) -> Any:
        """Call an async function in the loop of the world."""

        async def called() -> Any:
            return await function(*arguments, **named)

        future: Future[Any] = self.portal.start_task_soon(called)
        return future.result(timeout=30)

    def client(self) -> Client:
        made = Client(self)
        self._clients.append(made)
        return made

    def account(
        self, role: str, username: str = "", password: str = PASSWORD, unit: str = "320000-local"
    ) -> str:
        """An account of that role with a password of its own; its name."""
        username = username or role.replace("_", "-")
        one_time = self.identity.create_account(username, "某人", role, unit, self.now)  # type: ignore[arg-type]
        _, visit = self.identity.login(username, one_time, "192.0.2.1", self.now)
        visit = self.bound(visit)
        self.identity.change_password(visit, one_time, password, self.now)
        return username

    def bound(self, visit: Visit) -> Visit:
        """The visit of a one-time password once its person has bound a device."""
        offer = self.identity.offer_device(visit, "sm3", self.now)
        self.devices[visit.account.username] = secret_of(offer.secret)
        self.identity.bind_device(visit, self.code(visit.account.username), self.now)
        return self.identity.refreshed(visit)

    def code(self, username: str) -> str:
        """What the person's device shows, half a minute after the last code was used; '' without a device."""
        secret = self.devices.get(username)
        if secret is None:
            return ""
        with self.engine.begin() as connection:
            connection.execute(text("UPDATE second_factors SET last_step = 0"))
        return code_at(secret, self.now)

    def place(self, plane: AdminPlane) -> None:
        """Let the administrators act only where ``plane`` says."""
        people = msgspec.structs.replace(self.people, plane=plane)
        self.app.state.center = dataclasses.replace(self.center, people=people)

    def visit(self, username: str, now: datetime | None = None, source: str = "192.0.2.9") -> Visit:
        """A login with both factors; its visit."""
        return self.entered(username, now, source)[1]

    def entered(
        self, username: str, now: datetime | None = None, source: str = "192.0.2.9"
    ) -> tuple[str, Visit]:
        """A login with both factors; its token and its visit."""
        then, self.now = self.now, now or self.now
        code = self.code(username)
        self.now = then
        return self.identity.login(username, PASSWORD, source, now or then, code=code)

    def signed_in(self, role: str, username: str = "", unit: str = "320000-local") -> Client:
        made = self.client()
        assert made.login(self.account(role, username, unit=unit), PASSWORD).status_code == 200
        return made

    def close(self) -> None:
        for client in self._clients:
            self.run(client.http.aclose)
        self._stack.close()
        self.ledger.close()
        self.engine.dispose()

    def record_evidence(self, count: int) -> None:
        """Leaves with small payloads under a signed checkpoint."""
        entries = [
            NewEvidence(
                kind="evaluation",
                actor="system:jobs",
                subject="check:PLT-01/system:local",
                summary="符合",
                payload=f"payload {number}".encode(),
            )
            for number in range(count)
        ]
        self.ledger.append(entries, self.now)
        self.ledger.checkpoint(self.now)

    def raise_alert(self, rule: str = "r1", host: str = "web-01", sequence: int = 1, **more: Value) -> Alert:
        """Put one alert with its event (``more`` fields, dots as __) into the store, as the pipeline does."""
        event = stamp(
            Observation(
                time=self.now - timedelta(minutes=1),
                logsource=LogSource(product="linux", category="process_creation"),
                fields={
                    "host.name": host,
                    "event.dataset": "process.start",
                    "process.args": ["nc", "-l"],
                    **{name.replace("__", "."): value for name, value in more.items()},
                },
                native={"Image": "/usr/bin/nc"},
            ),
            unit="320000-local",
            sensor="host-1",
            epoch=1,
            sequence=sequence,
        )
        alert = claim(
            Claim(rule=rule, detector="sigma", title=Words("监听", "Listener"), severity="high"),
            entity=f"host:{host}",
            reason=Words("启动了 nc", "nc was started"),
            events=(event,),
            matched=(Match(event=event.id, field="Image", value="/usr/bin/nc", selection="sel"),),
        )
        self.alerts.commit([alert], [event], sequence, self.now)
        return alert

    def audited(self) -> list[tuple[str, str, str, str]]:
        """(actor, action, object, result) of every line, oldest first."""
        found = self.audit.since(0)
        return [(one.entry.actor, one.entry.action, one.entry.object, one.entry.result) for one in found]


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty state database of the newest schema, made once."""
    path = tmp_path_factory.mktemp("state") / "state.sqlite"
    engine = open_state(f"sqlite:///{path}")
    upgrade(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def no_events(migrated: Path) -> Iterator[EventStore]:
    """A store without events; opening one costs more than most tests."""
    engine = open_state(f"sqlite:///{migrated}")
    yield EventStore(migrated.parent, engine)
    engine.dispose()


@pytest.fixture
def world(tmp_path: Path, migrated: Path, no_events: EventStore) -> Iterator[World]:
    """A center over an empty state database."""
    shutil.copy(migrated, tmp_path / "state.sqlite")
    made = World(tmp_path, no_events)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="session")
def first_center(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A center as set-up makes it, once, and the one-time password it gave."""
    data = tmp_path_factory.mktemp("first") / "center"
    return data, create(data, Settings())


@pytest.fixture
def center(tmp_path: Path, first_center: tuple[Path, str]) -> Path:
    """A data folder of a test's own with a whole center that does not run, on ports nobody listens on."""
    data = tmp_path / "center"
    shutil.copytree(first_center[0], data)
    settings = Settings(console=Endpoint(port=unused_port()), ingest=Endpoint(port=unused_port()))
    (data / "center.toml").write_text(render_settings(settings))
    return data


def unused_port() -> int:
    """A loopback port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
